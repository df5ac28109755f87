/** Two session cores over a model of the walk: who sends with what, whatever is lost. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isZero } from '../../src/base/bytes.js';
import { type SessionIndex, sessionIndex } from '../../src/base/identifiers.js';
import { after, instant, millis, seconds } from '../../src/base/time.js';
import type { Features } from '../../src/session/features.js';
import { baseIndex, isLaneIndex, laneIndex } from '../../src/session/lane_keys.js';
import { Succession } from '../../src/session/succession.js';
import { emitControl, parseControl } from '../../src/wire/control.js';
import { parseHello } from '../../src/wire/hello.js';
import { type Message, SessionNetwork, type Side } from '../support/session_network.js';
import { createParty, SLOT, START } from '../support/session_scene.js';

const test = suite('succession');

const FOUR: Features = {
  suites: ['aes-256-gcm', 'chacha20-poly1305'],
  lanes: 4,
  trustsChecksums: true,
};
const TWO: Features = { ...FOUR, lanes: 2 };
const CHACHA: Features = { ...FOUR, suites: ['chacha20-poly1305'], trustsChecksums: false };

/** The session whose lanes the side sends by, `count` of them; fails where it does not. */
function sessionByLanes(side: Side, count: number): SessionIndex {
  const used = side.sendsWith(count);
  const base = baseIndex(firstLane(side));
  const expected = Array.from({ length: count }, (_, lane) => laneIndex(base, lane));
  assert.equal(used, expected, 'each lane has its own keypair of one session');
  return base;
}

function connected(left: Features | undefined, right: Features | undefined): SessionNetwork {
  const network = new SessionNetwork([left, right]);
  network.connect();
  return network;
}

/** What sends on the side's first lane, as an index of the walk. */
function firstLane(side: Side): SessionIndex {
  return side.sendsWith(1)[0] ?? never();
}

function controls(network: SessionNetwork): Message[] {
  return network.sent.filter(({ kind }) => kind === 'control');
}

function helloIn({ bytes }: Message) {
  const control = parseControl(bytes);
  return control && parseHello(control.body);
}

/** Both send on all their lanes, every millisecond for a second. */
function chatter(network: SessionNetwork, rounds = 1000): void {
  for (let round = 0; round < rounds; round++) {
    for (const side of [network.left, network.right]) {
      for (let lane = 0; lane < 4; lane++) side.sendData(lane);
    }
    network.run(millis(1));
  }
}

/** What the model loses is what arrives too late for its session: nothing ever should. */
function assertNothingLost({ left, right }: SessionNetwork): void {
  assert.is(left.lost, 0, 'left lost nothing');
  assert.is(right.lost, 0, 'right lost nothing');
}

test('succession: three hellos, and both sides send by lanes', () => {
  const network = connected(FOUR, FOUR);
  const hellos = controls(network).map((message) => helloIn(message)?.isAcknowledged);
  assert.equal(hellos, [false, true, true]);
  const { left, right } = network;
  const first = left.actions.findIndex(({ kind }) => kind === 'sendControl');
  const flushed = left.actions.findIndex(({ kind }) => kind === 'flushStaged');
  assert.ok(first < flushed, 'the hello goes before what was staged');
  sessionByLanes(left, 4);
  sessionByLanes(right, 4);
  for (const side of [left, right]) {
    assert.equal(side.session.agreement(network.now), {
      suite: 'aes-256-gcm',
      keypairs: 4,
      lanes: 4,
      trustsChecksums: true,
    });
    assert.is(side.keypairs.size, 5);
    for (const { localIndex, heddle, takesControl } of side.keypairs.values()) {
      assert.is(heddle !== undefined, isLaneIndex(localIndex));
      assert.is(takesControl === true, heddle === undefined);
    }
  }
  chatter(network, 10);
  assertNothingLost(network);
});

test('succession: a stock peer is never said hello to', () => {
  const network = connected(undefined, undefined);
  assert.is(controls(network).length, 0);
  assert.not(isLaneIndex(firstLane(network.left)));
  assert.is(network.left.keypairs.size, 1);
  assert.is(network.left.session.agreement(network.now), undefined);
});

test('succession: where the other side is a stock one, five hellos, and the base keypair', () => {
  const network = connected(FOUR, undefined);
  network.run(seconds(20));
  assert.is(controls(network).length, 5);
  const { left } = network;
  assert.is(left.actions.filter(({ kind }) => kind === 'helloUnanswered').length, 1);
  assert.is(left.keypairs.size, 1);
  chatter(network, 10);
  assertNothingLost(network);
});

