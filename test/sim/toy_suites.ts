/**
 * Cryptography for simulations: fast, the same on every machine, and NOT SECURE. What matters to
 * the cores holds: both ends of an exchange come to one secret, a sealed box opens by its key
 * alone, a signature is its author's. Anybody could forge all of it.
 */

import { concat, loadLe32, storeLe32 } from '../../src/base/bytes.js';
import type { SignatureSuite } from '../../src/crypto/signature.js';
import { type CryptoSuite, KEY_BYTES, type MessageKey, TAG_BYTES } from '../../src/crypto/suite.js';

/** A prime below 2^26, so that products are exact. */
const PRIME = 67_108_859;
const GENERATOR = [7, 11] as const;
const EMPTY = new Uint8Array(0);

export class ToyCrypto implements CryptoSuite {
  dh(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array {
    return pointOf(privateKey, [loadLe32(publicKey, 0), loadLe32(publicKey, 4)]);
  }

  publicKey(privateKey: Uint8Array): Uint8Array {
    return pointOf(privateKey, GENERATOR);
  }

  seal(key: Uint8Array, counter: bigint, plaintext: Uint8Array, ad: Uint8Array): Uint8Array {
    return concat(plaintext, digest(TAG_BYTES, Number(counter), key, ad, plaintext));
  }

  open(
    key: Uint8Array,
    counter: bigint,
    sealed: Uint8Array,
    ad: Uint8Array,
  ): Uint8Array | undefined {
    const plaintext = sealed.slice(0, Math.max(0, sealed.length - TAG_BYTES));
    const tag = digest(TAG_BYTES, Number(counter), key, ad, plaintext);
    return isSame(tag, sealed.subarray(plaintext.length)) ? plaintext : undefined;
  }

  sealMessage({ key, counter }: MessageKey, plaintext: Uint8Array): Uint8Array {
    return this.seal(key, counter, plaintext, EMPTY);
  }

  openMessage({ key, counter }: MessageKey, sealed: Uint8Array): Uint8Array | undefined {
    return this.open(key, counter, sealed, EMPTY);
  }

  xseal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, ad: Uint8Array): Uint8Array {
    return this.seal(concat(key, nonce), 0n, plaintext, ad);
  }

  xopen(
    key: Uint8Array,
    nonce: Uint8Array,
    sealed: Uint8Array,
    ad: Uint8Array,
  ): Uint8Array | undefined {
    return this.open(concat(key, nonce), 0n, sealed, ad);
  }
}

export class ToySignatures implements SignatureSuite {
  publicKeyOf(seed: Uint8Array): Uint8Array {
    return digest(32, 1, seed);
  }

  sign(seed: Uint8Array, message: Uint8Array): Uint8Array {
    return digest(64, 2, this.publicKeyOf(seed), message);
  }

  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
    return isSame(digest(64, 2, publicKey, message), signature);
  }
}

/** So many times the point, in two groups of numbers modulo a prime. */
function pointOf(privateKey: Uint8Array, point: readonly [number, number]): Uint8Array {
  const result = new Uint8Array(KEY_BYTES);
  for (const [i, each] of point.entries()) {
    const scalar = 1 + (loadLe32(privateKey, 8 + 4 * i) % (PRIME - 1));
    storeLe32(result, 4 * i, (scalar * (each % PRIME)) % PRIME);
  }
  return result;
}

/** `length` bytes that follow from all of `parts`: FNV-1a, and a mixer. */
function digest(length: number, start: number, ...parts: readonly Uint8Array[]): Uint8Array {
  let [low, high] = [0x811c9dc5 ^ start, 0x9e3779b9 ^ start];
  for (const part of parts) {
    for (let i = 0; i < part.length; i++) {
      low = Math.imul(low ^ (part[i] ?? 0), 0x01000193);
      high = Math.imul(high ^ low, 0x85ebca6b) ^ (high >>> 15);
    }
    low ^= part.length;
  }
  const result = new Uint8Array(length);
  for (let at = 0; at < length; at += 4) {
    low = Math.imul(low ^ (low >>> 16) ^ high, 0x7feb352d);
    high = Math.imul(high ^ (low >>> 15), 0x846ca68b);
    storeLe32(result, at, low ^ high);
  }
  return result;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
