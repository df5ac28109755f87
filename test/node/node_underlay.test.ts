/** The node and the underlay: the form of messages, keys that come and go, and other addresses. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Endpoint, withVni } from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import { isZero } from '../../src/base/bytes.js';
import { after, millis, NEVER, seconds, wallTime } from '../../src/base/time.js';
import type { ClearPeerConfig } from '../../src/node/config.js';
import { MESSAGE_DATA, MESSAGE_INITIATION, MESSAGE_RESPONSE } from '../../src/wire/wireguard.js';
import { connect, createPair, onlyPeer, type Pair, ping } from '../support/pair.js';
import { address, endpoint, prefix } from '../support/parsed.js';
import type { Host } from '../support/virtual_network.js';

const test = suite('node_underlay');
const VNI = 4096;

function setForm(host: Host, sealedVni: number | undefined): void {
  const peers = host.config.peers.map(({ sealedVni: _, ...peer }) => {
    return sealedVni === undefined ? peer : { ...peer, sealedVni };
  });
  host.configure({ ...host.config, peers });
}

function hear(host: Host, datagram: Uint8Array, source: Endpoint): void {
  host.tell({ kind: 'handshake', datagram, source, queued: 0 });
}

function endpointWrites(host: Host): (Endpoint | undefined)[] {
  return host.writes.flatMap((write) => (write.kind === 'setEndpoint' ? [write.endpoint] : []));
}

/** The left host's first initiation, which nobody has seen yet. */
function initiationOf(pair: Pair): Uint8Array {
  pair.network.isLost = () => true;
  pair.left.tell({ kind: 'sessionNeeded', peer: onlyPeer(pair.left).slot, reason: 'staged' });
  pair.network.isLost = () => false;
  return present(pair.network.sentOfType(MESSAGE_INITIATION, pair.left).at(-1), 'one').datagram;
}

test('encapsulation: a configured endpoint carries the VNI, and the walk is told the form', () => {
  const pair = createPair();
  setForm(pair.left, VNI);
  assert.is(onlyPeer(pair.left).endpoint?.vni, VNI);
  assert.is(onlyPeer(pair.left).sealedVni, VNI);
  const kinds = pair.left.writes.map(({ kind }) => kind);
  assert.ok(kinds.indexOf('setEncapsulation') < kinds.lastIndexOf('setEndpoint'));
  assert.is(endpointWrites(pair.left).at(-1)?.vni, VNI);
  setForm(pair.left, undefined);
  assert.is(onlyPeer(pair.left).endpoint?.vni, undefined);
  assert.is(endpointWrites(pair.left).at(-1)?.vni, undefined);
});

test('encapsulation: a peer that is new is spoken to in its form from the first message', () => {
  const pair = createPair();
  const { peers } = pair.left.config;
  pair.left.configure({ ...pair.left.config, peers: [] });
  const vxlan = peers.map((peer) => ({ ...peer, sealedVni: VNI }));
  pair.left.configure({ ...pair.left.config, peers: vxlan });
  assert.is(onlyPeer(pair.left).endpoint?.vni, VNI);
  const [peer] = vxlan;
  const named = { ...present(peer, 'a peer'), endpoint: { host: 'right.example', port: 51820 } };
  pair.left.names.set('right.example', address('192.0.2.2'));
  pair.left.configure({ ...pair.left.config, peers: [] });
  pair.left.configure({ ...pair.left.config, peers: [named] });
  assert.is(onlyPeer(pair.left).endpoint?.vni, VNI, 'where a name led to, too');
  ping(pair, pair.left);
  assert.ok(pair.network.sent.length > 0);
  assert.ok(pair.network.sent.every(({ datagram }) => datagram[0] === 8));
});

/** The form the right host expects, the form of what comes, whether it is answered. */
const FORMS: readonly (readonly [number | undefined, number | undefined, boolean])[] = [
  [undefined, undefined, true],
  [VNI, VNI, true],
  [VNI, undefined, false],
  [undefined, VNI, false],
  [VNI, VNI + 1, false],
];

for (const [expected, form, isAnswered] of FORMS) {
  const name = `encapsulation: an initiation of form ${form ?? 'bare'} to ${expected ?? 'bare'}`;
  test(`${name} is ${isAnswered ? 'answered in it' : 'dropped'}`, () => {
    const pair = createPair();
    const datagram = initiationOf(pair);
    setForm(pair.right, expected);
    hear(pair.right, datagram, withVni(pair.left.endpoint, form));
    const answers = pair.network.sentOfType(MESSAGE_RESPONSE, pair.right);
    assert.is(answers.length, isAnswered ? 1 : 0);
    const dropped = pair.right.node.snapshot().handshakeDrops.encapsulation;
    assert.is(dropped, isAnswered ? 0 : 1);
    if (isAnswered) assert.is(answers[0]?.to.vni, form);
  });
}

