import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { present } from '../../src/base/assert.js';
import { isZero } from '../../src/base/bytes.js';
import { SILENT } from '../../src/base/log.js';
import { SeededRandom } from '../../src/base/random.js';
import { after, instant, micros, millis, NEVER, seconds, wallTime } from '../../src/base/time.js';
import { generatePrivateKey } from '../../src/crypto/keys.js';
import { SodiumSuite } from '../../src/io/sodium.js';
import type { NodeAction } from '../../src/node/action.js';
import type { PeerConfig } from '../../src/node/config.js';
import { Node } from '../../src/node/node.js';
import { MESSAGE_DATA, MESSAGE_INITIATION } from '../../src/wire/wireguard.js';
import { LOW_ORDER_KEYS } from '../support/low_order.js';
import { configOf, connect, createPair, onlyPeer, ping } from '../support/pair.js';
import { address, prefix } from '../support/parsed.js';

const test = suite('node');
const SEED = process.env.SEED ?? 'node';
const CRYPTO = new SodiumSuite();
const START = instant(seconds(100));

function createNode(seed = SEED): Node {
  const node = new Node({ crypto: CRYPTO, random: new SeededRandom(seed), log: SILENT });
  node.handle({ kind: 'wallClock', wall: wallTime(1_795_392_000_000_000) }, START);
  return node;
}

function privateKey(name: string): Uint8Array {
  return generatePrivateKey(new SeededRandom(`${SEED}/${name}`));
}

function peer(name: string, more: Partial<PeerConfig> = {}): PeerConfig {
  return { name, publicKey: CRYPTO.publicKey(privateKey(name)), allowedIps: [], ...more };
}

function actionsOf(node: Node): NodeAction[] {
  const actions: NodeAction[] = [];
  node.drain(actions);
  return actions;
}

function kindsOf(node: Node): string[] {
  return actionsOf(node).map((action) =>
    action.kind === 'write' ? action.write.kind : action.kind,
  );
}

test('node: before it is configured it drops handshakes, and wants nothing', () => {
  const node = createNode();
  const source = createPair().left.endpoint;
  const datagram = new Uint8Array(148).fill(1, 0, 1);
  node.handle({ kind: 'walk', event: { kind: 'handshake', datagram, source, queued: 0 } }, START);
  assert.is(node.snapshot().handshakeDrops.no_identity, 1);
  assert.equal(kindsOf(node), []);
  assert.is(node.deadline(), NEVER);
});

test('node: a configuration becomes table writes, in an order that the walk can take', () => {
  const node = createNode();
  const allowedIps = [prefix('10.0.0.0/24')];
  const endpoint = { host: '192.0.2.9', port: 51820 };
  const config = configOf(privateKey('us'), [peer('a', { allowedIps, endpoint }), peer('b')]);
  node.handle({ kind: 'configure', config }, START);
  const own = ['setMac1Key', 'setVtepMac', 'setOwnAddresses'];
  const peers = ['addPeer', 'addPeer', 'insertPrefix', 'setEndpoint'];
  assert.equal(kindsOf(node), [...own, ...peers]);
  node.handle({ kind: 'configure', config }, after(START, seconds(1)));
  assert.equal(kindsOf(node), [], 'the same again changes nothing');
  assert.is(node.deadline(), NEVER, 'idle peers wake nobody');
  node.handle({ kind: 'configure', config: { ...config, peers: [] } }, after(START, seconds(2)));
  assert.equal(kindsOf(node), ['removePeer', 'removePeer']);
});

test('node: its own public key as a peer is left out with a warning', () => {
  const { left } = createPair();
  const own = { ...peer('own'), publicKey: CRYPTO.publicKey(left.config.privateKey) };
  left.configure({ ...left.config, peers: [own] });
  assert.equal(left.node.snapshot().peers, []);
  const warnings = left.logged.filter(({ level }) => level === 'warn');
  assert.equal(
    warnings.map(({ fields }) => fields),
    [{ peer: 'own', why: 'own_key' }],
  );
});

