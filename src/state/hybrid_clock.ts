/**
 * Version stamps for what this node says: microseconds of the wall clock, made to rise, and bounded
 * against the group, so that one node with a wrong clock neither wins for ever nor loses for ever.
 * The group's time is the newest stamp that admins gave: a wall clock before it is behind, one that
 * is more than AHEAD after it is not believed.
 */

import { seconds, type WallTime, wallTime } from '../base/time.js';

/**
 * An admin that lives signs anew 36 days after the last time at the latest, and a certificate that
 * it has not reached yet is 36 days old then: with this it has not expired either (90 days).
 */
const AHEAD = seconds(40 * 86_400);

export class HybridClock {
  #last: number;
  #group: number | undefined;

  /** `last`: no stamp of ours was above it. */
  constructor(last: number) {
    this.#last = last;
  }

  /** The highest stamp that was given. */
  get last(): number {
    return this.#last;
  }

  /** An admin signed something at this time. */
  heard(stamp: WallTime): void {
    this.#group = Math.max(this.#group ?? 0, stamp);
  }

  /** The wall clock, as far as it can be believed. */
  trusted(wall: WallTime): WallTime {
    if (this.#group === undefined) return wall;
    return wallTime(Math.min(Math.max(wall, this.#group), this.#group + AHEAD));
  }

  /** Whether the wall clock is not believed. */
  isDoubted(wall: WallTime): boolean {
    return this.trusted(wall) !== wall;
  }

  /** Whether it is further ahead of the group than it is believed. */
  isAhead(wall: WallTime): boolean {
    return this.trusted(wall) < wall;
  }

  /** A stamp above all before it. */
  next(wall: WallTime): number {
    this.#last = Math.max(this.trusted(wall), this.#last + 1);
    return this.#last;
  }
}