test('encapsulation: traffic goes both ways behind VXLAN, and nothing goes bare', () => {
  const pair = createPair({ rightKnowsLeft: false });
  for (const host of [pair.left, pair.right]) setForm(host, VNI);
  pair.network.sent.length = 0;
  connect(pair);
  for (const from of [pair.right, pair.left]) ping(pair, from);
  pair.network.run(seconds(1));
  assert.equal([pair.left.received.length, pair.right.received.length], [1, 2]);
  assert.ok(pair.network.sent.length >= 5);
  assert.ok(pair.network.sent.every(({ datagram }) => datagram[0] === 8));
  setForm(pair.right, VNI + 1);
  ping(pair, pair.left);
  pair.network.run(seconds(1));
  assert.is(pair.right.received.length, 2, 'another network');
  assert.is(pair.right.walk.counters().drops.encapsulation, 1n);
});

test('encapsulation: a session goes on in another form as soon as both ends have it', () => {
  const pair = createPair();
  connect(pair);
  for (const host of [pair.left, pair.right]) setForm(host, VNI);
  pair.network.sent.length = 0;
  ping(pair, pair.right);
  pair.network.run(seconds(1));
  assert.is(pair.left.received.length, 1);
  assert.is(pair.network.sentOfType(MESSAGE_INITIATION).length, 0);
});

test('encapsulation: a response and a cookie reply of another form are dropped', () => {
  const pair = createPair();
  const datagram = initiationOf(pair);
  hear(pair.right, datagram, pair.left.endpoint);
  const response = present(pair.network.sentOfType(MESSAGE_RESPONSE)[0], 'an answer').datagram;
  hear(pair.left, response, withVni(pair.right.endpoint, VNI));
  const cookie = new Uint8Array(64);
  cookie[0] = 3;
  cookie.set(datagram.subarray(4, 8), 4);
  hear(pair.left, cookie, withVni(pair.right.endpoint, VNI));
  assert.is(pair.left.node.snapshot().handshakeDrops.encapsulation, 2);
  assert.is(onlyPeer(pair.left).state, 'handshaking');
  hear(pair.left, response, pair.right.endpoint);
  assert.is(onlyPeer(pair.left).state, 'established', 'it was worth nothing to lose');
});

test('encapsulation: a cookie reply goes back in the form it was asked in', () => {
  const pair = createPair();
  const datagram = initiationOf(pair);
  const source = withVni(endpoint('198.51.100.1:9'), 5);
  pair.right.tell({ kind: 'handshake', datagram, source, queued: 1_000 });
  const reply = present(pair.network.sentOfType(3, pair.right)[0], 'a cookie reply');
  assert.is(reply.to.vni, 5);
});

test('encapsulation: a move that is told late takes the form that is configured by then', () => {
  const pair = createPair({ rightKnowsLeft: false });
  const { slot } = onlyPeer(pair.right);
  setForm(pair.right, VNI);
  pair.right.tell({ kind: 'roamed', peer: slot, endpoint: endpoint('192.0.2.7:7') });
  assert.equal(
    [onlyPeer(pair.right).endpoint?.text, onlyPeer(pair.right).endpoint?.vni],
    ['192.0.2.7:7', VNI],
  );
  setForm(pair.right, undefined);
  assert.is(onlyPeer(pair.right).endpoint?.vni, undefined, 'one that was learned, too');
});

test('identity: without a private key sessions end, peers stay, and handshakes are counted', () => {
  const pair = createPair();
  connect(pair);
  const { privateKey } = pair.left.config;
  pair.left.configure({ ...pair.left.config, privateKey: new Uint8Array(32) });
  assert.is(pair.left.walk.sizes().keypairs, 0);
  assert.is(pair.left.node.snapshot().peers.length, 1);
  assert.ok(isZero(pair.left.node.snapshot().publicKey));
  pair.network.sent.length = 0;
  const before = pair.left.node.snapshot().handshakeDrops.no_identity ?? 0;
  ping(pair, pair.left);
  pair.network.run(seconds(20));
  assert.is(pair.network.sentOfType(MESSAGE_INITIATION, pair.left).length, 0);
  assert.ok((pair.left.node.snapshot().handshakeDrops.no_identity ?? 0) > before);
  assert.is(pair.left.node.snapshot().handshakeDrops.unsendable, 0);
  pair.left.configure({ ...pair.left.config, privateKey });
  const received = pair.right.received.length;
  pair.network.run(seconds(1));
  assert.is(pair.right.received.length, received + 1, 'what waited goes out once there is a key');
});

test('identity: the walk is told the mac1 key of the first identity and of each later one', () => {
  const { left } = createPair();
  const told = () => left.writes.filter(({ kind }) => kind === 'setMac1Key').length;
  assert.is(told(), 1);
  left.configure({ ...left.config, privateKey: new Uint8Array(32) });
  assert.is(told(), 1);
  left.configure({ ...left.config, privateKey: new Uint8Array(32).fill(64) });
  assert.is(told(), 2);
});

const LOCAL = { address: address('192.0.2.2'), interfaceIndex: 2 };