test('node: peers whose public keys are of low order are sent nothing (attack row 5)', () => {
  const pair = createPair();
  pair.network.run(seconds(1));
  const peers = LOW_ORDER_KEYS.map(([name, publicKey], at) => ({
    name,
    publicKey,
    endpoint: { host: '192.0.2.2', port: 51820 },
    allowedIps: [prefix(`10.1.0.${at}/32`)],
    persistentKeepalive: seconds(1),
  }));
  pair.left.configure({ ...pair.left.config, peers });
  for (const { slot } of pair.left.node.snapshot().peers) {
    pair.left.tell({ kind: 'sessionNeeded', peer: slot, reason: 'staged' });
  }
  pair.network.run(seconds(2));
  assert.is(pair.network.sent.length, 0);
  assert.ok((pair.left.node.snapshot().handshakeDrops.unsendable ?? 0) >= 7);
});

test('node: a peer that stays keeps its session, its endpoint and its slot', () => {
  const pair = createPair();
  connect(pair);
  const before = onlyPeer(pair.left);
  const extra = peer('extra', { endpoint: { host: '192.0.2.77', port: 1 } });
  pair.left.configure({ ...pair.left.config, peers: [extra, ...pair.left.config.peers] });
  const now = present(pair.left.node.snapshot().peers[1], 'two peers');
  assert.equal([now.slot, now.state, now.endpoint], [before.slot, 'established', before.endpoint]);
  pair.network.sent.length = 0;
  ping(pair, pair.left);
  pair.network.run(seconds(1));
  assert.is(pair.network.sentOfType(MESSAGE_INITIATION).length, 0);
  assert.is(pair.right.received.length, 2);
});

test('node: a removed peer is gone at once, with its keys', () => {
  const pair = createPair();
  connect(pair);
  pair.right.configure({ ...pair.right.config, peers: [] });
  assert.equal(pair.right.walk.sizes(), { peers: 0, prefixes: 0, keypairs: 0, endpoints: 0 });
  const before = pair.right.received.length;
  ping(pair, pair.left);
  pair.network.run(seconds(30));
  assert.is(pair.right.received.length, before);
  assert.is(pair.network.sentOfType(2, pair.right).length, 1, 'only the first was answered');
});

test('node: a changed private key ends every session, and both sides go on at once (WG-8)', () => {
  const pair = createPair();
  connect(pair);
  const fresh = privateKey('fresh');
  const publicKey = CRYPTO.publicKey(fresh);
  pair.network.sent.length = 0;
  pair.right.configure({
    ...pair.right.config,
    peers: pair.right.config.peers.map((each) => ({ ...each, publicKey })),
  });
  pair.left.configure({ ...pair.left.config, privateKey: fresh });
  ping(pair, pair.left, 'renewed');
  pair.network.run(millis(200));
  assert.is(new TextDecoder().decode(pair.right.received.at(-1)?.subarray(20)), 'renewed');
  assert.is(pair.left.walk.sizes().keypairs, 1, 'no keypair of the old key is left');
});

test('node: a preshared key takes effect with the next handshake', () => {
  const pair = createPair();
  connect(pair);
  const presharedKey = new Uint8Array(32).fill(3);
  for (const host of [pair.left, pair.right]) {
    const peers = host.config.peers.map((each) => ({ ...each, presharedKey }));
    host.configure({ ...host.config, peers });
  }
  assert.is(onlyPeer(pair.left).state, 'established', 'sessions are kept');
  assert.ok(onlyPeer(pair.left).hasPresharedKey);
  pair.network.run(seconds(130));
  for (let i = 0; i < 60; i++) {
    ping(pair, pair.left);
    pair.network.run(seconds(1));
  }
  assert.is(pair.right.received.length, 61);
  assert.is(pair.right.node.snapshot().handshakeDrops.response_tag, 0);
});

test('node: a host name is resolved, retried, and asked again when handshakes fail', () => {
  const pair = createPair();
  const [known] = pair.left.config.peers;
  const named = { ...present(known, 'a peer'), endpoint: { host: 'right.example', port: 51820 } };
  pair.left.configure({ ...pair.left.config, peers: [] });
  pair.left.configure({ ...pair.left.config, peers: [named] });
  assert.equal(
    pair.left.asked.map(({ host, port }) => `${host}:${port}`),
    ['right.example:51820'],
  );
  assert.is(onlyPeer(pair.left).endpoint, undefined);
  pair.left.names.set('right.example', address('192.0.2.2'));
  pair.network.run(seconds(6));
  assert.is(pair.left.asked.length, 2);
  connect(pair);
  assert.is(pair.right.received.length, 1);

  pair.network.run(seconds(30));
  pair.left.names.set('right.example', address('192.0.2.22'));
  pair.right.endpoint = {
    ...pair.right.endpoint,
    address: address('192.0.2.22'),
    text: '192.0.2.22:51820',
  };
  pair.network.run(seconds(170));
  ping(pair, pair.left);
  pair.network.run(seconds(91));
  assert.is(pair.left.asked.length, 3, 'after a handshake was given up');
  assert.is(onlyPeer(pair.left).endpoint?.text, '192.0.2.22:51820');
  ping(pair, pair.left);
  pair.network.run(seconds(6));
  assert.is(pair.right.received.length, 2);
});

