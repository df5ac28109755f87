/**
 * MACs and cookies (WireGuard §5.4.4, §5.4.7), the receiver's side; peer_cookie.ts is the sender's.
 *
 * mac1, under a key that follows from the receiver's public key, shows that the sender knows whom
 * it talks to. The walk checks it before a message reaches the control plane, in both hands by this
 * rule, and nothing here checks it again. mac2, under a cookie, shows that the sender can receive
 * where it says it sends from: the cookie is a MAC of that address and port under a secret of ours
 * that is replaced after COOKIE_SECRET_MAX_AGE. Under load only: admission.ts.
 */

import type { Endpoint } from '../base/address.js';
import { constantTimeEqual, isZero, storeBe16 } from '../base/bytes.js';
import type { Random } from '../base/random.js';
import { after, type Instant } from '../base/time.js';
import { blake2s, blake2sMac, MAC_BYTES } from '../crypto/blake2s.js';
import type { CryptoSuite } from '../crypto/suite.js';
import { emitCookieReply, mac1Of, mac2Of, senderOf } from '../wire/wireguard.js';
import { COOKIE_SECRET_MAX_AGE } from './constants.js';

const SECRET_BYTES = 32;
const NONCE_BYTES = 24;

const MAC1_LABEL = Uint8Array.from('mac1----', (character) => character.charCodeAt(0));
const COOKIE_LABEL = Uint8Array.from('cookie--', (character) => character.charCodeAt(0));

/** The key of mac1 in messages to the owner of `publicKey`, 32 bytes. */
export function mac1Key(publicKey: Uint8Array): Uint8Array {
  return blake2s(MAC1_LABEL, publicKey);
}

/** The key that the owner of `publicKey` seals cookies with, 32 bytes. */
export function cookieKey(publicKey: Uint8Array): Uint8Array {
  return blake2s(COOKIE_LABEL, publicKey);
}

/** mac1 of an initiation or response: of everything before it. */
export function computeMac1(key: Uint8Array, datagram: Uint8Array): Uint8Array {
  return blake2sMac(key, datagram.subarray(0, datagram.length - 2 * MAC_BYTES));
}

/** mac2: of everything before it, mac1 too. */
export function computeMac2(cookie: Uint8Array, datagram: Uint8Array): Uint8Array {
  return blake2sMac(cookie, datagram.subarray(0, datagram.length - MAC_BYTES));
}

/** Whether an initiation or response, of the exact length of its type, carries the right mac1. */
export function checkMac1(key: Uint8Array, datagram: Uint8Array): boolean {
  return constantTimeEqual(computeMac1(key, datagram), mac1Of(datagram));
}

export class CookieChecker {
  readonly #crypto: CryptoSuite;
  readonly #random: Random;
  #key: Uint8Array = new Uint8Array(SECRET_BYTES);
  /** Of our other key: what is to it, and how it is answered. */
  #other: { readonly mac1Key: Uint8Array; readonly cookieKey: Uint8Array } | undefined;
  #secret: Uint8Array | undefined;
  #replacedAt: Instant | undefined;

  constructor(crypto: CryptoSuite, random: Random) {
    this.#crypto = crypto;
    this.#random = random;
  }

  /** Ours, and the other one while we have two. */
  setPublicKey(publicKey: Uint8Array, other?: Uint8Array): void {
    this.#key = cookieKey(publicKey);
    this.#other = other && { mac1Key: mac1Key(other), cookieKey: cookieKey(other) };
  }

  /** Whether the message carries a mac2 under the cookie that its source has from us now. */
  isMac2Valid(datagram: Uint8Array, source: Endpoint, now: Instant): boolean {
    const mac2 = mac2Of(datagram);
    if (isZero(mac2)) return false;
    return constantTimeEqual(computeMac2(this.#cookieFor(source, now), datagram), mac2);
  }

  /**
   * The 64-byte reply that gives the source its cookie, sealed for the sender of this message
   * alone, by whichever key of ours it is to.
   */
  createReply(datagram: Uint8Array, source: Endpoint, now: Instant): Uint8Array {
    const nonce = this.#random.bytes(NONCE_BYTES);
    const cookie = this.#cookieFor(source, now);
    const sealedCookie = this.#crypto.xseal(
      this.#keyFor(datagram),
      nonce,
      cookie,
      mac1Of(datagram),
    );
    return emitCookieReply({ receiver: senderOf(datagram), nonce, sealedCookie });
  }

  #keyFor(datagram: Uint8Array): Uint8Array {
    const other = this.#other;
    return other && checkMac1(other.mac1Key, datagram) ? other.cookieKey : this.#key;
  }

  #cookieFor(source: Endpoint, now: Instant): Uint8Array {
    const port = new Uint8Array(2);
    storeBe16(port, 0, source.port);
    return blake2sMac(this.#secretAt(now), source.address.bytes, port);
  }

  #secretAt(now: Instant): Uint8Array {
    const isFresh =
      this.#replacedAt !== undefined && now < after(this.#replacedAt, COOKIE_SECRET_MAX_AGE);
    if (this.#secret && isFresh) return this.#secret;
    this.#replacedAt = now;
    this.#secret = this.#random.bytes(SECRET_BYTES);
    return this.#secret;
  }
}
