import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nodeId } from '../../src/base/identifiers.js';
import { after, instant, millis, NEVER, seconds } from '../../src/base/time.js';
import { Probe, type ProbeStart } from '../../src/gossip/probe.js';

const test = suite('gossip/probe');
const START = instant(seconds(100));
const [TARGET, ONE, TWO] = ['a', 'b', 'c'].map((digit) => nodeId(digit.repeat(16)));
const at = (ms: number) => after(START, millis(ms));

function begun(): Probe {
  const probe = new Probe();
  const start: ProbeStart = {
    slot: 1,
    target: TARGET ?? nodeId('0'.repeat(16)),
    incarnation: 5,
    sequence: 9,
    isWarm: true,
    sentAt: START,
    askAt: at(500),
    pause: millis(200),
    endsAt: at(1_000),
  };
  probe.begin(start);
  return probe;
}

test('probe: a direct ack ends it, and tells how long it took', () => {
  const probe = begun();
  if (!TARGET || !ONE) return assert.unreachable();
  assert.is(probe.acked(TARGET, 8, at(10)), undefined, 'of another ping');
  assert.is(probe.acked(ONE, 9, at(10)), undefined, 'of one that was not asked');
  const acked = probe.acked(TARGET, 9, at(30));
  assert.is(acked?.way, 'direct');
  assert.is(acked?.took, millis(30));
  assert.is(probe.deadline(), NEVER);
  assert.is(probe.acked(TARGET, 9, at(40)), undefined, 'once');
});

test('probe: without one others are asked, and by them an ack counts, too', () => {
  const probe = begun();
  if (!ONE) return assert.unreachable();
  assert.is(probe.takeDue(at(499)), undefined);
  assert.is(probe.takeDue(at(500))?.kind, 'ask');
  probe.asked([ONE]);
  assert.is(probe.acked(ONE, 9, at(600))?.way, 'indirect');
});

test('probe: from then on the target is pinged again and again', () => {
  const probe = begun();
  if (!ONE || !TARGET) return assert.unreachable();
  const kinds = [500, 699, 700, 900, 1_000].map((ms) => {
    const step = probe.takeDue(at(ms));
    if (step?.kind === 'ask') probe.asked([ONE]);
    return step?.kind;
  });
  assert.equal(kinds, ['ask', undefined, 'again', 'again', 'end']);
  assert.is(probe.deadline(), NEVER);
});

test('probe: where nobody answers the target is silent, and so are its relays', () => {
  const probe = begun();
  if (!ONE || !TWO) return assert.unreachable();
  probe.takeDue(at(500));
  probe.asked([ONE, TWO]);
  assert.ok(probe.nacked(ONE, 9));
  assert.not(probe.nacked(ONE, 9), 'once each');
  const step = probe.takeDue(at(1_000));
  assert.is(step?.kind, 'end');
  if (step?.kind !== 'end') return;
  assert.equal([step.isHeard, step.relays, step.silentRelays], [false, 2, 1]);
});

test('probe: where every relay says no the verdict is there at once', () => {
  const probe = begun();
  if (!ONE || !TWO) return assert.unreachable();
  probe.takeDue(at(500));
  probe.asked([ONE, TWO]);
  probe.nacked(ONE, 9);
  probe.nacked(TWO, 9);
  const step = probe.takeDue(at(510));
  assert.is(step?.kind === 'end' && step.silentRelays, 0);
});

test('probe: anything else that came from the target after the ping proves as much', () => {
  const probe = begun();
  if (!TARGET) return assert.unreachable();
  probe.heard(TARGET, at(100));
  assert.is(probe.takeDue(at(500)), undefined, 'nobody is asked');
  const step = probe.takeDue(at(1_000));
  assert.ok(step?.kind === 'end' && step.isHeard);
});

test('probe: where we were late everybody has so much more time', () => {
  const probe = begun();
  probe.postpone(millis(300));
  assert.is(probe.takeDue(at(799)), undefined);
  assert.is(probe.takeDue(at(800))?.kind, 'ask');
  assert.is(probe.takeDue(at(1_299))?.kind, 'again');
  assert.is(probe.deadline(), at(1_300));
  assert.ok(probe.discard());
  assert.not(probe.discard());
});

test.run();
