/**
 * The key that a joiner makes its first session by: it follows from the secret in the join line and
 * from which of the invitation's uses is taken. Members know the public halves from the record.
 */

import { clamp } from '../crypto/keys.js';
import { hmac } from '../crypto/hkdf.js';

const LABEL = new TextEncoder().encode('heddle invitation 1');

/** X25519 private key, 32 bytes, clamped: HMAC-BLAKE2s(seed, label || use). */
export function invitationKey(seed: Uint8Array, use: number): Uint8Array {
  const key = hmac(seed, LABEL, Uint8Array.of(use));
  clamp(key);
  return key;
}
