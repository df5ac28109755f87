/**
 * The primitives of crypto/suite.ts by libsodium, through sodium-native; AES-256-GCM by Node's own
 * OpenSSL, because libsodium has it only where the processor does.
 */

import sodium from 'sodium-native';
import { assert } from '../base/assert.js';
import { isZero, storeLe32, storeLe64 } from '../base/bytes.js';
import { type CryptoSuite, KEY_BYTES, type MessageKey, TAG_BYTES } from '../crypto/suite.js';
import { openAesGcm, sealAesGcm } from './aes_gcm.js';

const NONCE_BYTES = 12;
const XNONCE_BYTES = 24;
const COUNTER_AT = 4;
const EMPTY = new Uint8Array(0);

export class SodiumSuite implements CryptoSuite {
  dh(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
    assertLength('private key', privateKey, KEY_BYTES);
    assertLength('public key', publicKey, KEY_BYTES);
    const shared = new Uint8Array(KEY_BYTES);
    // libsodium refuses points of low order itself; nothing else makes it throw, lengths are right.
    const isComputed = succeeds(() => sodium.crypto_scalarmult(shared, privateKey, publicKey));
    return isComputed && !isZero(shared) ? shared : undefined;
  }

  publicKey(privateKey: Uint8Array): Uint8Array {
    assertLength('private key', privateKey, KEY_BYTES);
    const point = new Uint8Array(KEY_BYTES);
    sodium.crypto_scalarmult_base(point, privateKey);
    return point;
  }

  seal(key: Uint8Array, counter: bigint, plaintext: Uint8Array, ad: Uint8Array): Uint8Array {
    return this.sealIetf(key, nonceOf(0, counter), plaintext, ad);
  }

  open(
    key: Uint8Array,
    counter: bigint,
    sealed: Uint8Array,
    ad: Uint8Array,
  ): Uint8Array | undefined {
    return this.openIetf(key, nonceOf(0, counter), sealed, ad);
  }

  sealMessage({ suite, key, prefix, counter }: MessageKey, plaintext: Uint8Array): Uint8Array {
    const nonce = nonceOf(prefix, counter);
    if (suite === 'chacha20-poly1305') return this.sealIetf(key, nonce, plaintext, EMPTY);
    assertLength('key', key, KEY_BYTES);
    return sealAesGcm(key, nonce, plaintext);
  }

  openMessage(
    { suite, key, prefix, counter }: MessageKey,
    sealed: Uint8Array,
  ): Uint8Array | undefined {
    const nonce = nonceOf(prefix, counter);
    if (suite === 'chacha20-poly1305') return this.openIetf(key, nonce, sealed, EMPTY);
    assertLength('key', key, KEY_BYTES);
    return openAesGcm(key, nonce, sealed);
  }

  /** `seal` with any 12-byte nonce (RFC 8439 §2.8). */
  sealIetf(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, ad: Uint8Array): Uint8Array {
    return sealWith(IETF, { key, nonce, ad }, plaintext);
  }

  /** `open` with any 12-byte nonce. */
  openIetf(
    key: Uint8Array,
    nonce: Uint8Array,
    sealed: Uint8Array,
    ad: Uint8Array,
  ): Uint8Array | undefined {
    return openWith(IETF, { key, nonce, ad }, sealed);
  }

  xseal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, ad: Uint8Array): Uint8Array {
    return sealWith(EXTENDED, { key, nonce, ad }, plaintext);
  }

  xopen(
    key: Uint8Array,
    nonce: Uint8Array,
    sealed: Uint8Array,
    ad: Uint8Array,
  ): Uint8Array | undefined {
    return openWith(EXTENDED, { key, nonce, ad }, sealed);
  }
}

interface Aead {
  readonly nonceBytes: number;
  readonly encrypt: typeof sodium.crypto_aead_chacha20poly1305_ietf_encrypt;
  readonly decrypt: typeof sodium.crypto_aead_chacha20poly1305_ietf_decrypt;
}

const IETF: Aead = {
  nonceBytes: NONCE_BYTES,
  encrypt: sodium.crypto_aead_chacha20poly1305_ietf_encrypt,
  decrypt: sodium.crypto_aead_chacha20poly1305_ietf_decrypt,
};

/** With a nonce long enough to be drawn at random. */
const EXTENDED: Aead = {
  nonceBytes: XNONCE_BYTES,
  encrypt: sodium.crypto_aead_xchacha20poly1305_ietf_encrypt,
  decrypt: sodium.crypto_aead_xchacha20poly1305_ietf_decrypt,
};

/** What both sides of a message have in common. */
interface Shared {
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly ad: Uint8Array;
}

function sealWith(aead: Aead, { key, nonce, ad }: Shared, plaintext: Uint8Array): Uint8Array {
  assertLength('key', key, KEY_BYTES);
  assertLength('nonce', nonce, aead.nonceBytes);
  const sealed = new Uint8Array(plaintext.length + TAG_BYTES);
  aead.encrypt(sealed, plaintext, ad, null, nonce, key);
  return sealed;
}

function openWith(
  aead: Aead,
  { key, nonce, ad }: Shared,
  sealed: Uint8Array,
): Uint8Array | undefined {
  assertLength('key', key, KEY_BYTES);
  assertLength('nonce', nonce, aead.nonceBytes);
  if (sealed.length < TAG_BYTES) return undefined;
  const plaintext = new Uint8Array(sealed.length - TAG_BYTES);
  const isAuthentic = succeeds(() => aead.decrypt(plaintext, null, sealed, ad, nonce, key));
  return isAuthentic ? plaintext : undefined;
}

/** The prefix, which WireGuard has as 0 (§5.4.6), then the counter, little-endian. */
function nonceOf(prefix: number, counter: bigint): Uint8Array {
  const nonce = new Uint8Array(NONCE_BYTES);
  storeLe32(nonce, 0, prefix);
  storeLe64(nonce, COUNTER_AT, counter);
  return nonce;
}

/** sodium-native throws where libsodium returns -1, which is an outcome here. */
function succeeds(call: () => unknown): boolean {
  try {
    call();
    return true;
  } catch {
    return false;
  }
}

function assertLength(what: string, bytes: Uint8Array, length: number): void {
  assert(bytes.length === length, `a ${what} has ${length} bytes`);
}
