/** First in, first out, with a limit: at the limit the oldest makes room for the newest. */

import { assert } from './assert.js';

export class BoundedQueue<T> {
  readonly #limit: number;
  #items: T[] = [];

  constructor(limit: number) {
    assert(limit > 0, 'a queue holds at least one item');
    this.#limit = limit;
  }

  get size(): number {
    return this.#items.length;
  }

  /** The item that had to go, if one had to. */
  push(item: T): T | undefined {
    const displaced = this.#items.length >= this.#limit ? this.#items.shift() : undefined;
    this.#items.push(item);
    return displaced;
  }

  /** Everything, oldest first; the queue is empty after. */
  takeAll(): T[] {
    const all = this.#items;
    this.#items = [];
    return all;
  }
}
