import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { after, instant, millis, seconds } from '../../src/base/time.js';
import { Allowance } from '../../src/gossip/allowance.js';

const test = suite('gossip/allowance');
const START = instant(seconds(100));

test('allowance: a burst at once, then so much a second', () => {
  const allowance = new Allowance({ perSecond: 10, burst: 5 });
  const taken = (at: ReturnType<typeof instant>): number => {
    let count = 0;
    while (allowance.take(1, at)) count++;
    return count;
  };
  assert.is(taken(START), 5);
  assert.is(taken(after(START, millis(99))), 0);
  assert.is(taken(after(START, millis(300))), 3);
  assert.is(taken(after(START, seconds(60))), 5, 'no more than a burst is saved up');
});

test('allowance: what is spent beyond it is owed, and it says when it is ready', () => {
  const allowance = new Allowance({ perSecond: 10, burst: 5 });
  allowance.spend(15, START);
  assert.is(allowance.left(START), 0);
  assert.is(allowance.readyAt(1), after(START, millis(1_100)));
  assert.not(allowance.take(1, after(START, millis(1_099))));
  assert.ok(allowance.take(1, allowance.readyAt(1)));
});

test.run();
