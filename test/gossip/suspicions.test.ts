import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nodeId } from '../../src/base/identifiers.js';
import { after, elapsed, instant, NEVER, seconds, toMillis } from '../../src/base/time.js';
import { Suspicions } from '../../src/gossip/suspicions.js';

const test = suite('gossip/suspicions');
const START = instant(seconds(100));
const TIMES = { least: seconds(4), most: seconds(24), confirmations: 2 };
const [A, B, C, D] = ['a', 'b', 'c', 'd'].map((digit) => nodeId(digit.repeat(16)));
const at = (count: number) => after(START, seconds(count));

function begun(): Suspicions {
  const suspicions = new Suspicions(seconds(1));
  suspicions.begin(7, A ?? nodeId('0'.repeat(16)), TIMES, START);
  return suspicions;
}

/** When it is asked, and when it ends. */
function stepsOf(suspicions: Suspicions): [number, string][] {
  const steps: [number, string][] = [];
  for (let last = ''; last !== 'end'; ) {
    const now = suspicions.deadline();
    const due = suspicions.takeDue(now);
    if (!due) throw new Error('nothing is due at the deadline');
    steps.push([toMillis(elapsed(START, now)), due.step]);
    last = due.step;
  }
  return steps;
}

test('suspicions: the subject is asked thrice in the last second, and then it is over', () => {
  const suspicions = begun();
  assert.is(suspicions.takeDue(at(22)), undefined);
  assert.equal(stepsOf(suspicions), [
    [23_000, 'ask'],
    [23_333.333, 'ask'],
    [23_666.666, 'ask'],
    [24_000, 'end'],
  ]);
  suspicions.remove(7);
  assert.is(suspicions.deadline(), NEVER);
});

test('suspicions: distinct accusers bring the end nearer, the same one does not', () => {
  const suspicions = begun();
  if (!A || !B || !C || !D) return assert.unreachable();
  assert.not(suspicions.confirm(7, A, at(1)));
  assert.ok(suspicions.confirm(7, B, at(1)));
  assert.ok(suspicions.deadline() < at(23));
  assert.ok(suspicions.confirm(7, C, at(1)));
  assert.is(suspicions.deadline(), at(3), 'asked a second before the least is over');
  assert.not(suspicions.confirm(7, D, at(1)), 'more than count say nothing');
  assert.equal([...suspicions.accusersOf(7)], [A, B, C]);
  assert.not(suspicions.confirm(8, A, at(1)), 'nobody suspects that one');
});

test('suspicions: who confirms late does not take the last question away', () => {
  const suspicions = begun();
  if (!B || !C) return assert.unreachable();
  suspicions.confirm(7, B, at(10));
  suspicions.confirm(7, C, at(10));
  assert.equal(suspicions.takeDue(at(10)), { slot: 7, step: 'ask' });
  assert.is(suspicions.takeDue(at(10)), undefined, 'it has a second to answer');
  assert.equal(stepsOf(suspicions).at(-1), [11_000, 'end']);
});

test('suspicions: who confirms after the questions began leaves the time to answer them', () => {
  const suspicions = begun();
  if (!B || !C) return assert.unreachable();
  assert.equal(suspicions.takeDue(at(23)), { slot: 7, step: 'ask' });
  suspicions.confirm(7, B, at(23.1));
  suspicions.confirm(7, C, at(23.1));
  assert.equal(stepsOf(suspicions), [
    [23_333.333, 'ask'],
    [23_666.666, 'ask'],
    [24_000, 'end'],
  ]);
});

test('suspicions: where we were away all of them last longer', () => {
  const suspicions = begun();
  suspicions.postpone(seconds(30));
  assert.is(suspicions.deadline(), at(53));
  assert.is(suspicions.startedAt(7), at(30));
});

test('suspicions: what the first accuser signed is kept, and no other', () => {
  const suspicions = begun();
  const [first, second] = [Uint8Array.of(1), Uint8Array.of(2)];
  suspicions.keepRecord(7, first);
  suspicions.keepRecord(7, second);
  assert.is(suspicions.recordOf(7), first);
  assert.is(suspicions.recordOf(8), undefined);
  assert.ok(suspicions.has(7));
  assert.is(suspicions.size, 1);
});

test.run();
