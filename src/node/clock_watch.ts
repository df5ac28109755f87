/**
 * The wall clock as the shell tells it, and the warning that it jumped: somebody set it, or it is
 * wrong.
 */

import type { Log } from '../base/log.js';
import { elapsed, type Instant, seconds, toSeconds, type WallTime } from '../base/time.js';
import type { WallClock } from '../base/wall_clock.js';

/** Moving by more than this against boot time is a jump. */
const JUMP = seconds(60);
const WARNING_INTERVAL = seconds(60);

export class ClockWatch {
  readonly #wallClock: WallClock;
  readonly #log: Log;
  #warnedAt: Instant | undefined;

  constructor(wallClock: WallClock, log: Log) {
    this.#wallClock = wallClock;
    this.#log = log;
  }

  set(wall: WallTime, now: Instant): void {
    const ahead = this.#wallClock.set(wall, now);
    if (Math.abs(ahead) <= JUMP) return;
    if (this.#warnedAt !== undefined && elapsed(this.#warnedAt, now) < WARNING_INTERVAL) return;
    this.#warnedAt = now;
    this.#log.warn('The wall clock jumped', { seconds: Math.round(toSeconds(ahead)) });
  }
}
