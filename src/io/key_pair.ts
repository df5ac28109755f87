/** Keys for the command and the configuration: X25519 and preshared keys from the system's randomness. */

import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';
import { present } from '../base/assert.js';

const KEY_BYTES = 32;
/** RFC 8410 §7: PrivateKeyInfo of an X25519 key; the key itself follows. */
const PKCS8_HEAD = Uint8Array.from([
  0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x04, 0x22, 0x04, 0x20,
]);

/** 32 fresh bytes, clamped (RFC 7748 §5). */
export function generatePrivateKey(): Uint8Array {
  const key = generatePresharedKey();
  key[0] = (key[0] ?? 0) & 0xf8;
  key[31] = ((key[31] ?? 0) & 0x7f) | 0x40;
  return key;
}

/** 32 fresh bytes. */
export function generatePresharedKey(): Uint8Array {
  return new Uint8Array(randomBytes(KEY_BYTES));
}

/** The X25519 public key of a private key of 32 bytes. */
export function publicKeyOf(privateKey: Uint8Array): Uint8Array {
  const der = Buffer.concat([PKCS8_HEAD, privateKey]);
  const key = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
  der.fill(0);
  const point = present(key.export({ format: 'jwk' }).x, 'an X25519 key has an x');
  return new Uint8Array(Buffer.from(point, 'base64url'));
}
