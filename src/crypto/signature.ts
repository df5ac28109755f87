/**
 * Signatures as an injected dependency: Ed25519 (RFC 8032 §5.1) by io/sodium_signatures.ts in
 * production. All lengths in bytes; results are new arrays.
 */

export const SIGNATURE_BYTES = 64;
/** Of a private key as it is kept (RFC 8032 calls it the private key; libsodium the seed). */
export const SEED_BYTES = 32;
/** Of a public key. */
export const VERIFY_KEY_BYTES = 32;

export interface SignatureSuite {
  /** The public key of a seed. */
  publicKeyOf(seed: Uint8Array): Uint8Array;
  sign(seed: Uint8Array, message: Uint8Array): Uint8Array;
  /** False for keys of small order and for encodings that are not canonical, too. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
}
