import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isZero, toHex } from '../../src/base/bytes.js';
import { after, type Duration, type Instant, millis, NEVER, seconds } from '../../src/base/time.js';
import type { Features } from '../../src/session/features.js';
import { HelloExchange } from '../../src/session/hello_exchange.js';
import { parseControl } from '../../src/wire/control.js';
import { type Hello, parseHello } from '../../src/wire/hello.js';
import { START } from '../support/session_scene.js';

const test = suite('hello_exchange');

const FOUR: Features = {
  suites: ['aes-256-gcm', 'chacha20-poly1305'],
  lanes: 4,
  trustsChecksums: true,
};
const TWO: Features = { ...FOUR, lanes: 2 };

function at(offset: Duration): Instant {
  return after(START, offset);
}

function createExchange(isInitiator: boolean, ours = FOUR) {
  const exporter = new Uint8Array(32).fill(7);
  const exchange = new HelloExchange({ exporter, ours, isInitiator, createdAt: START });
  return { exchange, exporter };
}

/** What a message of the exchange says. */
function saidBy(exchange: HelloExchange, isResuming = false): Hello {
  const control = parseControl(exchange.message(isResuming));
  const hello = control && parseHello(control.body);
  if (!hello) throw new Error('not a hello');
  return hello;
}

function hello(changes: Partial<Hello> = {}): Hello {
  const { exchange } = createExchange(true, TWO);
  return { ...saidBy(exchange), ...changes };
}

/** What is due at each instant until nothing is any more, with how long after the start. */
function schedule(exchange: HelloExchange): [string | undefined, number][] {
  const seen: [string | undefined, number][] = [];
  while (exchange.deadline() !== NEVER) {
    const now = exchange.deadline();
    seen.push([exchange.takeDue(now), now - START]);
  }
  return seen;
}

test('hello exchange: an initiator asks again after 250 ms, doubled to 2 s, and gives up', () => {
  const { exchange, exporter } = createExchange(true);
  assert.equal(schedule(exchange), [
    ['repeat', millis(250)],
    ['repeat', millis(750)],
    ['repeat', millis(1750)],
    ['repeat', millis(3750)],
    ['failed', millis(5750)],
  ]);
  assert.ok(isZero(exporter), 'the exporter is wiped');
  assert.is(exchange.receive(hello({ isAcknowledged: true }), at(seconds(6))), undefined);
});

test('hello exchange: a responder is silent, and forgets the exporter after 15 s', () => {
  const { exchange, exporter } = createExchange(false);
  assert.equal(schedule(exchange), [['failed', seconds(15)]]);
  assert.ok(isZero(exporter));
});

test('hello exchange: a responder installs and answers, and is ready when acknowledged', () => {
  const { exchange, exporter } = createExchange(false);
  const heard = exchange.receive(hello(), START);
  assert.is(heard?.keys.length, 4);
  assert.is(heard?.isAnswerDue, true);
  assert.not(exchange.isReady);
  assert.ok(isZero(exporter), 'the exporter is wiped as soon as the keys are derived');
  assert.ok(saidBy(exchange).isAcknowledged);
  assert.is(exchange.deadline(), at(millis(250)), 'the answer is repeated');
  const last = exchange.receive(hello({ isAcknowledged: true }), at(millis(20)));
  assert.equal(last, { keys: [], isAnswerDue: false });
  assert.ok(exchange.isReady);
  assert.is(exchange.deadline(), NEVER);
});

test('hello exchange: an initiator is ready with the answer, and acknowledges it', () => {
  const { exchange } = createExchange(true);
  assert.not(saidBy(exchange).isAcknowledged);
  const heard = exchange.receive(hello({ isAcknowledged: true }), START);
  assert.is(heard?.keys.length, 4);
  assert.is(heard?.isAnswerDue, true);
  assert.ok(exchange.isReady);
  assert.ok(saidBy(exchange).isAcknowledged);
  assert.is(exchange.deadline(), NEVER, 'it repeats when asked, not by itself');
  assert.equal(exchange.receive(hello({ isAcknowledged: true }), START), {
    keys: [],
    isAnswerDue: true,
  });
});

test('hello exchange: a lane that the peer sends by is as good as an acknowledgement', () => {
  const { exchange } = createExchange(false);
  exchange.laneConfirmed();
  assert.not(exchange.isReady, 'not before there are lanes');
  exchange.receive(hello(), START);
  exchange.laneConfirmed();
  assert.ok(exchange.isReady);
  assert.is(exchange.deadline(), NEVER);
});

test('hello exchange: the first hello counts, whatever later ones say', () => {
  const { exchange } = createExchange(false);
  exchange.receive(hello(), START);
  const { agreement } = exchange;
  const other = exchange.receive(hello({ suites: ['chacha20-poly1305'], lanes: 8 }), START);
  assert.equal(other, { keys: [], isAnswerDue: true });
  assert.equal(exchange.agreement, agreement);
  assert.is(agreement?.suite, 'aes-256-gcm');
});

test('hello exchange: both sides derive the same keys, crossed over', () => {
  const [one, other] = [createExchange(true, FOUR), createExchange(false, TWO)];
  const theirs = other.exchange.receive(saidBy(one.exchange), START)?.keys ?? [];
  const ours = one.exchange.receive(saidBy(other.exchange), START)?.keys ?? [];
  assert.is(ours.length, 4);
  assert.equal(
    ours.map(({ sendKey }) => toHex(sendKey)),
    theirs.map(({ receiveKey }) => toHex(receiveKey)),
  );
  assert.equal(
    ours.map(({ receiveKey }) => toHex(receiveKey)),
    theirs.map(({ sendKey }) => toHex(sendKey)),
  );
});

test('hello exchange: answers have an end', () => {
  const { exchange } = createExchange(true);
  let answers = 0;
  for (let round = 0; round < 100; round++) {
    if (exchange.receive(hello({ isAcknowledged: true }), START)?.isAnswerDue) answers++;
  }
  assert.is(answers, 16);
});

test('hello exchange: answers that are never acknowledged end after five, and may be yet', () => {
  const { exchange } = createExchange(false);
  exchange.receive(hello(), START);
  assert.is(schedule(exchange).at(-1)?.[0], 'failed');
  assert.not(exchange.isReady);
  exchange.receive(hello({ isAcknowledged: true }), at(seconds(7)));
  assert.ok(exchange.isReady);
});

test('hello exchange: a peer that uses the session and says nothing is waited for a second', () => {
  const { exchange } = createExchange(false);
  exchange.expectSoon(at(seconds(1)));
  assert.is(exchange.deadline(), at(seconds(2)));
  assert.is(exchange.takeDue(at(seconds(2))), 'unheard');
  assert.is(exchange.deadline(), at(seconds(15)));
  exchange.expectSoon(at(seconds(3)));
  exchange.receive(hello({ isAcknowledged: true }), at(seconds(3)));
  assert.is(exchange.deadline(), NEVER, 'it said hello');
});

test('hello exchange: what is abandoned keeps no secret and wants nothing', () => {
  const { exchange, exporter } = createExchange(true);
  exchange.abandon();
  assert.ok(isZero(exporter));
  assert.is(exchange.deadline(), NEVER);
  assert.not(exchange.isOpen);
});

test.run();
