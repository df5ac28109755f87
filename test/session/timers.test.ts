import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Random } from '../../src/base/random.js';
import {
  after,
  type Duration,
  type Instant,
  instant,
  micros,
  millis,
  NEVER,
  seconds,
} from '../../src/base/time.js';
import { SessionTimers, type Traffic } from '../../src/session/timers.js';

const test = suite('timers');
const START = instant(seconds(1000));
const NOTHING: Traffic = {
  lastSent: instant(0),
  lastReceived: instant(0),
  unansweredSend: instant(0),
  unansweredReceive: instant(0),
};

/** Draws the same jitter each time. */
function jitter(amount: Duration): Random {
  return { bytes: (length) => new Uint8Array(length), u32: () => 0, below: () => amount };
}

function at(offset: Duration): Instant {
  return after(START, offset);
}

function create(amount: Duration = millis(0)): SessionTimers {
  return new SessionTimers(jitter(amount));
}

const VERDICT_NONE = { isOwed: false, isSilent: false, isPersistentDue: false };

test('timers: retransmission comes after 5 s and jitter, but not after giving up (§6.4)', () => {
  for (const [amount, giveUp, expected] of [
    [millis(0), seconds(90), seconds(5)],
    [millis(333), seconds(90), millis(5333)],
    [millis(333), seconds(5), seconds(5)],
  ] as const) {
    const timers = create(amount);
    timers.handshakeInitiated(START, seconds(5), at(giveUp));
    assert.is(timers.deadline(), at(expected));
    assert.is(timers.reason(), 'retransmitHandshake');
    assert.is(timers.takeDue(at(micros(expected - 1))), undefined);
    assert.is(timers.takeDue(at(expected)), 'retransmitHandshake');
    assert.is(timers.deadline(), NEVER);
  }
});

test('timers: the jitter drawn lies between 0 and 333 ms', () => {
  const limits: number[] = [];
  const random: Random = { ...jitter(millis(0)), below: (limit) => limits.push(limit) - 1 };
  new SessionTimers(random).handshakeInitiated(START, seconds(5), NEVER);
  assert.equal(limits, [millis(333) + 1]);
});

test('timers: unanswered data received is owed a keepalive after 10 s (§6.5)', () => {
  const timers = create();
  const traffic = { ...NOTHING, lastReceived: START, unansweredReceive: START };
  assert.equal(timers.judge(traffic, START), VERDICT_NONE);
  assert.is(timers.deadline(), at(seconds(10)));
  assert.is(timers.takeDue(at(seconds(10))), 'sendKeepalive');
  timers.asked();
  const more = { ...traffic, lastReceived: at(seconds(9)) };
  assert.equal(timers.judge(more, at(seconds(10))), { ...VERDICT_NONE, isOwed: true });
});

test('timers: what was answered meanwhile is owed nothing, what came later is owed later', () => {
  const timers = create();
  timers.judge({ ...NOTHING, lastReceived: START, unansweredReceive: START }, START);
  timers.takeDue(at(seconds(10)));
  timers.asked();
  const answered = { ...NOTHING, lastSent: at(seconds(3)), unansweredReceive: START };
  assert.equal(timers.judge(answered, at(seconds(10))), VERDICT_NONE);
  assert.is(timers.deadline(), NEVER, 'an idle peer costs nothing');

  timers.judge({ ...NOTHING, unansweredReceive: at(seconds(20)) }, at(seconds(20)));
  timers.takeDue(at(seconds(30)));
  timers.asked();
  const newer = { ...NOTHING, lastSent: at(seconds(22)), unansweredReceive: at(seconds(25)) };
  assert.equal(timers.judge(newer, at(seconds(30))), VERDICT_NONE);
  assert.is(timers.deadline(), at(seconds(35)));
});

test('timers: unanswered data sent is silence after 15 s and jitter (§6.5)', () => {
  for (const amount of [millis(0), millis(333)]) {
    const timers = create(amount);
    const traffic = { ...NOTHING, lastSent: START, unansweredSend: START };
    const due = at(micros(seconds(15) + amount));
    assert.equal(timers.judge(traffic, START), VERDICT_NONE);
    assert.is(timers.deadline(), due);
    assert.is(timers.takeDue(due), 'newHandshake');
    timers.asked();
    assert.equal(timers.judge(traffic, due), { ...VERDICT_NONE, isSilent: true });
    assert.is(timers.deadline(), after(due, micros(seconds(15) + amount)), 'and looks again');
  }
});

test('timers: anything heard ends the silence', () => {
  const timers = create();
  timers.judge({ ...NOTHING, lastSent: START, unansweredSend: START }, START);
  timers.takeDue(at(seconds(15)));
  timers.asked();
  const heard = { ...NOTHING, unansweredSend: START, lastReceived: at(seconds(1)) };
  assert.equal(timers.judge(heard, at(seconds(15))), VERDICT_NONE);
  assert.is(timers.deadline(), NEVER);
});

test('timers: an event that says nothing still leads to one asking, which re-arms it', () => {
  const timers = create();
  const even = { ...NOTHING, lastReceived: START, unansweredSend: START };
  timers.judge(even, START);
  assert.is(timers.deadline(), at(seconds(10)));
  timers.takeDue(at(seconds(10)));
  timers.asked();
  assert.equal(timers.judge(even, at(seconds(10))), VERDICT_NONE);
  assert.is(timers.deadline(), NEVER);
});

test('timers: persistent keepalive follows the last message either way', () => {
  const timers = create();
  timers.setPersistentKeepalive(seconds(25), START);
  assert.is(timers.takeDue(at(seconds(25))), 'persistentKeepalive');
  timers.asked();
  const busy = { ...NOTHING, lastSent: at(seconds(7)), lastReceived: at(seconds(9)) };
  assert.equal(timers.judge(busy, at(seconds(25))), VERDICT_NONE);
  assert.is(timers.deadline(), at(seconds(34)));
  assert.is(timers.takeDue(at(seconds(34))), 'persistentKeepalive');
  timers.asked();
  assert.ok(timers.judge(busy, at(seconds(34))).isPersistentDue);
  assert.is(timers.deadline(), at(seconds(59)));
  timers.setPersistentKeepalive(undefined, at(seconds(40)));
  assert.is(timers.deadline(), NEVER);
});

test('timers: keys are to be erased 540 s after the last new session (§6.3)', () => {
  const timers = create();
  timers.sessionDerived(START);
  timers.sessionDerived(at(seconds(100)));
  assert.is(timers.takeDue(at(micros(seconds(640) - 1))), undefined);
  assert.is(timers.takeDue(at(seconds(640))), 'zeroKeyMaterial');
});

test('timers: after giving up, silence is looked for again where it lasts', () => {
  const timers = create();
  timers.handshakeGivenUp(START);
  assert.is(timers.deadline(), NEVER);
  timers.judge({ ...NOTHING, lastSent: START, unansweredSend: START }, START);
  timers.handshakeGivenUp(at(seconds(12)));
  assert.is(timers.deadline(), at(seconds(27)));
  timers.stopLookingForSilence();
  assert.is(timers.deadline(), NEVER);
});

test.run();
