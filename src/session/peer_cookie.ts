/**
 * MACs and cookies, the sender's side (WireGuard §5.4.4, §5.4.7): what one peer needs to see at the
 * end of our messages, and the cookie it gave us, if it did.
 *
 * A cookie reply is taken only while a message of ours awaits one: it must open under that
 * message's mac1, and then nothing awaits one until the next message. The cookie goes into mac2 for
 * COOKIE_USE_TIME; the message that drew the reply is not repeated for it, the next one in turn
 * carries it (§6.6).
 */

import { after, type Instant } from '../base/time.js';
import type { CryptoSuite } from '../crypto/suite.js';
import { nonceOf, sealedCookieOf, setMac1, setMac2 } from '../wire/wireguard.js';
import { COOKIE_USE_TIME } from './constants.js';
import { computeMac1, computeMac2, cookieKey, mac1Key } from './cookie.js';
import type { HandshakeDrop } from './handshake_drop.js';

export class PeerCookie {
  readonly #mac1Key: Uint8Array;
  readonly #cookieKey: Uint8Array;
  /** mac1 of our last message, while no reply to it came. */
  #awaiting: Uint8Array | undefined;
  #cookie: { readonly bytes: Uint8Array; readonly receivedAt: Instant } | undefined;

  constructor(publicKey: Uint8Array) {
    this.#mac1Key = mac1Key(publicKey);
    this.#cookieKey = cookieKey(publicKey);
  }

  /**
   * Writes both MACs into an initiation or response to the peer; mac2 stays zero without a usable
   * cookie.
   */
  stamp(datagram: Uint8Array, now: Instant): void {
    const mac1 = computeMac1(this.#mac1Key, datagram);
    setMac1(datagram, mac1);
    this.#awaiting = mac1;
    const cookie = this.#cookie;
    if (cookie && now < after(cookie.receivedAt, COOKIE_USE_TIME)) {
      setMac2(datagram, computeMac2(cookie.bytes, datagram));
    }
  }

  /** Takes a cookie reply; returns why it comes to nothing, if it does. */
  consume(crypto: CryptoSuite, datagram: Uint8Array, now: Instant): HandshakeDrop | undefined {
    if (!this.#awaiting) return 'cookie_unasked';
    const sealed = sealedCookieOf(datagram);
    const bytes = crypto.xopen(this.#cookieKey, nonceOf(datagram), sealed, this.#awaiting);
    if (!bytes) return 'cookie_tag';
    this.#cookie = { bytes, receivedAt: now };
    this.#awaiting = undefined;
    return undefined;
  }
}
