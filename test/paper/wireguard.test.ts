/**
 * The claims of the WireGuard paper about time, each on two whole hosts under virtual time, to the
 * microsecond.
 */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { present } from '../../src/base/assert.js';
import {
  after,
  type Duration,
  elapsed,
  type Instant,
  micros,
  seconds,
} from '../../src/base/time.js';
import type { TableWrite } from '../../src/datapath/tables.js';
import { MESSAGE_DATA, MESSAGE_INITIATION, MESSAGE_RESPONSE } from '../../src/wire/wireguard.js';
import { connect, createPair, onlyPeer, type Pair, ping } from '../support/pair.js';
import type { Host, Sent } from '../support/virtual_network.js';

const test = suite('paper/wireguard');
const TICK = micros(1);
const KEEPALIVE_BYTES = 32;

/** A session from left to right, all its first timers run out. */
function settled(options?: Parameters<typeof createPair>[0]): Pair {
  const pair = createPair(options);
  connect(pair);
  pair.network.run(seconds(30));
  pair.network.sent.length = 0;
  return pair;
}

/** When the keypair that the host sends with was made. */
function keypairMadeAt(host: Host): Instant {
  const installed = host.writes.filter(isInstall).at(-1);
  return present(installed, 'a keypair was installed').keypair.createdAt;
}

function isInstall(write: TableWrite): write is Extract<TableWrite, { kind: 'installKeypair' }> {
  return write.kind === 'installKeypair';
}

/** Runs until one tick before `at`. */
function runToJustBefore({ network }: Pair, at: Instant): void {
  network.run(micros(elapsed(network.now, at) - TICK));
}

function keepalives({ network }: Pair, from: Host): Sent[] {
  return network
    .sentOfType(MESSAGE_DATA, from)
    .filter(({ datagram }) => datagram.length === KEEPALIVE_BYTES);
}

function instants(sent: readonly Sent[]): Instant[] {
  return sent.map(({ at }) => at);
}

function gaps(sent: readonly Sent[]): Duration[] {
  const all = instants(sent);
  return all.slice(1).map((at, i) => elapsed(all[i] ?? at, at));
}

test('§6.4: an initiation without answer is repeated after 5 s and up to 333 ms', () => {
  const pair = createPair();
  pair.network.isLost = () => true;
  ping(pair, pair.left);
  pair.network.run(seconds(89));
  const initiations = pair.network.sentOfType(MESSAGE_INITIATION, pair.left);
  assert.ok(initiations.length >= 17 && initiations.length <= 18, `${initiations.length} tries`);
  for (const gap of gaps(initiations)) {
    assert.ok(gap >= seconds(5) && gap <= micros(5_333_000), `${gap} us between two`);
  }
  assert.ok(new Set(gaps(initiations)).size > 5, 'the jitter differs from try to try');
  const ephemerals = initiations.map(({ datagram }) => datagram.slice(8, 40).join());
  assert.is(new Set(ephemerals).size, initiations.length, 'each try has its own ephemeral key');
});

test('§6.4: a handshake is given up after 90 s, and what waited for it is dropped', () => {
  const pair = createPair();
  pair.network.isLost = () => true;
  const begun = pair.network.now;
  for (let i = 0; i < 3; i++) ping(pair, pair.left);
  runToJustBefore(pair, after(begun, seconds(90)));
  const dropped = () => pair.left.walk.counters().drops.staged_expired;
  assert.is(dropped(), 0n);
  pair.network.run(TICK);
  assert.is(dropped(), 3n);
  assert.is(onlyPeer(pair.left).state, 'idle');
  pair.network.sent.length = 0;
  pair.network.run(seconds(600));
  assert.is(pair.network.sent.length, 0, 'and then there is silence');
  ping(pair, pair.left);
  assert.is(pair.network.sentOfType(MESSAGE_INITIATION).length, 1, 'until there is traffic');
});

test('§6.5: data received is answered after 10 s by a keepalive if nothing else was sent', () => {
  const pair = settled();
  const received = after(pair.network.now, pair.network.latency);
  ping(pair, pair.left);
  const due = after(received, seconds(10));
  runToJustBefore(pair, due);
  assert.equal(instants(keepalives(pair, pair.right)), []);
  pair.network.run(TICK);
  assert.equal(instants(keepalives(pair, pair.right)), [due]);
  pair.network.run(seconds(60));
  assert.is(keepalives(pair, pair.right).length, 1, 'a keepalive is not answered');
  assert.is(keepalives(pair, pair.left).length, 0);
});

