/**
 * HMAC-BLAKE2s (RFC 2104) and WireGuard's key derivation over it (§5.4): HKDF (RFC 5869) with the
 * chaining key as salt, the input as key material and no info.
 */

import { wipe } from '../base/bytes.js';
import { BLOCK_BYTES, Blake2s, blake2s } from './blake2s.js';

const EMPTY = new Uint8Array(0);
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

/** 32 bytes; a key longer than 64 bytes is hashed first. */
export function hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  return SHARED.of(key, parts);
}

/** A key of 32 bytes. */
export function kdf1(chainingKey: Uint8Array, input: Uint8Array): Uint8Array {
  const derivation = new Derivation(chainingKey, input);
  const first = derivation.next();
  derivation.end();
  return first;
}

/** Two keys of 32 bytes. */
export function kdf2(chainingKey: Uint8Array, input: Uint8Array): [Uint8Array, Uint8Array] {
  const derivation = new Derivation(chainingKey, input);
  const keys: [Uint8Array, Uint8Array] = [derivation.next(), derivation.next()];
  derivation.end();
  return keys;
}

/** Three keys of 32 bytes. */
export function kdf3(
  chainingKey: Uint8Array,
  input: Uint8Array,
): [Uint8Array, Uint8Array, Uint8Array] {
  const derivation = new Derivation(chainingKey, input);
  const keys: [Uint8Array, Uint8Array, Uint8Array] = [
    derivation.next(),
    derivation.next(),
    derivation.next(),
  ];
  derivation.end();
  return keys;
}

/** RFC 5869: extract once, then expand to one key after the other. */
class Derivation {
  readonly #secret: Uint8Array;
  #previous: Uint8Array = EMPTY;
  #ordinal = 0;

  constructor(chainingKey: Uint8Array, input: Uint8Array) {
    this.#secret = SHARED.of(chainingKey, [input]);
  }

  /** §2.3: T(i) of T(i - 1). */
  next(): Uint8Array {
    this.#ordinal++;
    this.#previous = SHARED.of(this.#secret, [this.#previous, Uint8Array.of(this.#ordinal)]);
    return this.#previous;
  }

  end(): void {
    wipe(this.#secret);
  }
}

/** One after the other with one hash: a handshake needs dozens. Between two it holds nothing. */
class Hmac {
  readonly #hash = new Blake2s();
  readonly #pad = new Uint8Array(BLOCK_BYTES);

  of(key: Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
    const short = key.length > BLOCK_BYTES ? blake2s(key) : key;
    const inside = this.#digest(short, INNER_PAD, parts);
    const result = this.#digest(short, OUTER_PAD, [inside]);
    wipe(inside);
    wipe(this.#pad);
    return result;
  }

  #digest(key: Uint8Array, filling: number, parts: readonly Uint8Array[]): Uint8Array {
    const hash = this.#hash.restart();
    const pad = this.#pad;
    for (let i = 0; i < BLOCK_BYTES; i++) pad[i] = (key[i] ?? 0) ^ filling;
    hash.update(pad);
    for (const part of parts) hash.update(part);
    return hash.digest();
  }
}

const SHARED = new Hmac();
