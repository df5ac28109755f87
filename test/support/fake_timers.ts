/**
 * Time that passes when a test says so: a clock, and the global timers on it. Nothing else may wait
 * for a timer meanwhile, so what uses it runs to its end without a promise.
 */

import { assert } from '../../src/base/assert.js';
import {
  after,
  type Duration,
  type Instant,
  instant,
  millis,
  seconds,
  type WallTime,
  wallTime,
} from '../../src/base/time.js';
import type { Clock } from '../../src/io/clock.js';

interface Timer {
  readonly at: Instant;
  readonly callback: () => void;
  readonly isImmediate: boolean;
  /** No process waits for these. */
  readonly unref: () => void;
}

/** 2026-11-23T00:00:00Z. */
const WALL_START = 1_795_392_000_000_000;
const START = instant(seconds(1_000));

export class FakeTimers implements Clock {
  /** How far the wall clock is from where it was, next to boot time. */
  wallJump = 0;
  #now: Instant = START;
  readonly #timers = new Set<Timer>();

  now(): Instant {
    return this.#now;
  }

  wall(): WallTime {
    return wallTime(WALL_START + this.#now - START + this.wallJump);
  }

  /** How many timers wait, and how many turns of the event loop. */
  waiting(): { timers: number; immediates: number } {
    const immediates = [...this.#timers].filter(({ isImmediate }) => isImmediate).length;
    return { timers: this.#timers.size - immediates, immediates };
  }

  /** When the next timer fires. */
  next(): Instant | undefined {
    const times = [...this.#timers].map(({ at }) => at);
    return times.length === 0 ? undefined : instant(Math.min(...times));
  }

  /** Lets time pass, and what is due within it happen at its own instant. */
  run(duration: Duration): void {
    const until = after(this.#now, duration);
    for (let fired = 0; ; fired++) {
      assert(fired < 1_000_000, 'timers come to an end');
      const due = this.#earliest();
      if (due === undefined || due.at > until) break;
      if (due.at > this.#now) this.#now = due.at;
      this.#timers.delete(due);
      due.callback();
    }
    this.#now = until;
  }

  /** Time passes, but nobody runs: the machine is suspended. */
  suspend(duration: Duration): void {
    this.#now = after(this.#now, duration);
  }

  /** Runs `body` with these timers in the place of the global ones. */
  during(body: () => void): void {
    const { setTimeout, clearTimeout, setImmediate, clearImmediate } = globalThis;
    const clear = (timer: Timer): void => {
      this.#timers.delete(timer);
    };
    Object.assign(globalThis, {
      setTimeout: (callback: () => void, wait: number) => {
        return this.#add(callback, after(this.#now, millis(Math.max(1, wait))), false);
      },
      setImmediate: (callback: () => void) => this.#add(callback, this.#now, true),
      clearTimeout: clear,
      clearImmediate: clear,
    });
    try {
      body();
    } finally {
      Object.assign(globalThis, { setTimeout, clearTimeout, setImmediate, clearImmediate });
    }
  }

  #add(callback: () => void, at: Instant, isImmediate: boolean): Timer {
    const timer = { callback, at, isImmediate, unref: () => {} };
    this.#timers.add(timer);
    return timer;
  }

  #earliest(): Timer | undefined {
    let earliest: Timer | undefined;
    for (const timer of this.#timers) {
      if (earliest === undefined || timer.at < earliest.at) earliest = timer;
    }
    return earliest;
  }
}