test('§6.5: no keepalive where data went back within 10 s', () => {
  const pair = settled();
  ping(pair, pair.left);
  pair.network.run(seconds(9));
  ping(pair, pair.right);
  pair.network.run(seconds(5));
  assert.is(keepalives(pair, pair.right).length, 0);
});

test('§6.5: data sent and nothing heard for 15 s and up to 333 ms makes a new handshake', () => {
  const pair = settled();
  pair.network.isLost = (_, from) => from.text === pair.right.endpoint.text;
  const sentAt = pair.network.now;
  ping(pair, pair.left);
  for (let i = 0; i < 14; i++) {
    pair.network.run(seconds(1));
    ping(pair, pair.left);
  }
  runToJustBefore(pair, after(sentAt, seconds(15)));
  assert.is(pair.network.sentOfType(MESSAGE_INITIATION, pair.left).length, 0);
  pair.network.run(micros(333_000 + TICK));
  const initiations = pair.network.sentOfType(MESSAGE_INITIATION, pair.left);
  assert.is(initiations.length, 1, 'counted from the first packet, not the last');
});

test('§6.5: anything authenticated that is heard prevents the new handshake', () => {
  const pair = settled();
  ping(pair, pair.left);
  pair.network.run(seconds(60));
  assert.is(pair.network.sentOfType(MESSAGE_INITIATION).length, 0);
});

test('§6.2: the initiator asks for a new session when it sends at 120 s, not before', () => {
  const pair = settled();
  const due = after(keypairMadeAt(pair.left), seconds(120));
  runToJustBefore(pair, due);
  ping(pair, pair.left);
  assert.is(pair.network.sentOfType(MESSAGE_INITIATION).length, 0);
  pair.network.run(TICK);
  ping(pair, pair.left);
  assert.equal(instants(pair.network.sentOfType(MESSAGE_INITIATION, pair.left)), [due]);
  ping(pair, pair.left);
  assert.is(pair.network.sentOfType(MESSAGE_INITIATION).length, 1, 'once');
});

test('§6.2: the responder never asks for a new session, however much it sends', () => {
  const pair = settled();
  const madeAt = keypairMadeAt(pair.right);
  for (let second = 0; second < 600; second++) {
    ping(pair, pair.right);
    pair.network.run(seconds(1));
  }
  assert.is(pair.network.sentOfType(MESSAGE_INITIATION, pair.right).length, 0);
  const rekeys = pair.network.sentOfType(MESSAGE_INITIATION, pair.left).length;
  assert.ok(rekeys >= 4 && rekeys <= 5, `${rekeys} by the initiator, whose keepalives are sent`);
  assert.ok(elapsed(madeAt, keypairMadeAt(pair.right)) >= seconds(480));
});

test('§6.2: an initiator that only receives asks for a new session at 165 s', () => {
  const pair = settled();
  const peer = present(pair.right.config.peers[0], 'a peer');
  const persistent = { ...peer, persistentKeepalive: seconds(1) };
  pair.right.configure({ ...pair.right.config, peers: [persistent] });
  const due = after(keypairMadeAt(pair.left), seconds(165));
  runToJustBefore(pair, due);
  assert.is(pair.network.sentOfType(MESSAGE_INITIATION).length, 0);
  pair.network.run(seconds(1));
  const initiations = pair.network.sentOfType(MESSAGE_INITIATION, pair.left);
  assert.is(initiations.length, 1);
  assert.is(pair.network.sentOfType(MESSAGE_INITIATION, pair.right).length, 0);
});

