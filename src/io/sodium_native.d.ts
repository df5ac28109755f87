/**
 * The part of sodium-native that heddle uses; the package has no types of its own. Every function
 * throws when it fails.
 */

declare module 'sodium-native' {
  type Encrypt = (
    c: Uint8Array,
    m: Uint8Array,
    ad: Uint8Array | null,
    nsec: null,
    npub: Uint8Array,
    k: Uint8Array,
  ) => number;
  type Decrypt = (
    m: Uint8Array,
    nsec: null,
    c: Uint8Array,
    ad: Uint8Array | null,
    npub: Uint8Array,
    k: Uint8Array,
  ) => number;
  interface Sodium {
    crypto_scalarmult(q: Uint8Array, n: Uint8Array, p: Uint8Array): void;
    crypto_scalarmult_base(q: Uint8Array, n: Uint8Array): void;
    crypto_sign_seed_keypair(pk: Uint8Array, sk: Uint8Array, seed: Uint8Array): void;
    crypto_sign_detached(sig: Uint8Array, m: Uint8Array, sk: Uint8Array): void;
    crypto_sign_verify_detached(sig: Uint8Array, m: Uint8Array, pk: Uint8Array): boolean;
    crypto_aead_chacha20poly1305_ietf_encrypt: Encrypt;
    crypto_aead_chacha20poly1305_ietf_decrypt: Decrypt;
    crypto_aead_xchacha20poly1305_ietf_encrypt: Encrypt;
    crypto_aead_xchacha20poly1305_ietf_decrypt: Decrypt;
  }
  const sodium: Sodium;
  export = sodium;
}
