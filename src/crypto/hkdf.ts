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

/** Two keys of 32 bytes. */
export function kdf2(chainingKey: Uint8Array, input: Uint8Array): [Uint8Array, Uint8Array] {
  const secret = hmac(chainingKey, input);
  const first = expand(secret, EMPTY, 1);
  const second = expand(secret, first, 2);
  wipe(secret);
  return [first, second];
}

/** Three keys of 32 bytes. */
export function kdf3(
  chainingKey: Uint8Array,
  input: Uint8Array,
): [Uint8Array, Uint8Array, Uint8Array] {
  const secret = hmac(chainingKey, input);
  const first = expand(secret, EMPTY, 1);
  const second = expand(secret, first, 2);
  const third = expand(secret, second, 3);
  wipe(secret);
  return [first, second, third];
}

/** RFC 5869 §2.3: T(i) of T(i - 1). */
function expand(secret: Uint8Array, previous: Uint8Array, ordinal: number): Uint8Array {
  return hmac(secret, previous, Uint8Array.of(ordinal));
}
