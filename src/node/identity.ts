/**
 * Our own static keys, shared with the session cores. They come from the configuration and from the
 * mesh, whose come first; handshakes are made by the first, and answered by all. A key that stays
 * keeps its object, so that what was made with it can still be told.
 */

import { copySecret, equal, isZero, wipe } from '../base/bytes.js';
import type { CryptoSuite } from '../crypto/suite.js';
import { checkMac1, mac1Key } from '../session/cookie.js';
import type { StaticKeys } from '../session/handshake.js';

/** What the walk checks mac1 by: one, or two while a key changes. */
export const KEYS_LIMIT = 2;

interface OwnKeys extends StaticKeys {
  readonly mac1Key: Uint8Array;
}

export class Identity {
  readonly #crypto: CryptoSuite;
  #configured: Uint8Array | undefined;
  #ofMesh: readonly Uint8Array[] = [];
  #all: readonly OwnKeys[] = [];

  constructor(crypto: CryptoSuite) {
    this.#crypto = crypto;
  }

  /** The first. */
  get keys(): StaticKeys | undefined {
    return this.#all[0];
  }

  /** 32 bytes each, in the order of the keys. */
  publicKeys(): readonly Uint8Array[] {
    return this.#all.map((keys) => keys.publicKey);
  }

  /** 32 bytes each, in the order of the keys. */
  mac1Keys(): readonly Uint8Array[] {
    return this.#all.map((keys) => keys.mac1Key);
  }

  /** Which of ours an initiation is to; undefined: to none. */
  keysFor(datagram: Uint8Array): StaticKeys | undefined {
    if (this.#all.length <= 1) return this.#all[0];
    return this.#all.find((keys) => checkMac1(keys.mac1Key, datagram));
  }

  /** Takes a copy of the key, all zeros for none; true when it is another than before. */
  adopt(privateKey: Uint8Array): boolean {
    const before = this.#configured;
    const isNone = isZero(privateKey);
    if (before ? equal(before, privateKey) : isNone) return false;
    this.#configured = isNone ? undefined : copySecret(privateKey);
    this.#build();
    if (before) wipe(before);
    return true;
  }

  /** Takes copies; true when the keys are others, or in another order. */
  adoptOfMesh(privateKeys: readonly Uint8Array[]): boolean {
    const before = this.#ofMesh;
    const isSame =
      before.length === privateKeys.length &&
      before.every((key, i) => equal(key, privateKeys[i] ?? key.subarray(1)));
    if (isSame) return false;
    this.#ofMesh = privateKeys.map(copySecret);
    this.#build();
    for (const key of before) wipe(key);
    return true;
  }

  forget(): void {
    for (const key of [...this.#ofMesh, ...(this.#configured ? [this.#configured] : [])]) wipe(key);
    this.#configured = undefined;
    this.#ofMesh = [];
    this.#build();
  }

  #build(): void {
    const before = this.#all;
    const wanted: OwnKeys[] = [];
    for (const key of [...this.#ofMesh, ...(this.#configured ? [this.#configured] : [])]) {
      if (wanted.length === KEYS_LIMIT) break;
      if (wanted.some(({ privateKey }) => equal(privateKey, key))) continue;
      const known = before.find(({ privateKey }) => equal(privateKey, key));
      wanted.push(known ?? this.#keysOf(key));
    }
    this.#all = wanted;
    for (const keys of before) if (!wanted.includes(keys)) wipe(keys.privateKey);
  }

  #keysOf(key: Uint8Array): OwnKeys {
    const privateKey = copySecret(key);
    const publicKey = this.#crypto.publicKey(privateKey);
    return { privateKey, publicKey, mac1Key: mac1Key(publicKey) };
  }
}
