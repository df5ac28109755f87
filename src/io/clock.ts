/** The daemon's clocks. Cores never read one: the loop hands them what it reads here. */

import { type Instant, instant, type WallTime, wallTime } from '../base/time.js';
import type { Addon } from './native.js';

export interface Clock {
  /** CLOCK_BOOTTIME: goes on while the machine is suspended, never goes back. */
  now(): Instant;
  /** The wall clock: may jump either way. */
  wall(): WallTime;
}

export class SystemClock implements Clock {
  readonly #addon: Addon;

  constructor(addon: Addon) {
    this.#addon = addon;
  }

  now(): Instant {
    return instant(this.#addon.bootTime());
  }

  wall(): WallTime {
    return wallTime(Date.now() * 1000);
  }
}
