import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SeededRandom } from '../../src/base/random.js';
import { instant, NEVER } from '../../src/base/time.js';
import { WakeQueue } from '../../src/base/wake_queue.js';

const test = suite('wake_queue');
const SEED = process.env.SEED ?? 'wake queue';

test('wake queue: the earliest instant comes first, whatever the order of setting', () => {
  const queue = new WakeQueue();
  for (const [slot, at] of [
    [3, 30],
    [1, 10],
    [7, 70],
    [2, 20],
  ] as const) {
    queue.set(slot, instant(at));
  }
  assert.is(queue.earliest(), instant(10));
  assert.is(queue.takeDue(instant(9)), undefined);
  assert.equal(
    [100, 100, 100, 100, 100].map((now) => queue.takeDue(instant(now))),
    [1, 2, 3, 7, undefined],
  );
  assert.is(queue.earliest(), NEVER);
});

test('wake queue: setting replaces, and NEVER takes the slot out', () => {
  const queue = new WakeQueue();
  queue.set(0, instant(5));
  queue.set(1, instant(6));
  queue.set(0, instant(9));
  assert.is(queue.earliest(), instant(6));
  queue.set(1, NEVER);
  assert.is(queue.earliest(), instant(9));
  assert.is(queue.size, 1);
  queue.set(0, NEVER);
  assert.is(queue.size, 0);
});

test('wake queue: equal instants come out by slot', () => {
  const queue = new WakeQueue();
  for (const slot of [4, 2, 9, 0]) queue.set(slot, instant(1));
  assert.equal(
    [0, 0, 0, 0].map(() => queue.takeDue(instant(1))),
    [0, 2, 4, 9],
  );
});

test('wake queue: agrees with a plain list over random operations', () => {
  const random = new SeededRandom(SEED);
  const queue = new WakeQueue();
  const plain = new Map<number, number>();
  for (let step = 0; step < 20_000; step++) {
    const slot = random.below(200);
    const at = random.below(8) === 0 ? NEVER : instant(random.below(1000));
    queue.set(slot, at);
    if (at === NEVER) plain.delete(slot);
    else plain.set(slot, at);
    const expected = Math.min(NEVER, ...plain.values());
    assert.is(queue.earliest(), expected, `SEED=${SEED} step ${step}`);
    assert.is(queue.size, plain.size);
    if (random.below(4) !== 0) continue;
    const now = instant(random.below(1000));
    const due = queue.takeDue(now);
    const first = [...plain].sort(([a, x], [b, y]) => x - y || a - b)[0];
    assert.is(due, first && first[1] <= now ? first[0] : undefined, `SEED=${SEED} step ${step}`);
    if (due !== undefined) plain.delete(due);
  }
});

test.run();
