/**
 * Wall time as told by the shell: an offset to boot time, so that between two tellings it runs as
 * evenly as boot time does. Only TAI64N stamps and what a person reads depend on it; no timer ever
 * does.
 */

import { assert } from './assert.js';
import { type Duration, type Instant, micros, type WallTime, wallTime } from './time.js';

export class WallClock {
  #offset: number | undefined;

  /**
   * Takes what the wall clock shows at `now`; returns by how much that is ahead of what was
   * expected (negative: behind).
   */
  set(wall: WallTime, now: Instant): Duration {
    const ahead = this.#offset === undefined ? 0 : wall - now - this.#offset;
    this.#offset = wall - now;
    return micros(ahead);
  }

  at(now: Instant): WallTime {
    assert(this.#offset !== undefined, 'the wall clock is told before it is needed');
    return wallTime(now + this.#offset);
  }
}
