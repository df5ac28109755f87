/** What happens next: by time, and at one time in the order in which it was asked for. */

import type { Instant } from '../../src/base/time.js';

export interface Event {
  readonly at: Instant;
  readonly serial: number;
  readonly run: () => void;
}

/** A binary heap. */
export class EventQueue {
  readonly #events: Event[] = [];
  #serial = 0;

  get next(): Instant | undefined {
    return this.#events[0]?.at;
  }

  add(at: Instant, run: () => void): void {
    this.#events.push({ at, serial: this.#serial++, run });
    for (let child = this.#events.length - 1; child > 0; ) {
      const parent = (child - 1) >> 1;
      if (!this.#swapsWith(parent, child)) return;
      child = parent;
    }
  }

  take(): Event | undefined {
    const [first] = this.#events;
    const last = this.#events.pop();
    if (!first || !last || this.#events.length === 0) return first;
    this.#events[0] = last;
    for (let parent = 0; ; ) {
      const [left, right] = [2 * parent + 1, 2 * parent + 2];
      const least = this.#isBefore(right, left) ? right : left;
      if (!this.#swapsWith(parent, least)) return first;
      parent = least;
    }
  }

  /** Puts the two in order; false when they were, or there is no child. */
  #swapsWith(parent: number, child: number): boolean {
    const [above, below] = [this.#events[parent], this.#events[child]];
    if (!above || !below || !this.#isBefore(child, parent)) return false;
    this.#events[parent] = below;
    this.#events[child] = above;
    return true;
  }

  #isBefore(a: number, b: number): boolean {
    const [first, second] = [this.#events[a], this.#events[b]];
    if (!first || !second) return first !== undefined;
    return first.at < second.at || (first.at === second.at && first.serial < second.serial);
  }
}
