/**
 * BLAKE2s (RFC 7693): the hash and the keyed MAC of WireGuard (§5.4). libsodium has BLAKE2b only,
 * so this is heddle's own. It hashes handshake messages, at most a few hundred bytes each, and
 * never runs for a data packet; but whoever floods us with handshakes makes it run, so a block
 * costs no allocation.
 */

import { assert } from '../base/assert.js';

export const HASH_BYTES = 32;
export const BLOCK_BYTES = 64;
/** WireGuard §5.4.4: mac1 and mac2. */
export const MAC_BYTES = 16;

/** Where the message and the number of bytes so far, of 64 bits, stand behind the chained state. */
const MESSAGE_AT = 8;
const LENGTH_AT = 24;
const WORDS = 26;

export interface Blake2sOptions {
  /** 1 to 32 bytes; absent or empty: unkeyed. */
  readonly key?: Uint8Array;
  /** Of the digest, 1 to 32; absent: 32. */
  readonly length?: number;
}

/** The 32-byte hash of all parts, one after the other. */
export function blake2s(...parts: readonly Uint8Array[]): Uint8Array {
  return digestOf(SHARED.restart(), parts);
}

/** WireGuard's MAC: 16 bytes, keyed with 1 to 32 bytes. */
export function blake2sMac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  assert(key.length > 0, 'a MAC has a key');
  return digestOf(SHARED.restart({ key, length: MAC_BYTES }), parts);
}

/**
 * The hash in steps: any number of `update`, then one `digest`; then `restart`, for another. Keeps
 * no reference to input.
 */
export class Blake2s {
  #length = HASH_BYTES;
  /** Of 32 bits: the chained state h, the message m, the length. One array, for speed. */
  readonly #words = new Uint32Array(WORDS);
  /** The message as bytes, in place: words stand in memory with the low byte first. */
  readonly #block = new Uint8Array(this.#words.buffer, 4 * MESSAGE_AT, BLOCK_BYTES);
  readonly #state = new Uint8Array(this.#words.buffer, 0, HASH_BYTES);
  /** Bytes of `#block` in use. A full one waits: the last block is compressed otherwise. */
  #filled = 0;
  /** Bytes compressed so far; far below 2^53. */
  #compressed = 0;
  #isDone = false;

  constructor(options: Blake2sOptions = {}) {
    this.#begin(options);
  }

  /** From the beginning, with what was allocated already. */
  restart(options: Blake2sOptions = {}): this {
    this.#begin(options);
    return this;
  }

  #begin(options: Blake2sOptions): void {
    const keyLength = options.key?.length ?? 0;
    this.#length = options.length ?? HASH_BYTES;
    this.#filled = 0;
    this.#compressed = 0;
    this.#isDone = false;
    assert(keyLength <= HASH_BYTES, 'a BLAKE2s key has at most 32 bytes');
    assert(this.#length >= 1 && this.#length <= HASH_BYTES, 'a BLAKE2s digest has 1 to 32 bytes');
    const parameters = 0x0101_0000 | (keyLength << 8) | this.#length;
    for (let i = 0; i < 8; i++) this.#words[i] = IV[i] ?? 0;
    this.#words[0] = (this.#words[0] ?? 0) ^ parameters;
    if (options.key && keyLength > 0) {
      this.#block.set(options.key);
      this.#filled = BLOCK_BYTES;
    }
  }

