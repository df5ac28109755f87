import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nodeId } from '../../src/base/identifiers.js';
import { after, instant, millis, NEVER } from '../../src/base/time.js';
import { Relays } from '../../src/gossip/relays.js';

const test = suite('gossip/relays');
const START = instant(1_000_000);
const TIMES = { lifetime: millis(250), repeat: millis(125) };
const [ASKER, TARGET] = [nodeId('a'.repeat(16)), nodeId('b'.repeat(16))];

function request(sequence: number) {
  return { requester: ASKER, sequence, target: TARGET };
}

test('relays: an answer of the target goes to who asked, once', () => {
  const relays = new Relays({ ...TIMES, limit: 4 });
  assert.ok(relays.begin(100, request(7), START));
  assert.is(relays.acked(ASKER, 100), undefined, 'not of another');
  assert.is(relays.acked(TARGET, 101), undefined, 'not to another question');
  assert.is(relays.acked(TARGET, 100)?.sequence, 7);
  assert.is(relays.acked(TARGET, 100), undefined);
});

test('relays: what is not answered in time ends, the oldest first', () => {
  const relays = new Relays({ ...TIMES, limit: 4 });
  relays.begin(1, request(1), START);
  relays.begin(2, request(2), after(START, millis(100)));
  assert.is(relays.takeDue(after(START, millis(249))), undefined);
  assert.is(relays.takeDue(after(START, millis(300)))?.sequence, 1);
  assert.is(relays.takeDue(after(START, millis(300))), undefined);
  relays.clear();
  assert.is(relays.deadline(), NEVER);
});

test('relays: an unanswered target is pinged again before the time is over, once', () => {
  const relays = new Relays({ ...TIMES, limit: 4 });
  relays.begin(1, request(1), START);
  relays.begin(2, request(2), START);
  relays.acked(TARGET, 1);
  assert.is(relays.deadline(), after(START, millis(125)));
  assert.is(relays.takeUnanswered(after(START, millis(124))), undefined);
  assert.equal(relays.takeUnanswered(after(START, millis(125))), { ours: 2, target: TARGET });
  assert.is(relays.takeUnanswered(after(START, millis(125))), undefined);
  assert.is(relays.deadline(), after(START, millis(250)));
  assert.is(relays.acked(TARGET, 2)?.sequence, 2, 'by the same number');
});

test('relays: at the limit none is taken', () => {
  const relays = new Relays({ ...TIMES, limit: 2 });
  assert.equal(
    [1, 2, 3].map((each) => relays.begin(each, request(each), START)),
    [true, true, false],
  );
  assert.is(relays.size, 2);
});

test.run();
