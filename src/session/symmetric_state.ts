/**
 * Noise's symmetric state (Noise §5.2) with BLAKE2s and ChaCha20-Poly1305: a hash of everything
 * said so far, a chaining key of every secret so far, and the key that the last secret gave. In
 * IKpsk2 with WireGuard's messages each such key seals one field at most, so its nonce is always
 * zero; it is wiped when used, which makes a second use impossible.
 */

import { assert } from '../base/assert.js';
import { wipe } from '../base/bytes.js';
import { blake2s, HASH_BYTES } from '../crypto/blake2s.js';
import { kdf1, kdf2, kdf3 } from '../crypto/hkdf.js';
import type { CryptoSuite } from '../crypto/suite.js';

const EMPTY = new Uint8Array(0);

export class SymmetricState {
  readonly #chainingKey = new Uint8Array(HASH_BYTES);
  readonly #hash = new Uint8Array(HASH_BYTES);
  #key: Uint8Array | undefined;

  private constructor(chainingKey: Uint8Array, transcript: Uint8Array) {
    this.#chainingKey.set(chainingKey);
    this.#hash.set(transcript);
  }

  /** InitializeSymmetric: of a protocol name in ASCII, which is longer than a hash. */
  static named(protocolName: Uint8Array): SymmetricState {
    assert(protocolName.length > HASH_BYTES, 'the protocol name is hashed, not padded');
    const start = blake2s(protocolName);
    return new SymmetricState(start, start);
  }

  /** A copy that goes its own way. */
  clone(): SymmetricState {
    const copy = new SymmetricState(this.#chainingKey, this.#hash);
    copy.#key = this.#key?.slice();
    return copy;
  }

  /** A copy of h, 32 bytes: names this handshake when it is complete. */
  transcript(): Uint8Array {
    return this.#hash.slice();
  }

  mixHash(bytes: Uint8Array): void {
    this.#hash.set(blake2s(this.#hash, bytes));
  }

  /**
   * Takes in a secret, or an ephemeral public key as psk handshakes do; `secret` stays the caller's
   * to wipe.
   */
  mixKey(secret: Uint8Array): void {
    const [chainingKey, key] = kdf2(this.#chainingKey, secret);
    this.#chain(chainingKey, key);
  }

  /** Takes in a preshared key. */
  mixKeyAndHash(presharedKey: Uint8Array): void {
    const [chainingKey, mixed, key] = kdf3(this.#chainingKey, presharedKey);
    this.#chain(chainingKey, key);
    this.mixHash(mixed);
    wipe(mixed);
  }

  /** Ciphertext and 16-byte tag. */
  encryptAndHash(crypto: CryptoSuite, plaintext: Uint8Array): Uint8Array {
    const key = this.#takeKey();
    const sealed = crypto.seal(key, 0n, plaintext, this.#hash);
    wipe(key);
    this.mixHash(sealed);
    return sealed;
  }

  /** Undefined when it does not authenticate; the state is then of no more use. */
  decryptAndHash(crypto: CryptoSuite, sealed: Uint8Array): Uint8Array | undefined {
    const key = this.#takeKey();
    const plaintext = crypto.open(key, 0n, sealed, this.#hash);
    wipe(key);
    if (plaintext) this.mixHash(sealed);
    return plaintext;
  }

  /** The two transport keys, 32 bytes each: first for what the initiator sends. */
  split(): { readonly initiatorKey: Uint8Array; readonly responderKey: Uint8Array } {
    const [initiatorKey, responderKey] = kdf2(this.#chainingKey, EMPTY);
    return { initiatorKey, responderKey };
  }

  /** A secret of 32 bytes beside the transport keys, for what `label` names (lane_keys.ts). */
  exporter(label: Uint8Array): Uint8Array {
    return kdf1(this.#chainingKey, label);
  }

  wipe(): void {
    wipe(this.#chainingKey);
    wipe(this.#hash);
    if (this.#key) wipe(this.#key);
    this.#key = undefined;
  }

  #chain(chainingKey: Uint8Array, key: Uint8Array): void {
    this.#chainingKey.set(chainingKey);
    wipe(chainingKey);
    if (this.#key) wipe(this.#key);
    this.#key = key;
  }

  #takeKey(): Uint8Array {
    const key = this.#key;
    assert(key !== undefined, 'a key seals one field');
    this.#key = undefined;
    return key;
  }
}
