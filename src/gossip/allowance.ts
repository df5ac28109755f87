/**
 * So much of something in a second, and so much at once after a rest. What goes beyond it is
 * refused, not put off.
 */

import { type Instant, instant } from '../base/time.js';

const SECOND = 1_000_000;
/** Of a microsecond: what rounding may add up to. */
const SLACK = 0.5;

export class Allowance {
  readonly #burst: number;
  /** Microseconds until one is had again. */
  readonly #unit: number;
  /** When all of the burst may be had again, in microseconds. */
  #restedAt = 0;

  constructor({ perSecond, burst }: { readonly perSecond: number; readonly burst: number }) {
    this.#burst = burst;
    this.#unit = SECOND / perSecond;
  }

  /** How much may be taken now; not always whole. */
  left(now: Instant): number {
    const owed = Math.max(0, this.#restedAt - now);
    return Math.max(0, this.#burst - owed / this.#unit);
  }

  /** Takes it, or nothing: false. */
  take(amount: number, now: Instant): boolean {
    if (now < this.readyAt(amount)) return false;
    this.spend(amount, now);
    return true;
  }

  /** Takes it even where it is too much: what comes next waits longer. */
  spend(amount: number, now: Instant): void {
    this.#restedAt = Math.max(this.#restedAt, now) + amount * this.#unit;
  }

  /** From when on so much may be taken. */
  readyAt(amount: number): Instant {
    return instant(Math.ceil(this.#restedAt - (this.#burst - amount) * this.#unit - SLACK));
  }
}
