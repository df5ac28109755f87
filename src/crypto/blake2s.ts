/**
 * BLAKE2s (RFC 7693): the hash and the keyed MAC of WireGuard (§5.4). libsodium has BLAKE2b only,
 * so this is heddle's own. It hashes handshake messages, at most a few hundred bytes each, and
 * never runs for a data packet; but whoever floods us with handshakes makes it run, so a block
 * costs no allocation.
 */

import { assert } from '../base/assert.js';
import { loadLe32, storeLe32 } from '../base/bytes.js';

export const HASH_BYTES = 32;
export const BLOCK_BYTES = 64;
/** WireGuard §5.4.4: mac1 and mac2. */
export const MAC_BYTES = 16;

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
  /** Of 32 bits: the work vector v, the message m, the chained state h. One array, for speed. */
  readonly #words = new Uint32Array(WORDS);
  readonly #block = new Uint8Array(BLOCK_BYTES);
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
    for (let i = 0; i < 8; i++) this.#words[STATE_AT + i] = IV[i] ?? 0;
    this.#words[STATE_AT] = (this.#words[STATE_AT] ?? 0) ^ parameters;
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
    for (let i = 0; i < 8; i++) storeLe32(this.#block, 4 * i, this.#words[STATE_AT + i] ?? 0);
    const digest = new Uint8Array(this.#length);
    for (let i = 0; i < digest.length; i++) digest[i] = this.#block[i] ?? 0;
    this.#block.fill(0);
    this.#words.fill(0);
    return digest;
  }

  /** RFC 7693 §3.2: the function F over `#block`. */
  #compress(isLast: boolean): void {
    const words = this.#words;
    for (let i = 0; i < 8; i++) {
      words[i] = words[STATE_AT + i] ?? 0;
      words[i + 8] = IV[i] ?? 0;
    }
    words[12] = (words[12] ?? 0) ^ (this.#compressed >>> 0);
    words[13] = (words[13] ?? 0) ^ Math.floor(this.#compressed / 0x1_0000_0000);
    if (isLast) words[14] = ~(words[14] ?? 0);
    for (let i = 0; i < 16; i++) words[MESSAGE_AT + i] = loadLe32(this.#block, 4 * i);
    for (let at = 0; at < SIGMA.length; at += 16) round(words, at);
    for (let i = 0; i < 8; i++) {
      const old = words[STATE_AT + i] ?? 0;
      words[STATE_AT + i] = old ^ (words[i] ?? 0) ^ (words[i + 8] ?? 0);
    }
  }
}

function digestOf(hash: Blake2s, parts: readonly Uint8Array[]): Uint8Array {
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** Four columns, then four diagonals; `at` is where the round's row of SIGMA begins. */
function round(w: Uint32Array, at: number): void {
  mix(w, 0, 4, 8, 12, at);
  mix(w, 1, 5, 9, 13, at + 2);
  mix(w, 2, 6, 10, 14, at + 4);
  mix(w, 3, 7, 11, 15, at + 6);
  mix(w, 0, 5, 10, 15, at + 8);
  mix(w, 1, 6, 11, 12, at + 10);
  mix(w, 2, 7, 8, 13, at + 12);
  mix(w, 3, 4, 9, 14, at + 14);
}

/** RFC 7693 §3.1: the function G on four words, with the two message words that SIGMA names. */
function mix(w: Uint32Array, ia: number, ib: number, ic: number, id: number, at: number): void {
  const x = w[MESSAGE_AT + (SIGMA[at] ?? 0)] ?? 0;
  const y = w[MESSAGE_AT + (SIGMA[at + 1] ?? 0)] ?? 0;
  let a = w[ia] ?? 0;
  let b = w[ib] ?? 0;
  let c = w[ic] ?? 0;
  let d = w[id] ?? 0;
  a = (a + b + x) | 0;
  d = rotate(d ^ a, 16);
  c = (c + d) | 0;
  b = rotate(b ^ c, 12);
  a = (a + b + y) | 0;
  d = rotate(d ^ a, 8);
  c = (c + d) | 0;
  b = rotate(b ^ c, 7);
  w[ia] = a;
  w[ib] = b;
  w[ic] = c;
  w[id] = d;
}

/** To the right, in 32 bits. */
function rotate(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}

/** Where the message and the state stand behind the work vector. */
const MESSAGE_AT = 16;
const STATE_AT = 32;
const WORDS = 40;

const IV: readonly number[] = [
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
];

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
