/**
 * Which handshake messages are worth a Diffie-Hellman (WireGuard §5.3). That mac1 is right was
 * checked by the walk, in both hands, before a message got here: `checkMac1` in cookie.ts is the
 * one place that says how.
 *
 * Not under load, every message is admitted and mac2 means nothing. Under load, a message without a
 * valid mac2 is answered with a cookie reply, 64 bytes for its 148 or 92, and one with it is
 * admitted as often as its source may ask. We are under load while the queue of handshake messages
 * is an eighth full, and for a second after.
 *
 * Nothing is kept about a source until it has shown by its mac2 that it receives what is sent to
 * it.
 */

import type { Endpoint } from '../base/address.js';
import type { Random } from '../base/random.js';
import { after, type Instant, instant } from '../base/time.js';
import type { CryptoSuite } from '../crypto/suite.js';
import { UNDER_LOAD_FRACTION, UNDER_LOAD_TIME } from './constants.js';
import { CookieChecker } from './cookie.js';
import type { HandshakeDrop } from './handshake_drop.js';
import { RateLimiter } from './rate_limiter.js';

export interface AdmissionParts {
  readonly crypto: CryptoSuite;
  readonly random: Random;
  /** How many handshake messages the queue holds. */
  readonly queueLength: number;
}

/** A handshake message as it waits to be admitted. */
export interface Applicant {
  readonly datagram: Uint8Array;
  readonly source: Endpoint;
  /** Messages waiting behind it. */
  readonly queued: number;
}

export type Admitted =
  | { readonly kind: 'admitted' }
  | { readonly kind: 'answered'; readonly reply: Uint8Array }
  | { readonly kind: 'dropped'; readonly reason: HandshakeDrop };

export class Admission {
  readonly #checker: CookieChecker;
  readonly #limiter: RateLimiter;
  readonly #threshold: number;
  #underLoadUntil: Instant = instant(0);

  constructor(parts: AdmissionParts) {
    this.#checker = new CookieChecker(parts.crypto, parts.random);
    this.#limiter = new RateLimiter(parts.random);
    this.#threshold = parts.queueLength / UNDER_LOAD_FRACTION;
  }

  /** Ours, and the other one while we have two: cookie replies are sealed with what follows. */
  setPublicKey(publicKey: Uint8Array, other?: Uint8Array): void {
    this.#checker.setPublicKey(publicKey, other);
  }

  isUnderLoad(now: Instant): boolean {
    return now < this.#underLoadUntil;
  }

  /** Judges an initiation or a response. */
  admit(applicant: Applicant, now: Instant): Admitted {
    const { datagram, source, queued } = applicant;
    if (queued >= this.#threshold) this.#underLoadUntil = after(now, UNDER_LOAD_TIME);
    if (!this.isUnderLoad(now)) return { kind: 'admitted' };
    if (!this.#checker.isMac2Valid(datagram, source, now)) {
      return { kind: 'answered', reply: this.#checker.createReply(datagram, source, now) };
    }
    const answer = this.#limiter.ask(source.address, now);
    return answer === 'allowed' ? { kind: 'admitted' } : { kind: 'dropped', reason: answer };
  }
}
