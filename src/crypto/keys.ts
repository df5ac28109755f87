/** Keys as text and as fresh randomness: 32 bytes, base64 with padding, as wg writes them. */

import { copySecret, fromBase64, toBase64, wipe } from '../base/bytes.js';
import type { Random } from '../base/random.js';
import { KEY_BYTES } from './suite.js';

/** Undefined unless `text` is the canonical base64 of 32 bytes. */
export function parseKey(text: string): Uint8Array | undefined {
  const key = fromBase64(text);
  return key?.length === KEY_BYTES ? key : undefined;
}

/** As parseKey, for a key that is wiped when it is no longer used. */
export function parseSecretKey(text: string): Uint8Array | undefined {
  const parsed = parseKey(text);
  if (!parsed) return undefined;
  const key = copySecret(parsed);
  wipe(parsed);
  return key;
}

/** 44 characters. */
export function formatKey(key: Uint8Array): string {
  return toBase64(key);
}

/** RFC 7748 §5: the scalar that X25519 uses for this private key, in place. */
export function clamp(key: Uint8Array): void {
  key[0] = (key[0] ?? 0) & 0xf8;
  key[31] = ((key[31] ?? 0) & 0x7f) | 0x40;
}

/** Clamped. */
export function generatePrivateKey(random: Random): Uint8Array {
  const key = random.bytes(KEY_BYTES);
  clamp(key);
  return key;
}

export function generatePresharedKey(random: Random): Uint8Array {
  return random.bytes(KEY_BYTES);
}
