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
  const short = key.length > BLOCK_BYTES ? blake2s(key) : key;
  const pad = new Uint8Array(BLOCK_BYTES);
  for (let i = 0; i < BLOCK_BYTES; i++) pad[i] = (short[i] ?? 0) ^ INNER_PAD;
  const inner = new Blake2s().update(pad);
  for (const part of parts) inner.update(part);
  for (let i = 0; i < BLOCK_BYTES; i++) pad[i] = (short[i] ?? 0) ^ OUTER_PAD;
  const result = blake2s(pad, inner.digest());
  wipe(pad);
  return result;
}

/** `count` keys of 32 bytes. */
export function hkdf(chainingKey: Uint8Array, input: Uint8Array, count: 1): [Uint8Array];
export function hkdf(
  chainingKey: Uint8Array,
  input: Uint8Array,
  count: 2,
): [Uint8Array, Uint8Array];
export function hkdf(
  chainingKey: Uint8Array,
  input: Uint8Array,
  count: 3,
): [Uint8Array, Uint8Array, Uint8Array];
export function hkdf(chainingKey: Uint8Array, input: Uint8Array, count: 1 | 2 | 3): Uint8Array[] {
  const secret = hmac(chainingKey, input);
  const keys: Uint8Array[] = [];
  let previous: Uint8Array = EMPTY;
  for (let ordinal = 1; ordinal <= count; ordinal++) {
    previous = expand(secret, previous, ordinal);
    keys.push(previous);
  }
  wipe(secret);
  return keys;
}

/** RFC 5869 §2.3: T(i) of T(i - 1). */
function expand(secret: Uint8Array, previous: Uint8Array, ordinal: number): Uint8Array {
  return hmac(secret, previous, Uint8Array.of(ordinal));
}

export function kdf1(chainingKey: Uint8Array, input: Uint8Array): [Uint8Array] {
  return hkdf(chainingKey, input, 1);
}

export function kdf2(chainingKey: Uint8Array, input: Uint8Array): [Uint8Array, Uint8Array] {
  return hkdf(chainingKey, input, 2);
}

export function kdf3(
  chainingKey: Uint8Array,
  input: Uint8Array,
): [Uint8Array, Uint8Array, Uint8Array] {
  return hkdf(chainingKey, input, 3);
}
