import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { present } from '../../src/base/assert.js';
import { isZero } from '../../src/base/bytes.js';
import { after, type Instant, millis, seconds } from '../../src/base/time.js';
import { Initiator } from '../../src/session/initiator.js';
import { Remote } from '../../src/session/remote.js';
import { Responder } from '../../src/session/responder.js';
import { INITIATION_BYTES, RESPONSE_BYTES } from '../../src/wire/wireguard.js';
import { equalBytes } from '../support/bytes.js';
import {
  createHandshakePair,
  createParty,
  open,
  type Party,
  SLOT,
  START,
} from '../support/session_scene.js';

const test = suite('responder');

function outcome(right: Party, responder: Responder, datagram: Uint8Array, now: Instant): string {
  const answer = responder.respond(open(right, datagram), now);
  return typeof answer === 'string' ? answer : 'answered';
}

test('responder: takes strictly later timestamps, and replays never (WG-20)', () => {
  const { right, initiator, responder } = createHandshakePair();
  const [first, second, third] = [0, 1, 2].map((at) =>
    present(initiator.create(after(START, seconds(at))), 'an initiation'),
  );
  const steps: readonly (readonly [Uint8Array | undefined, string])[] = [
    [second, 'answered'],
    [second, 'timestamp_old'],
    [first, 'timestamp_old'],
    [third, 'answered'],
    [second, 'timestamp_old'],
  ];
  for (const [at, [datagram, expected]] of steps.entries()) {
    const now = after(START, seconds(10 + at));
    const got = outcome(right, responder, present(datagram, 'made'), now);
    assert.is(got, expected, `step ${at}`);
  }
  assert.is(right.table.size, 2, 'an index for each that was answered');
});

test('responder: the peer goes by the key that an initiation is by, once it is accepted', () => {
  const [left, right, later] = ['left', 'right', 'later'].map((seed) => createParty(seed));
  const [old, ours, fresh] = [present(left, 'a'), present(right, 'b'), present(later, 'c')];
  const remote = new Remote(old.keys.publicKey);
  const responder = new Responder(ours, SLOT, remote);
  const initiator = new Initiator(fresh, SLOT, new Remote(ours.keys.publicKey));
  const datagram = present(initiator.create(START), 'an initiation');
  const { cookie } = remote;
  const forged = { ...open(ours, datagram), sealedTimestamp: new Uint8Array(28) };
  assert.is(responder.respond(forged, START), 'timestamp_tag');
  equalBytes(remote.publicKey, old.keys.publicKey, 'what anybody can send changes nothing');
  assert.is(remote.cookie, cookie, 'nor what is kept of it');
  assert.is(outcome(ours, responder, datagram, START), 'answered');
  equalBytes(remote.publicKey, fresh.keys.publicKey);
  const before = new Initiator(old, SLOT, new Remote(ours.keys.publicKey));
  const back = present(before.create(after(START, seconds(1))), 'an initiation');
  assert.is(outcome(ours, responder, back, after(START, seconds(1))), 'answered');
  equalBytes(remote.publicKey, old.keys.publicKey, 'and back');
  assert.is(outcome(ours, responder, datagram, after(START, seconds(2))), 'timestamp_old');
  equalBytes(remote.publicKey, old.keys.publicKey, 'a replay moves it nowhere');
});

test('responder: what is refused does not count towards the 20 ms between two', () => {
  const { right, initiator, responder } = createHandshakePair();
  const [first, second] = [0, 1].map((at) =>
    present(initiator.create(after(START, seconds(at))), 'an initiation'),
  );
  const one = present(first, 'made');
  assert.is(outcome(right, responder, one, START), 'answered');
  for (let ms = 1; ms < 20; ms++) {
    assert.is(outcome(right, responder, one, after(START, millis(ms))), 'timestamp_old');
  }
  const two = present(second, 'made');
  assert.is(outcome(right, responder, two, after(START, millis(20))), 'answered');
});

test('responder: a timestamp refused as too soon can still be taken later', () => {
  const { right, initiator, responder } = createHandshakePair();
  const [first, second] = [0, 1].map((at) =>
    present(initiator.create(after(START, seconds(at))), 'an initiation'),
  );
  assert.is(outcome(right, responder, present(first, 'made'), START), 'answered');
  const two = present(second, 'made');
  assert.is(outcome(right, responder, two, after(START, millis(5))), 'too_soon');
  assert.is(outcome(right, responder, two, after(START, millis(25))), 'answered');
});

test('responder: uses up the opened initiation, and answers with less than it got', () => {
  const { right, initiator, responder } = createHandshakePair();
  const opened = open(right, present(initiator.create(START), 'an initiation'));
  const answer = responder.respond(opened, START);
  if (typeof answer === 'string') throw new Error(answer);
  assert.is(answer.datagram.length, RESPONSE_BYTES);
  assert.ok(answer.datagram.length < INITIATION_BYTES);
  assert.ok(isZero(opened.state.transcript()), 'its state is wiped');
});

test('responder: an initiation whose timestamp does not open takes nothing', () => {
  const { right, initiator, responder } = createHandshakePair();
  const datagram = present(initiator.create(START), 'an initiation');
  datagram[90] = (datagram[90] ?? 0) ^ 1;
  assert.is(outcome(right, responder, datagram, START), 'timestamp_tag');
  assert.is(right.table.size, 0);
});

test.run();
