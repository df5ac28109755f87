/**
 * The primitives that WireGuard takes from a library, as an injected dependency: io/sodium.ts in
 * production. BLAKE2s and HKDF are this folder's own (blake2s.ts, hkdf.ts). All lengths in bytes;
 * results are new arrays.
 */

export const KEY_BYTES = 32;
export const TAG_BYTES = 16;

/** What data messages are sealed with. */
export type Suite = 'chacha20-poly1305' | 'aes-256-gcm';

/** What one data message is sealed and opened with; it has no additional data. */
export interface MessageKey {
  readonly suite: Suite;
  readonly key: Uint8Array;
  /** The nonce's first four bytes, little-endian: 0 in WireGuard's own messages. */
  readonly prefix: number;
  /** Its other eight, little-endian. */
  readonly counter: bigint;
}

export interface CryptoSuite {
  /**
   * X25519 (RFC 7748 §5). Undefined when the result is all zero: `publicKey` was of low order (RFC
   * 7748 §6.1).
   */
  dh(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined;
  /** The X25519 public key of a private key. */
  publicKey(privateKey: Uint8Array): Uint8Array;
  /**
   * ChaCha20-Poly1305 (RFC 8439) with WireGuard's nonce: 4 zero bytes, then `counter`
   * little-endian. Ciphertext, tag.
   */
  seal(key: Uint8Array, counter: bigint, plaintext: Uint8Array, ad: Uint8Array): Uint8Array;
  /** Undefined when the tag does not match. */
  open(
    key: Uint8Array,
    counter: bigint,
    sealed: Uint8Array,
    ad: Uint8Array,
  ): Uint8Array | undefined;
  /** By any suite: ciphertext, tag. */
  sealMessage(by: MessageKey, plaintext: Uint8Array): Uint8Array;
  /** Undefined when the tag does not match. */
  openMessage(by: MessageKey, sealed: Uint8Array): Uint8Array | undefined;
  /** XChaCha20-Poly1305 with a 24-byte nonce, for cookie replies (WireGuard §5.4.7). */
  xseal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, ad: Uint8Array): Uint8Array;
  /** Undefined when the tag does not match. */
  xopen(
    key: Uint8Array,
    nonce: Uint8Array,
    sealed: Uint8Array,
    ad: Uint8Array,
  ): Uint8Array | undefined;
}
