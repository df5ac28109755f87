/**
 * The timers of one peer (WireGuard §6; kernel timers.c), as five named deadlines.
 *
 * retransmitHandshake  an initiation had no answer for as long as attempt.ts says, and jitter
 * sendKeepalive        data came, and nothing went back for KEEPALIVE_TIMEOUT (§6.5)
 * newHandshake         data went, and nothing came back for SILENCE_TIMEOUT and jitter (§6.5)
 * persistentKeepalive  nothing went either way for the configured interval
 * zeroKeyMaterial      no new session for 540 s (§6.3)
 *
 * The second to fourth depend on data packets, which this core never sees. The walk keeps four
 * instants a peer (Activity) and raises an event when data begins to await an answer; from it these
 * deadlines are set. When one is due, the instants are asked for, and only the answer decides: what
 * looked unanswered when the deadline was set may have been answered since. A deadline that is no
 * longer set while its cause stands is thus one that fired. The event is raised once each way until
 * the instants are asked for, so every event that was not asked for leads to one asking,
 * KEEPALIVE_TIMEOUT later at least.
 */

import { Deadlines } from '../base/deadlines.js';
import {
  after,
  type Duration,
  earliest,
  type Instant,
  instant,
  latest,
  micros,
} from '../base/time.js';
import type { Random } from '../base/random.js';
import {
  KEEPALIVE_TIMEOUT,
  REKEY_TIMEOUT_JITTER,
  SILENCE_TIMEOUT,
  ZERO_KEYS_AFTER_TIME,
} from './constants.js';

const TIMERS = [
  'retransmitHandshake',
  'sendKeepalive',
  'newHandshake',
  'persistentKeepalive',
  'zeroKeyMaterial',
] as const;

export type Timer = (typeof TIMERS)[number];

/**
 * When the peer's traffic happened, as the walk tells it (Activity in datapath/tables.ts); 0 is
 * never.
 */
export interface Traffic {
  readonly lastSent: Instant;
  readonly lastReceived: Instant;
  readonly unansweredSend: Instant;
  readonly unansweredReceive: Instant;
}

/** What the peer's traffic makes due. */
export interface Verdict {
  /** The peer's data has not been answered: a keepalive must go. */
  readonly isOwed: boolean;
  /** Our data has not been answered: a new handshake must be tried. */
  readonly isSilent: boolean;
  /** The persistent keepalive must go. */
  readonly isPersistentDue: boolean;
}

const NONE: Instant = instant(0);

export class SessionTimers {
  readonly #random: Random;
  readonly #deadlines = new Deadlines<Timer>(TIMERS);
  #interval: Duration | undefined;
  /** The unanswered data that sendKeepalive and newHandshake were set for; 0 when none. */
  #owedSince = NONE;
  #silentSince = NONE;
  #asked = false;

  constructor(random: Random) {
    this.#random = random;
  }

  deadline(): Instant {
    return this.#deadlines.earliest();
  }

  /** Which timer the deadline is of, for debugging. */
  reason(): Timer | undefined {
    return this.#deadlines.reason();
  }

  /**
   * Takes out the earliest timer that is due. Those that hang on traffic are then asked about: see
   * `asked`.
   */
  takeDue(now: Instant): Timer | undefined {
    return this.#deadlines.takeDue(now);
  }

  /** The walk has been asked for the peer's traffic: the next telling of it is the answer. */
  asked(): void {
    this.#asked = true;
  }