  update(bytes: Uint8Array): this {
    assert(!this.#isDone, 'a hash is not updated after its digest');
    for (let at = 0; at < bytes.length; ) {
      if (this.#filled === BLOCK_BYTES) {
        this.#compressed += BLOCK_BYTES;
        this.#compress(false);
        this.#filled = 0;
      }
      const end = Math.min(bytes.length, at + BLOCK_BYTES - this.#filled);
      while (at < end) this.#block[this.#filled++] = bytes[at++] ?? 0;
    }
    return this;
  }

  /** The digest; what the hash held is wiped. */
  digest(): Uint8Array {
    assert(!this.#isDone, 'a hash gives its digest once');
    this.#isDone = true;
    this.#compressed += this.#filled;
    this.#block.fill(0, this.#filled);
    this.#compress(true);
    const digest = this.#state.slice(0, this.#length);
    this.#words.fill(0);
    return digest;
  }

  /** RFC 7693 §3.2: the function F over `#block`. */
  #compress(isLast: boolean): void {
    const words = this.#words;
    words[LENGTH_AT] = this.#compressed;
    words[LENGTH_AT + 1] = Math.floor(this.#compressed / 0x1_0000_0000);
    mixAll(words, isLast ? -1 : 0);
  }
}

function digestOf(hash: Blake2s, parts: readonly Uint8Array[]): Uint8Array {
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/**
 * RFC 7693 §3.2, ten rounds of §3.1's function G: on the four columns of a square of words, then on
 * its four diagonals, which stand as columns once its rows are turned. Held in variables: an array
 * would be written to 640 times a block. `last` is xored to a word: all ones for the last block.
 */
function mixAll(w: Uint32Array, last: number): void {
  let [a0, a1, a2, a3] = [word(w, 0), word(w, 1), word(w, 2), word(w, 3)];
  let [b0, b1, b2, b3] = [word(w, 4), word(w, 5), word(w, 6), word(w, 7)];
  let [c0, c1, c2, c3] = [IV[0] | 0, IV[1] | 0, IV[2] | 0, IV[3] | 0];
  let [d0, d1] = [IV[4] ^ word(w, LENGTH_AT), IV[5] ^ word(w, LENGTH_AT + 1)];
  let [d2, d3] = [IV[6] ^ last, IV[7] | 0];
  for (let at = 0; at < SIGMA.length; at += 8) {
    a0 = (a0 + b0 + message(w, at)) | 0;
    d0 = rotate(d0 ^ a0, 16);
    c0 = (c0 + d0) | 0;
    b0 = rotate(b0 ^ c0, 12);
    a0 = (a0 + b0 + message(w, at + 1)) | 0;
    d0 = rotate(d0 ^ a0, 8);
    c0 = (c0 + d0) | 0;
    b0 = rotate(b0 ^ c0, 7);
    a1 = (a1 + b1 + message(w, at + 2)) | 0;
    d1 = rotate(d1 ^ a1, 16);
    c1 = (c1 + d1) | 0;
    b1 = rotate(b1 ^ c1, 12);
    a1 = (a1 + b1 + message(w, at + 3)) | 0;
    d1 = rotate(d1 ^ a1, 8);
    c1 = (c1 + d1) | 0;
    b1 = rotate(b1 ^ c1, 7);
    a2 = (a2 + b2 + message(w, at + 4)) | 0;
    d2 = rotate(d2 ^ a2, 16);
    c2 = (c2 + d2) | 0;
    b2 = rotate(b2 ^ c2, 12);
    a2 = (a2 + b2 + message(w, at + 5)) | 0;
    d2 = rotate(d2 ^ a2, 8);
    c2 = (c2 + d2) | 0;
    b2 = rotate(b2 ^ c2, 7);
    a3 = (a3 + b3 + message(w, at + 6)) | 0;
    d3 = rotate(d3 ^ a3, 16);
    c3 = (c3 + d3) | 0;
    b3 = rotate(b3 ^ c3, 12);
    a3 = (a3 + b3 + message(w, at + 7)) | 0;
    d3 = rotate(d3 ^ a3, 8);
    c3 = (c3 + d3) | 0;
    b3 = rotate(b3 ^ c3, 7);
    if ((at & 8) === 0) {
      [b0, b1, b2, b3] = [b1, b2, b3, b0];
      [d0, d1, d2, d3] = [d3, d0, d1, d2];
    } else {
      [b0, b1, b2, b3] = [b3, b0, b1, b2];
      [d0, d1, d2, d3] = [d1, d2, d3, d0];
    }
    [c0, c1, c2, c3] = [c2, c3, c0, c1];
  }
  w[0] = word(w, 0) ^ a0 ^ c0;
  w[1] = word(w, 1) ^ a1 ^ c1;
  w[2] = word(w, 2) ^ a2 ^ c2;
  w[3] = word(w, 3) ^ a3 ^ c3;
  w[4] = word(w, 4) ^ b0 ^ d0;
  w[5] = word(w, 5) ^ b1 ^ d1;
  w[6] = word(w, 6) ^ b2 ^ d2;
  w[7] = word(w, 7) ^ b3 ^ d3;
}

/** Signed: sums of signed words stay small integers of the engine's. */
function word(w: Uint32Array, at: number): number {
  return (w[at] ?? 0) | 0;
}

/** The word of the message that stands at `at` in the order of SIGMA. */
function message(w: Uint32Array, at: number): number {
  return (w[MESSAGE_AT + (SIGMA[at] ?? 0)] ?? 0) | 0;
}

/** To the right, in 32 bits. */
function rotate(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}

const IV = [
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
] as const;

/** RFC 7693 §2.7: which message word goes where, sixteen a round. Never written. */
const SIGMA = Uint8Array.from(
  [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
  ].flat(),
);

/** For hashes that are made in one call: between two it holds nothing. */
const SHARED = new Blake2s();
