/** The queue keeps order and its limit. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { InvariantError } from '../../src/base/assert.js';
import { BoundedQueue } from '../../src/base/bounded_queue.js';

const test = suite('bounded queue');

test('bounded queue: gives everything, oldest first, once', () => {
  const queue = new BoundedQueue<number>(3);
  for (const item of [1, 2, 3]) assert.is(queue.push(item), undefined);
  assert.is(queue.size, 3);
  assert.equal(queue.takeAll(), [1, 2, 3]);
  assert.is(queue.size, 0);
  assert.equal(queue.takeAll(), []);
});

test('bounded queue: at the limit the oldest makes room', () => {
  const queue = new BoundedQueue<number>(2);
  const displaced = [1, 2, 3, 4].map((item) => queue.push(item));
  assert.equal(displaced, [undefined, undefined, 1, 2]);
  assert.equal(queue.takeAll(), [3, 4]);
});

test('bounded queue: what was taken is no longer the queue', () => {
  const queue = new BoundedQueue<number>(2);
  queue.push(1);
  const taken = queue.takeAll();
  queue.push(2);
  assert.equal(taken, [1]);
  assert.equal(queue.takeAll(), [2]);
});

test('bounded queue: holds at least one item', () => {
  const smallest = new BoundedQueue<number>(1);
  assert.equal([smallest.push(1), smallest.push(2)], [undefined, 1]);
  assert.throws(
    () => new BoundedQueue(0),
    (error: unknown) => error instanceof InvariantError,
  );
});

test.run();
