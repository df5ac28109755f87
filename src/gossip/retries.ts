/**
 * When each failed member is tried again: first soon, then less and less often, but never given up.
 * Where one comes back after a long time it was perhaps not it that was away but we, or a part of
 * the network: then all are tried again within a short time. Deadline: the next one. Limit: one
 * entry a failed member; how many a second is the caller's to bound.
 */

import type { Random } from '../base/random.js';
import { after, type Duration, type Instant, micros, NEVER } from '../base/time.js';
import { WakeQueue } from '../base/wake_queue.js';

export interface RetryTimes {
  readonly first: Duration;
  readonly limit: Duration;
  readonly healWindow: Duration;
}

export class Retries {
  readonly #random: Random;
  readonly #times: RetryTimes;
  readonly #wakes = new WakeQueue();
  /** By slot: how long it waited last. */
  readonly #waits = new Map<number, Duration>();
  #hurriedAt: Instant | undefined;

  constructor(random: Random, times: RetryTimes) {
    this.#random = random;
    this.#times = times;
  }

  get size(): number {
    return this.#waits.size;
  }

  add(slot: number, now: Instant): void {
    this.#waits.set(slot, this.#times.first);
    this.#wakes.set(slot, after(now, this.#around(this.#times.first)));
  }

  remove(slot: number): void {
    this.#waits.delete(slot);
    this.#wakes.set(slot, NEVER);
  }

  /** One that is to be tried now. */
  takeDue(now: Instant): number | undefined {
    const slot = this.#wakes.takeDue(now);
    if (slot === undefined) return undefined;
    const wait = micros(
      Math.min(this.#times.limit, 2 * (this.#waits.get(slot) ?? this.#times.first)),
    );
    this.#waits.set(slot, wait);
    this.#wakes.set(slot, after(now, this.#around(wait)));
    return slot;
  }

  /** One of them came back. At most once in two windows, so that one that flaps wakes nobody. */
  hurry(now: Instant): void {
    const { healWindow } = this.#times;
    if (this.#hurriedAt !== undefined && now < after(this.#hurriedAt, micros(2 * healWindow))) {
      return;
    }
    this.#hurriedAt = now;
    for (const slot of this.#waits.keys()) {
      const soon = after(now, micros(this.#random.below(healWindow)));
      if (this.#wakes.get(slot) > soon) this.#wakes.set(slot, soon);
    }
  }

  deadline(): Instant {
    return this.#wakes.earliest();
  }

  /** Three to five quarters of it. */
  #around(wait: Duration): Duration {
    return micros(0.75 * wait + this.#random.below(Math.ceil(wait / 2)));
  }
}
