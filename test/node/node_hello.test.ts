/** A node and a peer of heddle's own protocol: what configuration, log and snapshot make of it. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { present } from '../../src/base/assert.js';
import { isZero } from '../../src/base/bytes.js';
import type { SessionIndex } from '../../src/base/identifiers.js';
import { type Log, SILENT } from '../../src/base/log.js';
import { SeededRandom } from '../../src/base/random.js';
import { after, type Instant, millis, seconds, wallTime } from '../../src/base/time.js';
import { generatePrivateKey } from '../../src/crypto/keys.js';
import { SodiumSuite } from '../../src/io/sodium.js';
import type { NodeAction } from '../../src/node/action.js';
import type { Config, PeerConfig } from '../../src/node/config.js';
import { Node } from '../../src/node/node.js';
import type { Features } from '../../src/session/features.js';
import type { Session } from '../../src/session/session.js';
import { configOf } from '../support/pair.js';
import { endpoint } from '../support/parsed.js';
import {
  actionsOf,
  createParty,
  createSession,
  initiate,
  only,
  type Party,
  SLOT,
  START,
} from '../support/session_scene.js';

const test = suite('node_hello');
const CRYPTO = new SodiumSuite();
const PRIVATE_KEY = generatePrivateKey(new SeededRandom('node hello'));
const SOURCE = endpoint('192.0.2.2:51820');
const THEIRS: Features = {
  suites: ['aes-256-gcm', 'chacha20-poly1305'],
  lanes: 2,
  trustsChecksums: true,
};
const ABILITIES = { suites: THEIRS.suites, lanes: 4 };

interface Scene {
  readonly node: Node;
  readonly peer: Party;
  /** The other side's session with the node. */
  readonly session: Session;
  readonly lines: string[];
  now: Instant;
}

function createScene(protocol: 'heddle' | undefined, more: Partial<Config> = {}): Scene {
  const peer = createParty('peer');
  const lines: string[] = [];
  const log: Log = { ...SILENT, info: (message) => lines.push(message) };
  const random = new SeededRandom('node');
  const node = new Node({ crypto: CRYPTO, random, log, abilities: ABILITIES });
  node.handle({ kind: 'wallClock', wall: wallTime(1_795_392_000_000_000) }, START);
  const config = {
    name: 'beta',
    publicKey: peer.keys.publicKey,
    endpoint: { host: '192.0.2.2', port: 51820 },
    allowedIps: [],
    ...(protocol === undefined ? {} : { protocol }),
  };
  const keys = { privateKey: PRIVATE_KEY, publicKey: CRYPTO.publicKey(PRIVATE_KEY) };
  const session = createSession(peer, { ...peer, keys });
  const scene = { node, peer, session, lines, now: START };
  configure(scene, config, more);
  return scene;
}

function configure({ node, now }: Scene, peer: PeerConfig, more: Partial<Config>): void {
  node.handle({ kind: 'configure', config: { ...configOf(PRIVATE_KEY, [peer]), ...more } }, now);
}

function drained({ node }: Scene): NodeAction[] {
  const actions: NodeAction[] = [];
  node.drain(actions);
  return actions;
}

function writesOf(actions: readonly NodeAction[]): string[] {
  return actions.flatMap((action) => (action.kind === 'write' ? [action.write.kind] : []));
}

/** The node begins, and the peer answers; returns what the node wants then. */
function handshake(scene: Scene): NodeAction[] {
  const { node, peer, session, now } = scene;
  node.handle(
    { kind: 'walk', event: { kind: 'sessionNeeded', peer: SLOT, reason: 'staged' } },
    now,
  );
  const sent = drained(scene).find((action) => action.kind === 'send');
  if (sent?.kind !== 'send') throw new Error('the node begins');
  const { datagram } = only(initiate(peer, session, sent.datagram, now), 'send');
  const event = { kind: 'handshake', datagram, source: SOURCE, queued: 0 } as const;
  node.handle({ kind: 'walk', event }, now);
  return drained(scene);
}

function baseOf(actions: readonly NodeAction[]): SessionIndex {
  for (const action of actions) {
    if (action.kind === 'write' && action.write.kind === 'installKeypair') {
      return action.write.keypair.localIndex;
    }
  }
  throw new Error('a keypair is installed');
}

/** The peer hears the node's hello and answers; the node has the answer. */
function exchangeHellos(scene: Scene, made: readonly NodeAction[]): NodeAction[] {
  const { node, session, now } = scene;
  const localIndex = baseOf(made);
  for (const action of made) {
    if (action.kind !== 'write' || action.write.kind !== 'sendControl') continue;
    const { message } = action.write;
    session.handle({ kind: 'control', localIndex: peerIndex(made), message }, now);
  }
  const { message } = only(actionsOf(session), 'sendControl');
  node.handle({ kind: 'walk', event: { kind: 'control', peer: SLOT, localIndex, message } }, now);
  return drained(scene);
}