test('succession: lanes 4 and 2, suites and trust as both can', () => {
  for (const [features, suiteName, trusts] of [
    [TWO, 'aes-256-gcm', true],
    [{ ...CHACHA, lanes: 2 }, 'chacha20-poly1305', false],
  ] as const) {
    const network = connected(FOUR, features);
    const { left, right } = network;
    sessionByLanes(left, 4);
    sessionByLanes(right, 2);
    for (const side of [left, right]) {
      assert.is(side.keypairs.size, 5, 'as many as the side with more lanes has');
      for (const { heddle } of side.keypairs.values()) {
        if (!heddle) continue;
        assert.is(heddle.suite, suiteName);
        assert.is(heddle.trustsChecksums, trusts);
      }
    }
    chatter(network, 10);
    assertNothingLost(network);
  }
});

test('succession: whichever hellos are lost, both send by lanes in the end', () => {
  for (let lostMask = 1; lostMask < 16; lostMask++) {
    const network = new SessionNetwork([FOUR, FOUR]);
    let at = 0;
    network.isLost = ({ kind }) => kind === 'control' && (lostMask & (1 << at++)) !== 0;
    network.connect();
    network.run(seconds(5));
    sessionByLanes(network.left, 4);
    sessionByLanes(network.right, 4);
    chatter(network, 5);
    assertNothingLost(network);
  }
});

test('succession: hellos that come twice or in another order change nothing', () => {
  const network = new SessionNetwork([FOUR, FOUR]);
  network.copies = ({ kind }) => (kind === 'control' ? 3 : 1);
  let at = 0;
  network.latency = () => millis(10 + ((at++ * 37) % 60));
  network.connect();
  network.run(seconds(10));
  sessionByLanes(network.left, 4);
  sessionByLanes(network.right, 4);
  assert.ok(controls(network).length < 30, `${controls(network).length} hellos`);
});

test('succession: a rekey keeps the lanes in use until the new hellos are acknowledged', () => {
  for (const [initiator, confirms] of [
    ['left', 'before control'],
    ['right', 'before control'],
    ['left', 'after control'],
    ['left', 'by data alone'],
  ] as const) {
    const network = connected(FOUR, FOUR);
    network.confirms = confirms;
    const before = sessionByLanes(network.left, 4);
    network.run(seconds(120));
    for (const side of [network.left, network.right]) side.received.length = 0;
    network[initiator].begin();
    network.run(millis(25));
    assert.is(sessionByLanes(network.left, 4), before, 'the response came');
    chatter(network, 200);
    assert.is.not(sessionByLanes(network.left, 4), before);
    const used = new Set([...network.left.received, ...network.right.received].map(isLaneIndex));
    assert.equal(
      [...used].filter((isLane) => !isLane),
      [false].slice(1),
      'never by a base keypair',
    );
    assertNothingLost(network);
    const last = controls(network).slice(-3);
    const resuming = last.map((message) => helloIn(message)?.isResuming);
    assert.equal(resuming.slice(0, 2), [true, true]);
  }
});

test('succession: while hellos of a rekey are lost the old lanes are used, then the base', () => {
  const network = connected(FOUR, FOUR);
  const before = sessionByLanes(network.left, 4);
  const theirs = sessionByLanes(network.right, 4);
  network.run(seconds(120));
  network.isLost = ({ kind }) => kind === 'control';
  network.left.begin();
  for (let step = 0; step < 5; step++) {
    chatter(network, 1);
    network.run(seconds(1));
    assert.is(sessionByLanes(network.left, 4), before, `${step} s`);
    assert.is(sessionByLanes(network.right, 4), theirs, `${step} s`);
  }
  network.run(seconds(2));
  const index = firstLane(network.left);
  assert.ok(!isLaneIndex(index) && index !== before);
  chatter(network, 100);
  network.run(seconds(2));
  chatter(network, 100);
  assertNothingLost(network);
  assert.not(isLaneIndex(firstLane(network.right)));
});

test('succession: an old session that expires meanwhile leaves the base of the new one', () => {
  const network = connected(FOUR, FOUR);
  network.run(seconds(177));
  network.isLost = ({ kind }) => kind === 'control';
  network.left.begin();
  network.run(seconds(4));
  network.left.handle({ kind: 'sessionNeeded', reason: 'staged' });
  assert.not(isLaneIndex(firstLane(network.left)));
  assert.is(network.left.session.state(network.now), 'established');
});

