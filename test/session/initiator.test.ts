import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { present } from '../../src/base/assert.js';
import { after, type Instant, micros, millis, seconds, wallTime } from '../../src/base/time.js';
import { compareTai64n } from '../../src/crypto/tai64n.js';
import { openTimestamp } from '../../src/session/handshake.js';
import type { Initiator } from '../../src/session/initiator.js';
import { senderOf } from '../../src/wire/wireguard.js';
import { createHandshakePair, open, type Party, SLOT, START } from '../support/session_scene.js';

const test = suite('initiator');

function create(initiator: Initiator, now: Instant = START): Uint8Array {
  return present(initiator.create(now), 'an initiation');
}

function timestampOf(right: Party, left: Party, datagram: Uint8Array): Uint8Array {
  const secret = present(right.crypto.dh(right.keys.privateKey, left.keys.publicKey), 'a secret');
  return present(openTimestamp(right.crypto, open(right, datagram), secret), 'a timestamp');
}

test('initiator: timestamps step forward by the least step where the wall clock does not', () => {
  const { left, right, initiator } = createHandshakePair();
  const walls = [0, 0, -1_000_000, 5_000_000, 4_000_000, 4_999_999, 990_000, 999_999];
  let last: Uint8Array | undefined;
  for (const [round, offset] of walls.entries()) {
    left.wallClock.set(wallTime(1_795_392_000_000_000 + offset), START);
    const timestamp = timestampOf(right, left, create(initiator));
    if (last) assert.ok(compareTai64n(timestamp, last) > 0, `round ${round}`);
    last = timestamp;
  }
});

test('initiator: a new initiation replaces the pending one and its index', () => {
  const { left, right, initiator, responder } = createHandshakePair();
  const first = create(initiator);
  const answer = responder.respond(open(right, first), START);
  if (typeof answer === 'string') throw new Error(answer);
  const second = create(initiator, after(START, seconds(5)));
  assert.is.not(senderOf(first), senderOf(second));
  assert.is(left.table.size, 1);
  assert.is(left.table.lookup(senderOf(first)), undefined);
  assert.is(initiator.consume(answer.datagram, START), 'unknown_index');
});

test('initiator: a response uses the initiation up, and its index stays live', () => {
  const { left, right, initiator, responder } = createHandshakePair();
  const first = create(initiator);
  const answer = responder.respond(open(right, first), START);
  if (typeof answer === 'string') throw new Error(answer);
  const now = after(START, millis(40));
  const session = initiator.consume(answer.datagram, now);
  if (typeof session === 'string') throw new Error(session);
  assert.is(session.localIndex, senderOf(first));
  assert.is(session.remoteIndex, answer.localIndex);
  assert.is(session.roundTrip, micros(40_000));
  assert.is(left.table.lookup(session.localIndex), SLOT);
  assert.is(initiator.consume(answer.datagram, now), 'unknown_index');
});

test('initiator: abandoning releases the index, and twice is once', () => {
  const { left, initiator } = createHandshakePair();
  create(initiator);
  initiator.abandon();
  initiator.abandon();
  assert.is(left.table.size, 0);
});

test('initiator: without keys of our own there is nothing to send', () => {
  const { left, initiator } = createHandshakePair();
  left.identity.keys = undefined;
  assert.is(initiator.create(START), undefined);
  assert.is(left.table.size, 0);
});

test.run();
