import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BroadcastQueue } from '../../src/gossip/broadcast_queue.js';
import { withSeed } from '../support/seed.js';

const test = suite('gossip/broadcast_queue');

function record(name: number, length = 100): Uint8Array {
  return new Uint8Array(length).fill(name);
}

function names(records: readonly Uint8Array[]): number[] {
  return records.map(([first]) => first ?? -1);
}

test('queue: what was sent least goes first, and of these the newest', () => {
  const queue = new BroadcastQueue(10);
  for (const name of [1, 2, 3]) queue.push(`p${name}`, record(name));
  assert.equal(names(queue.take(200, 3)), [3, 2]);
  assert.equal(names(queue.take(200, 3)), [1, 3]);
  queue.push('p4', record(4));
  assert.equal(
    names(queue.take(200, 3)),
    [4, 2].sort((a, b) => b - a),
  );
});

test('queue: what was sent often enough is done', () => {
  const queue = new BroadcastQueue(10);
  queue.push('p1', record(1));
  for (let i = 0; i < 3; i++) assert.equal(names(queue.take(200, 3)), [1]);
  assert.equal(queue.take(200, 3), []);
  assert.is(queue.size, 0);
});

test('queue: a later record of a place takes the earlier one’s, and begins anew', () => {
  const queue = new BroadcastQueue(10);
  queue.push('p', record(1));
  queue.take(200, 2);
  queue.push('p', record(2));
  assert.is(queue.size, 1);
  assert.equal(names(queue.take(200, 2)), [2]);
  assert.equal(names(queue.take(200, 2)), [2]);
  assert.is(queue.size, 0);
});

test('queue: only those sent less than a number of times, where that is asked for', () => {
  const queue = new BroadcastQueue(10);
  queue.push('p1', record(1));
  queue.take(200, 5);
  queue.push('p2', record(2));
  assert.equal(names(queue.take(500, 5, 1)), [2]);
  assert.equal(queue.take(500, 5, 1), []);
});

test('queue: at its limit what was sent most, and of these the oldest, makes room', () => {
  const queue = new BroadcastQueue(3);
  for (const name of [1, 2]) queue.push(`p${name}`, record(name));
  queue.take(200, 5);
  queue.push('p3', record(3));
  assert.not(queue.push('p4', record(4)), 'it says so');
  assert.not(queue.has('p1'));
  assert.ok(queue.has('p2') && queue.has('p3') && queue.has('p4'));
});

test('queue: what does not fit lets smaller ones by, but not for long', () => {
  const queue = new BroadcastQueue(100);
  queue.push('small', record(1, 10));
  for (let i = 0; i < 4; i++) queue.push(`large${i}`, record(2, 500));
  assert.equal(names(queue.take(50, 3)), [1]);
  for (let i = 0; i < 20; i++) queue.push(`larger${i}`, record(3, 500));
  assert.equal(queue.take(50, 3), [], 'after eight that do not fit nobody looks further');
});

test('queue: nothing is lost or sent too often, whatever is pushed and taken', () => {
  withSeed('broadcast queue', (random) => {
    const queue = new BroadcastQueue(1_000);
    const sent = new Map<number, number>();
    for (let i = 0; i < 200; i++) {
      queue.push(`p${i}`, record(i, 20 + random.below(60)));
      for (const name of names(queue.take(200, 4))) sent.set(name, (sent.get(name) ?? 0) + 1);
    }
    while (queue.size > 0) {
      for (const name of names(queue.take(200, 4))) sent.set(name, (sent.get(name) ?? 0) + 1);
    }
    assert.is(sent.size, 200);
    assert.ok([...sent.values()].every((count) => count === 4));
  });
});

test('broadcast queue: all of a sort are removed at once', () => {
  const queue = new BroadcastQueue(10);
  for (const place of ['a 1', 'b 1', 'a 2']) queue.push(place, new Uint8Array(10));
  queue.take(10, 4);
  queue.removeAll((place) => place.startsWith('a'));
  assert.is(queue.size, 1);
  assert.ok(queue.has('b 1'));
  assert.is(queue.take(100, 4).length, 1);
});

test.run();
