/** AES-256-GCM (NIST SP 800-38D) by node:crypto, without additional data. */

import { createCipheriv, createDecipheriv } from 'node:crypto';
import { concat } from '../base/bytes.js';
import { TAG_BYTES } from '../crypto/suite.js';

const ALGORITHM = 'aes-256-gcm';

/** Ciphertext, tag. 32-byte key, 12-byte nonce. */
export function sealAesGcm(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  const ciphertext = cipher.update(plaintext);
  return concat(ciphertext, cipher.final(), cipher.getAuthTag());
}

/** Undefined when the tag does not match. */
export function openAesGcm(
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  if (sealed.length < TAG_BYTES) return undefined;
  const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  const plaintext = decipher.update(sealed.subarray(0, -TAG_BYTES));
  try {
    return concat(plaintext, decipher.final());
  } catch {
    return undefined; // how node tells that the tag does not match
  }
}
