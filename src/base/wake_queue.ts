/**
 * When each of many small cores wants to be woken: an indexed binary heap from a small integer (a
 * slot) to an instant. Reading the earliest costs nothing; setting or clearing one costs log N.
 * Slots that want nothing take no place in the heap. Equal instants come out by slot, so that the
 * order never depends on how they went in.
 */

import { assert } from './assert.js';
import { type Instant, NEVER } from './time.js';

export class WakeQueue {
  /** The heap: slots, ordered by their instants. */
  readonly #heap: number[] = [];
  /** By slot: its instant, and its place in the heap, or -1. */
  readonly #at: Instant[] = [];
  readonly #place: number[] = [];

  /** How many slots want to be woken. */
  get size(): number {
    return this.#heap.length;
  }

  /** The earliest instant, or NEVER. */
  earliest(): Instant {
    const first = this.#heap[0];
    return first === undefined ? NEVER : this.#instantOf(first);
  }

  get(slot: number): Instant {
    return this.#at[slot] ?? NEVER;
  }

  /** Replaces the slot's instant; NEVER takes the slot out. */
  set(slot: number, at: Instant): void {
    assert(Number.isInteger(slot) && slot >= 0, 'a slot is a non-negative integer');
    this.#grow(slot);
    if (this.#at[slot] === at) return;
    const place = this.#place[slot] ?? -1;
    this.#at[slot] = at;
    if (at === NEVER) {
      if (place >= 0) this.#remove(place);
    } else if (place < 0) {
      this.#heap.push(slot);
      this.#place[slot] = this.#heap.length - 1;
      this.#rise(this.#heap.length - 1);
    } else {
      this.#sink(this.#rise(place));
    }
  }

  /**
   * Takes out a slot whose instant is due at `now` and returns it, the earliest first; undefined
   * when none is.
   */
  takeDue(now: Instant): number | undefined {
    const first = this.#heap[0];
    if (first === undefined || this.#instantOf(first) > now) return undefined;
    this.set(first, NEVER);
    return first;
  }

  #grow(slot: number): void {
    for (let i = this.#at.length; i <= slot; i++) {
      this.#at.push(NEVER);
      this.#place.push(-1);
    }
  }

  #remove(place: number): void {
    const slot = this.#slotAt(place);
    const last = this.#heap.pop() ?? slot;
    this.#place[slot] = -1;
    if (last === slot) return;
    this.#put(last, place);
    this.#sink(this.#rise(place));
  }

  /**
   * Moves the entry at `place` towards the root while it is earlier than its parent; returns where
   * it came to lie.
   */
  #rise(place: number): number {
    const slot = this.#slotAt(place);
    let at = place;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = this.#slotAt(parent);
      if (!this.#before(slot, above)) break;
      this.#put(above, at);
      at = parent;
    }
    this.#put(slot, at);
    return at;
  }

  #sink(place: number): void {
    const slot = this.#slotAt(place);
    let at = place;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#heap.length) break;
      if (
        child + 1 < this.#heap.length &&
        this.#before(this.#slotAt(child + 1), this.#slotAt(child))
      )
        child++;
      const below = this.#slotAt(child);
      if (!this.#before(below, slot)) break;
      this.#put(below, at);
      at = child;
    }
    this.#put(slot, at);
  }

  #put(slot: number, place: number): void {
    this.#heap[place] = slot;
    this.#place[slot] = place;
  }

  #before(a: number, b: number): boolean {
    const difference = this.#instantOf(a) - this.#instantOf(b);
    return difference < 0 || (difference === 0 && a < b);
  }

  #slotAt(place: number): number {
    return this.#heap[place] ?? 0;
  }

  #instantOf(slot: number): Instant {
    return this.#at[slot] ?? NEVER;
  }
}
