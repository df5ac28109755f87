/** Ed25519 by libsodium. */

import sodium from 'sodium-native';
import { assert } from '../base/assert.js';
import { wipe } from '../base/bytes.js';
import {
  SEED_BYTES,
  SIGNATURE_BYTES,
  type SignatureSuite,
  VERIFY_KEY_BYTES,
} from '../crypto/signature.js';

const SECRET_KEY_BYTES = 64;

/**
 * libsodium verifies as RFC 8032 §5.1.7 asks, and refuses besides: scalars that are not canonical,
 * keys that are not, and points of small order.
 */
export class SodiumSignatures implements SignatureSuite {
  publicKeyOf(seed: Uint8Array): Uint8Array {
    const { publicKey, secretKey } = pairOf(seed);
    wipe(secretKey);
    return publicKey;
  }

  sign(seed: Uint8Array, message: Uint8Array): Uint8Array {
    const { secretKey } = pairOf(seed);
    const signature = new Uint8Array(SIGNATURE_BYTES);
    sodium.crypto_sign_detached(signature, message, secretKey);
    wipe(secretKey);
    return signature;
  }

  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
    if (publicKey.length !== VERIFY_KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
    return sodium.crypto_sign_verify_detached(signature, message, publicKey);
  }
}

function pairOf(seed: Uint8Array): { publicKey: Uint8Array; secretKey: Uint8Array } {
  assert(seed.length === SEED_BYTES, 'a seed has 32 bytes');
  const publicKey = new Uint8Array(VERIFY_KEY_BYTES);
  const secretKey = new Uint8Array(SECRET_KEY_BYTES);
  sodium.crypto_sign_seed_keypair(publicKey, secretKey, seed);
  return { publicKey, secretKey };
}