test('underlay: a change makes the peer learn at once where we are, from whatever address', () => {
  const pair = createPair();
  pair.left.local = { address: address('192.0.2.1'), interfaceIndex: 2 };
  pair.right.local = LOCAL;
  connect(pair);
  assert.is(onlyPeer(pair.left).endpoint?.local?.address.text, '192.0.2.1');
  pair.network.sent.length = 0;
  pair.left.endpoint = endpoint('192.0.2.11:51820');
  pair.left.local = undefined;
  pair.left.changeUnderlay();
  assert.is(onlyPeer(pair.left).endpoint?.local, undefined);
  assert.is(endpointWrites(pair.left).at(-1)?.local, undefined);
  assert.is(pair.network.sentOfType(MESSAGE_DATA).length, 1, 'a keepalive');
  pair.network.run(millis(100));
  assert.is(onlyPeer(pair.right).endpoint?.text, '192.0.2.11:51820');
});

test('underlay: a peer that the change does not concern hears nothing of it', () => {
  const pair = createPair();
  pair.right.local = LOCAL;
  connect(pair);
  const before = onlyPeer(pair.right).endpoint;
  pair.network.sent.length = 0;
  pair.right.changeUnderlay(new Set([onlyPeer(pair.right).slot]));
  pair.network.run(seconds(2));
  assert.equal(onlyPeer(pair.right).endpoint, before);
  assert.is(pair.network.sent.length, 0);
  pair.right.changeUnderlay();
  assert.is(onlyPeer(pair.right).endpoint?.local, undefined);
});

test('underlay: it is acted on once a second, and the last change is not forgotten', () => {
  const pair = createPair();
  connect(pair);
  pair.network.sent.length = 0;
  for (let i = 0; i < 10; i++) {
    pair.left.changeUnderlay();
    pair.network.run(millis(10));
  }
  assert.is(pair.network.sentOfType(MESSAGE_DATA, pair.left).length, 1);
  pair.network.run(seconds(1));
  assert.is(pair.network.sentOfType(MESSAGE_DATA, pair.left).length, 2);
  pair.network.run(seconds(5));
  assert.is(pair.network.sentOfType(MESSAGE_DATA, pair.left).length, 2);
});

test('underlay: an initiation is repeated, but not within REKEY_TIMEOUT of the last', () => {
  const pair = createPair();
  pair.network.isLost = () => true;
  ping(pair, pair.left);
  const sent = () => pair.network.sentOfType(MESSAGE_INITIATION, pair.left).length;
  assert.is(sent(), 1);
  pair.network.run(seconds(2));
  pair.left.changeUnderlay();
  assert.is(sent(), 1);
  pair.network.run(seconds(3));
  assert.is(sent(), 2, 'five seconds after the first, without jitter');
});

test('underlay: peers that nobody talks to are left in peace', () => {
  const pair = createPair();
  const before = pair.left.writes.length;
  pair.left.changeUnderlay();
  assert.equal([pair.network.sent.length, pair.left.writes.length], [0, before]);
  assert.is(pair.left.deadline(), NEVER);
});

function clearPeer(more: Partial<ClearPeerConfig> = {}): ClearPeerConfig {
  return {
    name: 'clear',
    carrier: { kind: 'udp' },
    endpoint: endpoint('192.0.2.9:8285'),
    allowedIps: [prefix('10.9.0.0/16')],
    ...more,
  };
}

test('clear peers: they come and go without touching a session, and are apart', () => {
  const pair = createPair();
  connect(pair);
  pair.left.writes.length = 0;
  pair.left.configure({ ...pair.left.config, clearPeers: [clearPeer()] });
  assert.equal(
    pair.left.writes.map(({ kind }) => kind),
    ['addPeer', 'setEncapsulation', 'insertPrefix'],
  );
  const { peers, clearPeers } = pair.left.node.snapshot();
  assert.equal([peers.length, clearPeers.map(({ name }) => name)], [1, ['clear']]);
  pair.left.configure({ ...pair.left.config, clearPeers: [] });
  assert.is(pair.left.writes.at(-1)?.kind, 'removePeer');
  assert.is(onlyPeer(pair.left).state, 'established');
});

test('clear peers: the node wakes for the end of one, and the wall clock moves it', () => {
  const { network, left } = createPair();
  const plaintextUntil = wallTime(network.now + left.wallOffset + seconds(3_600));
  left.configure({ ...left.config, clearPeers: [clearPeer({ plaintextUntil })] });
  assert.is(left.deadline(), after(network.now, seconds(3_600)));
  left.setWallClock(wallTime(network.now + left.wallOffset + seconds(3_000)));
  assert.is(left.deadline(), after(network.now, seconds(600)));
  assert.is(left.writes.at(-1)?.kind, 'setEncapsulation');
  network.run(seconds(600));
  assert.ok(left.node.snapshot().clearPeers[0]?.hasEnded);
  const warnings = left.logged.filter(({ message }) => message === 'plaintext ended');
  assert.equal(
    warnings.map(({ fields }) => fields),
    [{ peer: 'clear' }],
  );
  left.stop();
  assert.is(left.deadline(), NEVER);
});

test.run();
