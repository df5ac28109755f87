/**
 * A set of small integers of which some can be drawn at random: joining, leaving and drawing one
 * cost the same whatever its size. Its order is what joining, leaving and drawing made it, so two
 * runs with the same inputs draw the same.
 */

import type { Random } from '../base/random.js';

export class SlotSet {
  readonly #slots: number[] = [];
  /** By slot: its place in #slots, or -1. */
  readonly #place: number[] = [];

  get size(): number {
    return this.#slots.length;
  }

  has(slot: number): boolean {
    return (this.#place[slot] ?? -1) >= 0;
  }

  add(slot: number): void {
    if (this.has(slot)) return;
    while (this.#place.length <= slot) this.#place.push(-1);
    this.#place[slot] = this.#slots.length;
    this.#slots.push(slot);
  }

  remove(slot: number): void {
    const place = this.#place[slot] ?? -1;
    const last = this.#slots.length - 1;
    if (place < 0) return;
    this.#swap(place, last);
    this.#slots.pop();
    this.#place[slot] = -1;
  }

  /** Adds up to `wanted` slots that `isFit` takes to `found`, until it holds so many. */
  draw(found: number[], wanted: number, random: Random, isFit: (slot: number) => boolean): void {
    for (let i = 0; i < this.#slots.length && found.length < wanted; i++) {
      this.#swap(i, i + random.below(this.#slots.length - i));
      const slot = this.#slots[i];
      if (slot !== undefined && isFit(slot)) found.push(slot);
    }
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#slots[a], this.#slots[b]];
    if (first === undefined || second === undefined) return;
    this.#slots[a] = second;
    this.#slots[b] = first;
    this.#place[second] = a;
    this.#place[first] = b;
  }
}