  /**
   * An initiation was sent, or should have been: try again after `gap` and jitter, at `giveUpAt` at
   * the latest.
   */
  handshakeInitiated(now: Instant, gap: Duration, giveUpAt: Instant): void {
    this.retryHandshake(after(now, this.#jittered(gap)), giveUpAt);
  }

  /** An initiation may not be sent before `at`. */
  retryHandshake(at: Instant, giveUpAt: Instant): void {
    this.#deadlines.set('retransmitHandshake', earliest(at, giveUpAt));
  }

  handshakeEnded(): void {
    this.#deadlines.clear('retransmitHandshake');
  }

  /** New keys came to be: all keys have 540 s from now. */
  sessionDerived(now: Instant): void {
    this.#deadlines.set('zeroKeyMaterial', after(now, ZERO_KEYS_AFTER_TIME));
    this.resumePersistentKeepalive(now);
  }

  /** The peer has no keys left to erase. */
  keysErased(): void {
    this.#deadlines.clear('zeroKeyMaterial');
  }

  get isPersistent(): boolean {
    return this.#interval !== undefined;
  }

  /** Undefined switches it off. */
  setPersistentKeepalive(interval: Duration | undefined, now: Instant): void {
    this.#interval = interval;
    this.#deadlines.clear('persistentKeepalive');
    this.resumePersistentKeepalive(now);
  }

  /** Sets it where it is configured and not running. */
  resumePersistentKeepalive(now: Instant): void {
    if (this.#interval === undefined || this.#deadlines.isSet('persistentKeepalive')) return;
    this.#deadlines.set('persistentKeepalive', after(now, this.#interval));
  }

  /** There is nobody to send it to; `resumePersistentKeepalive` when there is. */
  suspendPersistentKeepalive(): void {
    this.#deadlines.clear('persistentKeepalive');
  }

  /** A handshake was given up: where data is still unanswered, look again later. */
  handshakeGivenUp(now: Instant): void {
    this.handshakeEnded();
    if (this.#silentSince !== NONE) this.#lookForSilence(now);
  }

  /** Without a session the walk asks for one by itself: stop looking for silence. */
  stopLookingForSilence(): void {
    this.#deadlines.clear('newHandshake');
  }

  /** Judges the peer's traffic as the walk tells it at `now`. */
  judge(traffic: Traffic, now: Instant): Verdict {
    const wasAsked = this.#asked;
    this.#asked = false;
    const verdict = {
      isOwed: this.#judgeOwed(traffic),
      isSilent: this.#judgeSilence(traffic, now),
      isPersistentDue: this.#judgePersistent(traffic, now),
    };
    const waits = this.#deadlines.isSet('sendKeepalive') || this.#deadlines.isSet('newHandshake');
    if (!wasAsked && !waits) this.#deadlines.set('sendKeepalive', after(now, KEEPALIVE_TIMEOUT));
    return verdict;
  }

  #judgeOwed(traffic: Traffic): boolean {
    const since = traffic.unansweredReceive;
    if (since <= traffic.lastSent) {
      this.#owedSince = NONE;
      this.#deadlines.clear('sendKeepalive');
      return false;
    }
    if (since === this.#owedSince) return !this.#deadlines.isSet('sendKeepalive');
    this.#owedSince = since;
    this.#deadlines.set('sendKeepalive', after(since, KEEPALIVE_TIMEOUT));
    return false;
  }

  #judgeSilence(traffic: Traffic, now: Instant): boolean {
    const since = traffic.unansweredSend;
    if (since <= traffic.lastReceived) {
      this.#silentSince = NONE;
      this.#deadlines.clear('newHandshake');
      return false;
    }
    if (since !== this.#silentSince) {
      this.#silentSince = since;
      this.#lookForSilence(since);
      return false;
    }
    if (this.#deadlines.isSet('newHandshake')) return false;
    this.#lookForSilence(now);
    return true;
  }

  #judgePersistent(traffic: Traffic, now: Instant): boolean {
    if (this.#interval === undefined || this.#deadlines.isSet('persistentKeepalive')) return false;
    const dueAt = after(latest(traffic.lastSent, traffic.lastReceived), this.#interval);
    const isDue = dueAt <= now;
    this.#deadlines.set('persistentKeepalive', isDue ? after(now, this.#interval) : dueAt);
    return isDue;
  }

  #lookForSilence(since: Instant): void {
    this.#deadlines.set('newHandshake', after(since, this.#jittered(SILENCE_TIMEOUT)));
  }

  #jittered(duration: Duration): Duration {
    return micros(duration + this.#random.below(REKEY_TIMEOUT_JITTER + 1));
  }
}