/** The index of the session at the peer. */
function peerIndex(made: readonly NodeAction[]): SessionIndex {
  for (const action of made) {
    if (action.kind === 'write' && action.write.kind === 'installKeypair') {
      return action.write.keypair.remoteIndex;
    }
  }
  throw new Error('a keypair is installed');
}

test('node: a stock peer is said no hello, and its keypair takes no control messages', () => {
  const scene = createScene(undefined);
  const made = handshake(scene);
  assert.not(writesOf(made).includes('sendControl'));
  const install = made.find(
    (action) => action.kind === 'write' && action.write.kind === 'installKeypair',
  );
  if (install?.kind !== 'write' || install.write.kind !== 'installKeypair') throw new Error('none');
  assert.is(install.write.keypair.takesControl, undefined);
  assert.is(install.write.keypair.heddle, undefined);
});

test('node: hellos with a peer of heddle make lanes, as abilities and configuration say', () => {
  for (const [more, suiteName, lanes, trusts] of [
    [{}, 'aes-256-gcm', 4, true],
    [{ lanes: 3, ciphers: ['chacha20-poly1305'] }, 'chacha20-poly1305', 3, true],
    [{ lanes: 1, offloads: switchedOff() }, 'aes-256-gcm', 1, false],
  ] as const) {
    const scene = createScene('heddle', more);
    scene.session.handle({ kind: 'protocol', features: THEIRS }, scene.now);
    const made = handshake(scene);
    const shown = () => present(scene.node.snapshot().peers[0], 'a peer');
    assert.is(shown().protocol, 'wireguard', 'until hellos were exchanged');
    const writes = exchangeHellos(scene, made);
    const kinds = writesOf(writes);
    const installed = kinds.filter((kind) => kind === 'installKeypair').length;
    assert.is(installed, Math.max(lanes, THEIRS.lanes));
    assert.is(kinds.filter((kind) => kind === 'useKeypair').length, lanes);
    const { protocol, suite: used, lanes: sending, trustsChecksums } = shown();
    assert.equal([protocol, used, sending, trustsChecksums], ['heddle', suiteName, lanes, trusts]);
  }
});

test('node: keys of lanes are wiped when the shell has carried them out', () => {
  const scene = createScene('heddle');
  scene.session.handle({ kind: 'protocol', features: THEIRS }, scene.now);
  const writes = exchangeHellos(scene, handshake(scene));
  const keys = writes.flatMap((action) =>
    action.kind === 'write' && action.write.kind === 'installKeypair'
      ? [action.write.keypair.sendKey, action.write.keypair.receiveKey]
      : [],
  );
  assert.is(keys.length, 8);
  for (const key of keys) assert.not(isZero(key));
  scene.node.advance(scene.now);
  for (const key of keys) assert.ok(isZero(key));
});

test('node: a peer that says no hello is told of once, and is used as a stock one', () => {
  const scene = createScene('heddle');
  const told = () => scene.lines.filter((line) => /stock/.test(line)).length;
  for (let session = 1; session <= 2; session++) {
    handshake(scene);
    for (let step = 0; step < 100; step++) {
      scene.now = after(scene.now, millis(100));
      scene.node.advance(scene.now);
    }
    assert.is(told(), 1, `after session ${session}`);
    scene.now = after(scene.now, seconds(200));
  }
  assert.is(scene.node.snapshot().peers[0]?.protocol, 'wireguard');
});

test('node: control messages that come to nothing are counted by reason', () => {
  const scene = createScene('heddle');
  const localIndex = baseOf(handshake(scene));
  for (const message of [
    Uint8Array.of(0x10, 9, 0, 0),
    Uint8Array.of(0x10, 1, 9, 0),
    Uint8Array.of(0x10, 9, 0, 0),
  ]) {
    const event = { kind: 'control', peer: SLOT, localIndex, message } as const;
    scene.node.handle({ kind: 'walk', event }, scene.now);
  }
  assert.equal(scene.node.snapshot().controlDrops, {
    control_malformed: 1,
    control_unknown: 2,
    control_unsent: 0,
    control_stale: 0,
  });
});

test('node: a protocol that changes counts from the next session on, which begins at once', () => {
  const scene = createScene(undefined);
  handshake(scene);
  scene.now = after(scene.now, seconds(30));
  const { publicKey } = scene.peer.keys;
  const config = { name: 'beta', publicKey, allowedIps: [], protocol: 'heddle' } as const;
  configure(scene, config, {});
  const kinds = drained(scene).map(({ kind }) => kind);
  assert.ok(kinds.includes('send'), kinds.join());
  configure(scene, config, {});
  assert.not(
    drained(scene).some(({ kind }) => kind === 'send'),
    'nothing changed',
  );
});

function switchedOff() {
  const auto = { tunTcp: 'auto', tunUdp: 'auto', udpGso: 'auto', udpGro: 'auto' } as const;
  return { ...auto, checksums: 'off' } as const;
}

test.run();
