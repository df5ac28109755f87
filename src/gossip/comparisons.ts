/**
 * When stores are compared. A digest that differs from ours is no reason while news spreads, since
 * then all differ for a moment; it is one when we have had peace for a while, or when it has lasted
 * long. With one member a comparison that did not help is tried again less and less often, and with
 * all together one is made in an interval. The first of all is made at once, whoever it is with: a
 * node that just started knows that it is behind. Nor does it wait until something came of one, for
 * whom it does not know it does not answer, and is soon suspected.
 *
 * Limit: one entry a member that differs; forgotten when it no longer does.
 */

import { after, type Duration, elapsed, type Instant, micros } from '../base/time.js';
import type { GossipConfig } from './config.js';

interface Wait {
  readonly until: Instant;
  readonly length: Duration;
}

export class Comparisons {
  readonly #config: GossipConfig;
  readonly #waits = new Map<number, Wait>();
  #comparedAt: Instant | undefined;
  /** Something came of one, or there was nothing that could. */
  #isAnswered = false;
  /** When our own store changed last. */
  #changedAt: Instant | undefined;
  /** Since when all that differed did so while news spread. */
  #unsettledSince: Instant | undefined;

  constructor(config: GossipConfig) {
    this.#config = config;
  }

  get hasCompared(): boolean {
    return this.#comparedAt !== undefined;
  }

  /** Our own store changed. */
  changed(now: Instant): void {
    this.#changedAt = now;
  }

  /** Something came of one, with whomever. */
  answered(): void {
    this.#isAnswered = true;
  }

  /** The member's store is as ours. */
  equal(slot: number): void {
    this.#isAnswered = true;
    this.#waits.delete(slot);
    this.#unsettledSince = undefined;
  }

  forget(slot: number): void {
    this.#waits.delete(slot);
  }

  /** The member's store differs. True: compare. */
  differs(slot: number, isSpreading: boolean, now: Instant): boolean {
    if (!this.#isRipe(isSpreading, now)) return false;
    const wait = this.#waits.get(slot);
    if (wait && now < wait.until) return false;
    return this.begin(slot, now);
  }

  /** There is good reason to compare with it now. False when one was made a moment ago. */
  begin(slot: number, now: Instant): boolean {
    const { compareInterval, compareWait, compareWaitLimit } = this.#config;
    if (this.#comparedAt !== undefined && now < after(this.#comparedAt, compareInterval)) {
      return false;
    }
    this.#comparedAt = now;
    if (!this.#isAnswered) return true;
    const before = this.#waits.get(slot)?.length ?? 0;
    const length = micros(Math.min(compareWaitLimit, Math.max(compareWait, 2 * before)));
    this.#waits.set(slot, { until: after(now, length), length });
    return true;
  }

  #isRipe(isSpreading: boolean, now: Instant): boolean {
    if (!this.#isAnswered) return true;
    const { compareSettle, comparePatience } = this.#config;
    const isSettled =
      this.#changedAt === undefined || elapsed(this.#changedAt, now) >= compareSettle;
    if (isSettled && !isSpreading) {
      this.#unsettledSince = undefined;
      return true;
    }
    this.#unsettledSince ??= now;
    return elapsed(this.#unsettledSince, now) >= comparePatience;
  }
}