test('§6.2: a keypair 180 s old neither sends nor receives', () => {
  const pair = settled();
  pair.network.isLost = (datagram) => datagram[0] === MESSAGE_INITIATION;
  const due = after(keypairMadeAt(pair.left), seconds(180));
  runToJustBefore(pair, due);
  pair.network.sent.length = 0;
  ping(pair, pair.left);
  const last = present(pair.network.sentOfType(MESSAGE_DATA, pair.left)[0], 'it still sends');
  pair.network.run(TICK);
  ping(pair, pair.left);
  assert.is(pair.network.sentOfType(MESSAGE_DATA, pair.left).length, 1, 'now it does not');
  const before = pair.right.received.length;
  pair.network.run(seconds(1));
  pair.right.receive(last.datagram, last.from);
  assert.is(pair.right.received.length, before, 'the responder made its keypair earlier still');
  assert.ok(pair.right.walk.counters().drops.keypair_expired >= 1n);
});

test('§6.3: every key is erased 540 s after the last session was made', () => {
  const pair = settled();
  for (const host of [pair.left, pair.right]) {
    const due = after(keypairMadeAt(host), seconds(540));
    if (due <= pair.network.now) throw new Error('The hosts are looked at in order of age');
  }
  const ages = [pair.right, pair.left].map((host) => [host, keypairMadeAt(host)] as const);
  for (const [host, made] of ages) {
    runToJustBefore(pair, after(made, seconds(540)));
    assert.is(host.walk.sizes().keypairs, 1, `${host.name} just before`);
    pair.network.run(TICK);
    assert.is(host.walk.sizes().keypairs, 0, `${host.name} at 540 s`);
  }
});

test('§6.5, wg(8): a persistent keepalive goes when nothing went either way for its time', () => {
  const pair = createPair({ persistentKeepalive: seconds(25) });
  assert.is(pair.network.sentOfType(MESSAGE_INITIATION, pair.left).length, 1, 'at once');
  pair.network.run(seconds(110));
  const confirmed = present(keepalives(pair, pair.left)[0], 'the session was confirmed');
  const sent = instants(keepalives(pair, pair.left));
  assert.equal(
    sent.map((at) => elapsed(confirmed.at, at)),
    [0, 25, 50, 75, 100].map(seconds),
  );
  const traffic = after(pair.network.now, seconds(3));
  pair.network.run(seconds(3));
  ping(pair, pair.right);
  const heard = after(traffic, pair.network.latency);
  pair.network.sent.length = 0;
  pair.network.run(seconds(9));
  assert.is(keepalives(pair, pair.left).length, 0, 'what was heard counts too');
  pair.network.run(seconds(2));
  const [answer] = keepalives(pair, pair.left);
  assert.is(answer?.at, after(heard, seconds(10)), 'but is answered');
});

test('§5.4.4: suspended for an hour, no old key seals the first packet (kernel: boot time)', () => {
  const pair = settled();
  pair.network.suspend(seconds(3600));
  const woken = pair.network.now;
  ping(pair, pair.left);
  assert.is(pair.network.sentOfType(MESSAGE_DATA).length, 0);
  pair.network.run(seconds(1));
  const [first] = pair.network.sent;
  assert.is(first?.datagram[0], MESSAGE_INITIATION);
  assert.is(first?.at, woken);
  assert.ok(pair.network.sent.length <= 4, 'and no timer fires in a burst');
  assert.is(new TextDecoder().decode(pair.right.received.at(-1)?.subarray(20)), 'ping');
});

test('§6.1: at most one initiation goes out in 5 s, whatever asks for it', () => {
  const pair = createPair();
  pair.network.isLost = (datagram) => datagram[0] === MESSAGE_RESPONSE;
  for (let ms = 0; ms < 60_000; ms += 100) {
    ping(pair, pair.left);
    pair.network.run(micros(100_000));
  }
  for (const gap of gaps(pair.network.sentOfType(MESSAGE_INITIATION, pair.left))) {
    assert.ok(gap >= seconds(5), `${gap} us between two`);
  }
});

test('§5.1: what does not authenticate gets no answer at all', () => {
  const pair = settled();
  const noise = pair.network.random;
  const datagrams = [148, 92, 64, 32, 1000].map((length, at) => {
    const datagram = noise.bytes(length);
    datagram.set([Math.min(at + 1, 4), 0, 0, 0]);
    return datagram;
  });
  for (const datagram of datagrams) pair.right.receive(datagram, pair.left.endpoint);
  pair.network.run(seconds(5));
  assert.is(pair.network.sent.length, 0);
});

test.run();
