/**
 * Whose turn it is to be probed: everybody once in a round, each round in another random order, so
 * that a crash is found within two rounds at the latest. Who joins gets a random place in what is
 * left of the round. Source: SWIM §4.3.
 */

import type { Random } from '../base/random.js';

export class ProbeOrder {
  readonly #random: Random;
  readonly #slots: number[] = [];
  #next = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  insert(slot: number): void {
    this.#slots.push(slot);
    const last = this.#slots.length - 1;
    this.#swap(this.#next + this.#random.below(last - this.#next + 1), last);
  }

  remove(slot: number): void {
    const at = this.#slots.indexOf(slot);
    if (at < 0) return;
    this.#slots.splice(at, 1);
    if (at < this.#next) this.#next--;
  }

  /** The next that is fit to be probed; undefined when nobody is. */
  take(isFit: (slot: number) => boolean): number | undefined {
    for (let tried = 0; tried < this.#slots.length; tried++) {
      if (this.#next >= this.#slots.length) this.#shuffle();
      const slot = this.#slots[this.#next++];
      if (slot !== undefined && isFit(slot)) return slot;
    }
    return undefined;
  }

  #shuffle(): void {
    this.#next = 0;
    for (let i = this.#slots.length - 1; i > 0; i--) this.#swap(this.#random.below(i + 1), i);
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#slots[a], this.#slots[b]];
    if (first === undefined || second === undefined) return;
    this.#slots[a] = second;
    this.#slots[b] = first;
  }
}
