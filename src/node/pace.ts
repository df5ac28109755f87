/**
 * Something that is done at once when asked for, but not more often than once in an interval: what
 * is asked for too soon is done when the interval is over, once for all who asked meanwhile.
 */

import { after, type Duration, type Instant, NEVER } from '../base/time.js';

export class Pace {
  readonly #interval: Duration;
  #doneAt: Instant | undefined;
  #dueAt = NEVER;

  constructor(interval: Duration) {
    this.#interval = interval;
  }

  /** It is due now, or as soon as it may be. */
  ask(now: Instant): void {
    const free = this.#doneAt === undefined ? now : after(this.#doneAt, this.#interval);
    this.#dueAt = free > now ? free : now;
  }

  /** True once when it is due: the caller does it. */
  take(now: Instant): boolean {
    if (now < this.#dueAt) return false;
    this.#doneAt = now;
    this.#dueAt = NEVER;
    return true;
  }

  deadline(): Instant {
    return this.#dueAt;
  }
}
