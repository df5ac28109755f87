/**
 * An attempt to make a session as initiator: since when there is one, what it is for, and when its
 * next initiation may go. Own handshake messages are REKEY_TIMEOUT apart, but for the initiations
 * to a peer of heddle's protocol that had no answer: after EARLY_RETRY follows the next, after
 * twice that another, and so on up to REKEY_TIMEOUT. One that only control messages wait for ends
 * CONTROL_ATTEMPT_TIME after the last of them came, that none is dropped which was hardly tried.
 */

import { after, type Duration, earliest, type Instant, micros } from '../base/time.js';
import {
  CONTROL_ATTEMPT_TIME,
  EARLY_RETRY,
  REKEY_ATTEMPT_TIME,
  REKEY_TIMEOUT,
} from './constants.js';

export class Attempt {
  #since: Instant | undefined;
  #isLost = false;
  #isForControl = false;
  /** When somebody wanted it last. */
  #wantedAt: Instant | undefined;
  #initiations = 0;
  /** Our last initiation or response, and how long none may follow it. */
  #sentAt: Instant | undefined;
  #gap: Duration = REKEY_TIMEOUT;

  get isUnderWay(): boolean {
    return this.#since !== undefined;
  }

  /** The session in use is not answered any more: the one to be made takes its place at once. */
  get isLost(): boolean {
    return this.#isLost;
  }

  begin(why: 'data' | 'control' | 'lost', now: Instant): void {
    this.#since = now;
    this.#isLost = why === 'lost';
    this.#isForControl = why === 'control';
    this.#wantedAt = now;
    this.#initiations = 0;
  }

  end(): void {
    this.#since = undefined;
  }

  /** Data waits for it too, whatever it was begun for. */
  wantedForData(): void {
    this.#isForControl = false;
  }

  /** One more control message waits for it. */
  wantedForControl(now: Instant): void {
    this.#wantedAt = now;
  }

  /** Another initiation is to go: how long its answer is waited for, without jitter. */
  nextGap(isHeddle: boolean): Duration {
    const early = micros(Math.min(EARLY_RETRY * 2 ** this.#initiations++, REKEY_TIMEOUT));
    return isHeddle ? early : REKEY_TIMEOUT;
  }

  initiated(gap: Duration, now: Instant): void {
    this.#sentAt = now;
    this.#gap = gap;
  }

  /** There is a session by our last initiation: no other need follow soon. */
  answered(): void {
    this.#gap = REKEY_TIMEOUT;
  }

  responded(now: Instant): void {
    this.#sentAt = now;
    this.#gap = REKEY_TIMEOUT;
  }

  /** What was sent was by a key that is ours no longer: the next need not wait. */
  forgetSent(): void {
    this.#sentAt = undefined;
  }

  /** Before which no initiation may go; undefined: it may. */
  blockedUntil(now: Instant): Instant | undefined {
    if (this.#sentAt === undefined) return undefined;
    const nextAt = after(this.#sentAt, this.#gap);
    return now < nextAt ? nextAt : undefined;
  }

  /** When it ends at the latest. */
  giveUpAt(now: Instant): Instant {
    const end = after(this.#since ?? now, REKEY_ATTEMPT_TIME);
    if (!this.#isForControl) return end;
    return earliest(end, after(this.#wantedAt ?? now, CONTROL_ATTEMPT_TIME));
  }

  isOver(now: Instant): boolean {
    return this.#since !== undefined && now >= this.giveUpAt(now);
  }
}
