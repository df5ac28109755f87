/**
 * Who the peer is: its public key, the preshared key, and what follows from them. What costs a
 * Diffie-Hellman or a hash is made at first use and kept, so that a peer nobody talks to takes
 * little room and a start with many peers takes little time.
 */

import { copySecret, equal, wipe } from '../base/bytes.js';
import { type CryptoSuite, KEY_BYTES } from '../crypto/suite.js';
import type { StaticKeys } from './handshake.js';
import { PeerCookie } from './peer_cookie.js';

/** The preshared key of those who have none. Shared, so it is never wiped. */
const NO_PRESHARED_KEY = new Uint8Array(KEY_BYTES);

export class Remote {
  #publicKey: Uint8Array;
  #presharedKey: Uint8Array = NO_PRESHARED_KEY;
  #staticStatic: Uint8Array | 'low_order' | undefined;
  /** Which of our keys that is with. */
  #ours: StaticKeys | undefined;
  #cookie: PeerCookie | undefined;

  constructor(publicKey: Uint8Array) {
    this.#publicKey = publicKey;
  }

  /** 32 bytes, borrowed. */
  get publicKey(): Uint8Array {
    return this.#publicKey;
  }

  /** The peer goes by another key: what follows from it is made anew. */
  setPublicKey(publicKey: Uint8Array): void {
    if (equal(publicKey, this.#publicKey)) return;
    this.#publicKey = publicKey;
    this.#cookie = undefined;
    this.forgetStaticStatic();
  }

  get presharedKey(): Uint8Array {
    return this.#presharedKey;
  }

  /** Keeps a copy; undefined is none. */
  setPresharedKey(key: Uint8Array | undefined): void {
    if (this.#presharedKey !== NO_PRESHARED_KEY) wipe(this.#presharedKey);
    this.#presharedKey = key ? copySecret(key) : NO_PRESHARED_KEY;
  }

  /**
   * DH(our static key, the peer's), 32 bytes; undefined when the peer's public key is of low order.
   */
  staticStatic(crypto: CryptoSuite, ours: StaticKeys): Uint8Array | undefined {
    if (this.#ours !== ours) this.forgetStaticStatic();
    this.#ours = ours;
    this.#staticStatic ??= crypto.dh(ours.privateKey, this.#publicKey) ?? 'low_order';
    return this.#staticStatic === 'low_order' ? undefined : this.#staticStatic;
  }

  get cookie(): PeerCookie {
    this.#cookie ??= new PeerCookie(this.#publicKey);
    return this.#cookie;
  }

  /** Our own static key changed, or goes. */
  forgetStaticStatic(): void {
    if (this.#staticStatic instanceof Uint8Array) wipe(this.#staticStatic);
    this.#staticStatic = undefined;
  }
}