test('succession: both begin at once, at first and at rekeys, and come to one session', () => {
  for (let round = 0; round < 8; round++) {
    const network = new SessionNetwork([FOUR, FOUR], `crossing ${round}`);
    for (let rekey = 0; rekey < 4; rekey++) {
      network.left.begin();
      network.run(millis(round % 4));
      network.right.begin();
      chatter(network, 300);
      network.run(millis(200));
      const ours = sessionByLanes(network.left, 4);
      const theirs = sessionByLanes(network.right, 4);
      assert.is(network.left.keypairs.get(ours)?.remoteIndex, theirs, `rekey ${rekey}`);
      assertNothingLost(network);
      network.run(seconds(120));
    }
  }
});

for (const [what, features, next] of [
  ['stock sessions', undefined, undefined],
  ['stock sessions that are the last', undefined, FOUR],
  ['sessions of one stock side', FOUR, undefined],
] as const) {
  test(`succession: ${what} cross, and nothing under way is lost`, () => {
    for (const lateMs of [0, 1, 5, 9, 10, 11, 15, 19, 20, 21, 40]) {
      const network = connected(undefined, features);
      for (let rekey = 0; rekey < 3; rekey++) {
        network.run(seconds(20));
        network.left.speak(next);
        network.left.begin();
        chatter(network, lateMs);
        network.right.speak(next ?? features);
        network.right.begin();
        chatter(network, 300);
      }
      assert.is(network.left.session.state(network.now), 'established');
      assertNothingLost(network);
    }
  });
}

test('succession: a peer that starts again is used at once, by base and then by lanes', () => {
  const network = connected(FOUR, FOUR);
  network.run(seconds(10));
  network.right.restart(FOUR);
  network.right.begin();
  // Initiation, response, and the first hello: it does not resume.
  network.run(millis(35));
  assert.not(isLaneIndex(firstLane(network.left)));
  network.run(millis(100));
  sessionByLanes(network.left, 4);
  sessionByLanes(network.right, 4);
  chatter(network, 10);
  assertNothingLost(network);
});

test('succession: a peer that starts again as a stock one is used by the base keypair', () => {
  const network = connected(FOUR, FOUR);
  network.run(seconds(10));
  network.right.restart(undefined);
  network.right.begin();
  network.run(millis(35));
  network.right.sendData();
  network.run(seconds(2));
  assert.not(isLaneIndex(firstLane(network.left)));
  chatter(network, 10);
  assertNothingLost(network);
});

test('succession: where the session in use is not answered, ours does not wait', () => {
  const network = connected(FOUR, FOUR);
  const { left, right } = network;
  network.run(seconds(10));
  right.restart(FOUR);
  const traffic = {
    lastSent: network.now,
    lastReceived: instant(network.now - 1),
    unansweredSend: network.now,
    unansweredReceive: instant(0),
  };
  const before = controls(network).length;
  for (let second = 0; second < 20; second++) {
    left.handle({ kind: 'activity', traffic });
    network.run(seconds(1));
  }
  const hello = controls(network)[before];
  assert.is(hello && helloIn(hello)?.isResuming, false);
  sessionByLanes(left, 4);
  sessionByLanes(right, 4);
});

test('succession: a session that the peer never confirmed is not used', () => {
  const network = connected(FOUR, FOUR);
  const before = sessionByLanes(network.right, 4);
  network.run(seconds(60));
  network.isLost = ({ from }) => from === network.right;
  network.left.begin();
  network.run(millis(50));
  network.isLost = () => true;
  network.run(seconds(20));
  assert.is(sessionByLanes(network.right, 4), before);
});