test('node: a name that resolves late does not move a peer that is being heard', () => {
  const pair = createPair({ rightKnowsLeft: false });
  const [known] = pair.right.config.peers;
  const named = { ...present(known, 'a peer'), endpoint: { host: 'left.example', port: 4 } };
  pair.right.configure({ ...pair.right.config, peers: [named] });
  connect(pair);
  pair.right.names.set('left.example', address('203.0.113.1'));
  pair.network.run(seconds(10));
  assert.is(onlyPeer(pair.right).endpoint?.text, pair.left.endpoint.text);
});

test('node: a wall clock that jumps is warned of once a jump, and once a minute at most', () => {
  const { network, left } = createPair();
  const warnings = () => left.logged.filter(({ level }) => level === 'warn').length;
  const hour = 3_600_000_000;
  const rows: readonly (readonly [wait: number, jump: number, expected: number])[] = [
    [1, 30_000_000, 0],
    [1, -60_000_000, 0],
    [1, hour, 1],
    [1, 0, 1],
    [1, -hour, 1],
    [61, 10 * 365 * 24 * hour, 2],
    [61, 0, 2],
    [61, -10 * 365 * 24 * hour, 3],
  ];
  for (const [wait, jump, expected] of rows) {
    network.run(seconds(wait));
    left.setWallClock(wallTime(network.now + left.wallOffset + jump));
    assert.is(warnings(), expected, `${jump} us`);
  }
});

test('node: a wall clock that jumps moves no timer (attack row 44)', () => {
  const pair = createPair({ persistentKeepalive: seconds(25) });
  pair.network.run(seconds(1));
  const before = pair.left.deadline();
  pair.network.sent.length = 0;
  for (const years of [10, -1, 0]) {
    const wall = 1_795_392_000_000_000 + years * 365 * 86_400_000_000;
    pair.left.setWallClock(wallTime(wall));
    assert.is(pair.left.deadline(), before);
  }
  assert.is(pair.network.sent.length, 0);
});

test('node: keys handed to the walk are wiped when the shell calls again', () => {
  const pair = createPair();
  connect(pair);
  pair.left.advance();
  const installed = pair.left.writes.filter((write) => write.kind === 'installKeypair');
  assert.is(installed.length, 1);
  for (const { keypair } of installed) {
    assert.ok(isZero(keypair.sendKey) && isZero(keypair.receiveKey));
  }
});

test('node: stopping erases every key, and nothing wakes it again', () => {
  const pair = createPair({ persistentKeepalive: seconds(25) });
  connect(pair);
  pair.left.stop();
  assert.is(pair.left.walk.sizes().keypairs, 0);
  assert.is(pair.left.deadline(), NEVER);
  assert.ok(isZero(pair.left.node.snapshot().publicKey));
  pair.left.tell({ kind: 'sessionNeeded', peer: onlyPeer(pair.left).slot, reason: 'staged' });
  pair.network.sent.length = 0;
  pair.network.run(seconds(100));
  assert.is(pair.network.sentOfType(MESSAGE_DATA, pair.left).length, 0);
  assert.is(pair.network.sentOfType(MESSAGE_INITIATION, pair.left).length, 0);
});

test('node: the same inputs give the same actions, byte for byte', () => {
  const traces = [0, 1].map(() => {
    const pair = createPair({ seed: 'determinism', persistentKeepalive: seconds(7) });
    for (let i = 0; i < 200; i++) {
      ping(pair, i % 3 === 0 ? pair.right : pair.left);
      pair.network.run(millis(1700));
    }
    return pair.network.sent.map(({ at, datagram }) => `${at} ${datagram.join()}`).join('\n');
  });
  assert.ok(traces[0] === traces[1]);
  assert.ok((traces[0]?.length ?? 0) > 10_000);
});

test('node: time does not go back', () => {
  const node = createNode();
  assert.throws(() => node.advance(after(START, micros(-1))), /does not go back/);
});

test.run();
