import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { after, elapsed, instant, NEVER, seconds, toSeconds } from '../../src/base/time.js';
import { Retries } from '../../src/gossip/retries.js';
import { withSeed } from '../support/seed.js';

const test = suite('gossip/retries');
const START = instant(seconds(100));
const TIMES = { first: seconds(1), limit: seconds(60), healWindow: seconds(4) };

test('retries: soon at first, then ever less often, but never given up', () => {
  withSeed('retries', (random) => {
    const retries = new Retries(random, TIMES);
    retries.add(3, START);
    const gaps: number[] = [];
    let now = START;
    for (let i = 0; i < 20; i++) {
      const due = retries.deadline();
      gaps.push(toSeconds(elapsed(now, due)));
      now = due;
      assert.is(retries.takeDue(now), 3);
    }
    for (const [i, gap] of gaps.entries()) {
      const middle = Math.min(60, 2 ** i);
      assert.ok(gap >= 0.74 * middle && gap <= 1.26 * middle, `${gap} s is the gap ${i}`);
    }
    retries.remove(3);
    assert.is(retries.deadline(), NEVER);
    assert.is(retries.size, 0);
  });
});

test('retries: where one comes back all are tried soon, but not over and over', () => {
  withSeed('retries hurry', (random) => {
    const retries = new Retries(random, TIMES);
    for (let slot = 0; slot < 50; slot++) retries.add(slot, START);
    let now = START;
    while (elapsed(START, now) < seconds(300)) {
      now = retries.deadline();
      retries.takeDue(now);
    }
    retries.hurry(now);
    const end = after(now, seconds(4));
    const tried = new Set<number>();
    while (retries.deadline() <= end) {
      const slot = retries.takeDue(retries.deadline());
      if (slot !== undefined) tried.add(slot);
    }
    assert.is(tried.size, 50);
    const before = retries.deadline();
    retries.hurry(end);
    assert.is(retries.deadline(), before, 'one that flaps wakes nobody');
  });
});

test.run();