test('succession: an exporter lives until the hellos are exchanged or fail, or the end', () => {
  const { table } = createParty('wiping');
  const made = (features: Features | undefined) => {
    const exporter = new Uint8Array(32).fill(7);
    const key = () => new Uint8Array(32).fill(9);
    const succession = new Succession(table, []);
    succession.features = features;
    const keys = { sendKey: key(), receiveKey: key(), exporter };
    const localIndex = table.claim(SLOT);
    succession.initiated({ keys, localIndex, remoteIndex: sessionIndex(16) }, true, START);
    return { succession, localIndex, exporter };
  };
  assert.ok(isZero(made(undefined).exporter), 'a stock peer has none');
  const ended = made(FOUR);
  assert.not(isZero(ended.exporter));
  ended.succession.clear();
  assert.ok(isZero(ended.exporter), 'the session ended');
  const failed = made(FOUR);
  for (let now = START; now < after(START, seconds(6)); now = after(now, millis(50))) {
    failed.succession.advance(now);
  }
  assert.ok(isZero(failed.exporter), 'no hello came');
  const heard = made(FOUR);
  const message = emitControl({ kind: 1, body: new Uint8Array(0) });
  heard.succession.receiveControl(heard.localIndex, message, START);
  assert.ok(isZero(heard.exporter), 'the hello came');
});

test('succession: changed features leave the session as it is, and make a new one', () => {
  const network = connected(FOUR, FOUR);
  network.run(seconds(30));
  const before = sessionByLanes(network.left, 4);
  network.right.speak(CHACHA);
  sessionByLanes(network.right, 4);
  assert.is(sessionByLanes(network.left, 4), before);
  chatter(network, 300);
  assert.is.not(sessionByLanes(network.left, 4), before);
  assert.is(network.left.session.agreement(network.now)?.suite, 'chacha20-poly1305');
  assert.is(network.right.session.agreement(network.now)?.suite, 'chacha20-poly1305');
  assertNothingLost(network);
});

test('succession: a peer that is made a stock one here gets a stock session', () => {
  const network = connected(FOUR, FOUR);
  network.run(seconds(30));
  network.left.speak(undefined);
  chatter(network, 100);
  network.run(seconds(2));
  for (const side of [network.left, network.right]) {
    assert.not(isLaneIndex(firstLane(side)));
  }
  chatter(network, 50);
  assertNothingLost(network);
});

test('succession: a hello about a session that is gone, and what is no hello, are counted', () => {
  const network = connected(FOUR, FOUR);
  const hello = controls(network)[0] ?? never();
  const [base] = [...network.left.keypairs.keys()];
  const localIndex = base ?? never();
  for (const [index, bytes, reason] of [
    [laneIndex(localIndex, 1), hello.bytes, 'control_stale'],
    [baseIndex((localIndex ^ 0x100) as SessionIndex), hello.bytes, 'control_stale'],
    [localIndex, hello.bytes.slice(0, 8), 'control_malformed'],
    [localIndex, emitControl({ kind: 1, body: Uint8Array.of(3, 1, 9) }), 'control_malformed'],
    [localIndex, emitControl({ kind: 5, body: new Uint8Array(0) }), 'control_unknown'],
    [localIndex, Uint8Array.of(0x45), 'control_malformed'],
  ] as const) {
    const from = network.left.actions.length;
    network.left.handle({ kind: 'control', localIndex: index, message: bytes });
    assert.equal(network.left.actions.slice(from), [{ kind: 'controlDropped', reason }]);
  }
});

test('succession: hellos with fields of a later version are taken', () => {
  const network = new SessionNetwork([FOUR, FOUR]);
  network.left.begin();
  network.run(millis(25));
  const hello = controls(network)[0] ?? never();
  const control = parseControl(hello.bytes) ?? never();
  const body = Uint8Array.from([0x7f, 3, 1, 2, 3, ...control.body, 0xfe, 0]);
  const message = Uint8Array.from([...emitControl({ kind: 1, body }), 0, 0, 0]);
  const localIndex = hello.receiver ?? never();
  network.right.handle({ kind: 'control', localIndex, message });
  assert.is(network.right.keypairs.size, 5);
});

test('succession: the end of a session takes its lanes with it, and three live at most', () => {
  const network = connected(FOUR, FOUR);
  for (let round = 0; round < 5; round++) {
    network.run(seconds(120));
    network[round % 2 === 0 ? 'left' : 'right'].begin();
    network.run(seconds(1));
    for (const side of [network.left, network.right]) {
      assert.ok(side.keypairs.size <= 3 * 5, `${side.keypairs.size} keypairs`);
      const bases = new Set([...side.keypairs.keys()].map(baseIndex));
      assert.is(side.keypairs.size, 5 * bases.size, 'whole sessions');
      assert.is(side.party.table.size, bases.size);
    }
  }
  network.left.handle({ kind: 'stop' });
  assert.is(network.left.keypairs.size, 0);
  assert.is(network.left.party.table.size, 0);
});

function never(): never {
  throw new Error('it is there');
}

test.run();
