/** The mesh's control messages: each waits for a session, makes one, and is said in it. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { elapsed, millis, NEVER, seconds, toSeconds } from '../../src/base/time.js';
import { CONTROL_WAITING } from '../../src/session/constants.js';
import type { Features } from '../../src/session/features.js';
import { CONTROL_GOSSIP, emitControl } from '../../src/wire/control.js';
import { MESSAGE_INITIATION, messageType } from '../../src/wire/wireguard.js';
import { SessionNetwork, type Side } from '../support/session_network.js';
import { createParty } from '../support/session_scene.js';

const test = suite('session control');
const FEATURES: Features = { suites: ['chacha20-poly1305'], lanes: 2, trustsChecksums: false };

function createNetwork(): SessionNetwork {
  return new SessionNetwork([FEATURES, FEATURES]);
}

function say(side: Side, what: number): void {
  const message = emitControl({ kind: CONTROL_GOSSIP, body: Uint8Array.of(what) });
  side.handle({ kind: 'sendControl', message });
}

function heard(side: Side): number[] {
  return side.actions.flatMap((action) =>
    action.kind === 'controlReceived' ? [action.message.body[0] ?? -1] : [],
  );
}

function count(side: Side, kind: Side['actions'][number]['kind']): number {
  return side.actions.filter((action) => action.kind === kind).length;
}

function unsent(side: Side): number {
  return side.actions.filter(
    (action) => action.kind === 'controlDropped' && action.reason === 'control_unsent',
  ).length;
}

function initiations(network: SessionNetwork, by: Side): number {
  return network.sent.filter(
    ({ kind, bytes, from }) =>
      kind === 'handshake' && from === by && messageType(bytes) === MESSAGE_INITIATION,
  ).length;
}

/** How many seconds after it began the attempt is given up. */
function givenUpAfter(network: SessionNetwork, side: Side): number {
  const since = network.now;
  while (count(side, 'gaveUp') === 0) network.run(millis(100));
  return toSeconds(elapsed(since, network.now));
}

test('session control: one makes a session where there is none, and goes before any data', () => {
  const network = createNetwork();
  say(network.left, 1);
  say(network.left, 2);
  network.run(millis(15));
  assert.equal(heard(network.right), [], 'no session yet');
  network.run(millis(200));
  assert.equal(heard(network.right), [1, 2], 'in order');
  assert.is(initiations(network, network.left), 1);
  const kinds = network.left.actions.map(({ kind }) => kind);
  assert.ok(kinds.lastIndexOf('sendControl') > 0);
  const first = network.left.actions.findIndex(
    (action) => action.kind === 'sendControl' && action.message[1] === CONTROL_GOSSIP,
  );
  assert.ok(first < kinds.indexOf('flushStaged'), 'what is staged comes after');
});

test('session control: both ways of one session', () => {
  const network = createNetwork();
  network.connect();
  say(network.left, 1);
  say(network.right, 2);
  network.run(millis(50));
  assert.equal([heard(network.left), heard(network.right)], [[2], [1]]);
  assert.is(initiations(network, network.left) + initiations(network, network.right), 1);
});

test('session control: what its receiver wants to answer at once makes no second session', () => {
  const network = createNetwork();
  say(network.left, 1);
  network.run(millis(15));
  say(network.right, 2);
  network.run(seconds(10));
  assert.equal([heard(network.left), heard(network.right)], [[2], [1]]);
  assert.is(initiations(network, network.left) + initiations(network, network.right), 1);
});

test('session control: of more than can wait the oldest goes, and is counted', () => {
  const network = createNetwork();
  for (let what = 0; what < CONTROL_WAITING + 3; what++) say(network.left, what);
  assert.is(unsent(network.left), 3);
  network.run(millis(200));
  assert.equal(heard(network.right), [3, 4, 5, 6, 7, 8, 9, 10]);
});

test('session control: alone it is given up after five initiations, 15 s', () => {
  const network = createNetwork();
  network.isLost = () => true;
  say(network.left, 1);
  const after = givenUpAfter(network, network.left);
  assert.ok(after >= 15 && after <= 16.1, `${after} s`);
  assert.is(initiations(network, network.left), 5);
  assert.is(unsent(network.left), 1);
  assert.is(network.left.session.deadline(), NEVER);
});

test('session control: what comes late in an attempt is tried as long as what began it', () => {
  const network = createNetwork();
  network.isLost = () => true;
  say(network.left, 1);
  network.run(seconds(12));
  say(network.left, 2);
  network.run(seconds(6));
  network.isLost = () => false;
  network.run(seconds(6));
  assert.equal(heard(network.right), [1, 2]);
});

test('session control: with data waiting it is given up after 90 s', () => {
  for (const isDataFirst of [true, false]) {
    const network = createNetwork();
    network.isLost = () => true;
    if (isDataFirst) network.left.handle({ kind: 'sessionNeeded', reason: 'staged' });
    say(network.left, 1);
    if (!isDataFirst) network.left.handle({ kind: 'sessionNeeded', reason: 'staged' });
    const after = givenUpAfter(network, network.left);
    assert.ok(after >= 90 && after <= 90.1, `${after} s, data first: ${isDataFirst}`);
  }
});

test('session control: what was given up is not sent later, and the next begins anew', () => {
  const network = createNetwork();
  network.isLost = () => true;
  say(network.left, 1);
  network.run(seconds(30));
  network.isLost = () => false;
  say(network.left, 2);
  network.run(millis(200));
  assert.equal(heard(network.right), [2]);
});

test('session control: a stock peer is said nothing, and no session is made for it', () => {
  const network = new SessionNetwork([undefined, undefined]);
  say(network.left, 1);
  network.run(seconds(1));
  assert.is(unsent(network.left), 1);
  assert.is(initiations(network, network.left), 0);
});

test('session control: a peer that restarted gets a session at once, and no flood of them', () => {
  const network = createNetwork();
  network.connect();
  network.run(seconds(10));
  network.right.restart(FEATURES);
  const before = initiations(network, network.left);
  for (let again = 0; again < 20; again++) {
    network.left.handle({ kind: 'peerRestarted' });
    network.run(millis(100));
  }
  assert.is(initiations(network, network.left) - before, 1);
  say(network.left, 7);
  network.run(millis(100));
  assert.equal(heard(network.right), [7], 'the new session is in use');
});

test('session control: a peer without a session has none to lose', () => {
  const network = createNetwork();
  network.left.handle({ kind: 'peerRestarted' });
  network.run(seconds(1));
  assert.is(initiations(network, network.left), 0);
});

test('session control: a peer that goes by another key keeps its session', () => {
  const network = createNetwork();
  network.connect();
  const { publicKey } = createParty('another').keys;
  network.left.handle({ kind: 'publicKey', publicKey });
  say(network.left, 1);
  say(network.right, 2);
  network.run(millis(50));
  assert.equal([heard(network.left), heard(network.right)], [[2], [1]]);
});

test.run();
