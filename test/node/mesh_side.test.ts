/**
 * Peers by a mesh: two hosts whose meshes are a test's to speak for. Packets, keypairs and the walk
 * are real.
 */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parsePrefix } from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import { SeededRandom } from '../../src/base/random.js';
import { millis, NEVER, seconds } from '../../src/base/time.js';
import { generatePrivateKey } from '../../src/crypto/keys.js';
import { SodiumSuite } from '../../src/io/sodium.js';
import type { MeshAction, MeshPeer } from '../../src/mesh/action.js';
import type { MeshInput } from '../../src/mesh/input.js';
import { emptyPicture } from '../../src/mesh/picture.js';
import { nodeId, peerSlot } from '../../src/base/identifiers.js';
import { HANDSHAKE_QUEUE } from '../../src/datapath/tables.js';
import type { NodeAction } from '../../src/node/action.js';
import type { MeshPort } from '../../src/node/mesh_port.js';
import { Initiator } from '../../src/session/initiator.js';
import { Remote } from '../../src/session/remote.js';
import { CONTROL_GOSSIP } from '../../src/wire/control.js';
import { MESSAGE_INITIATION } from '../../src/wire/wireguard.js';
import { ipv4 } from '../support/inner_packets.js';
import { configOf } from '../support/pair.js';
import { endpoint } from '../support/parsed.js';
import { createParty } from '../support/session_scene.js';
import { type Host, VirtualNetwork } from '../support/virtual_network.js';

const test = suite('node/mesh_side');
const CRYPTO = new SodiumSuite();
const KEYS = ['left', 'right', 'later'].map((name) => generatePrivateKey(new SeededRandom(name)));
const [LEFT, RIGHT, LATER] = KEYS.map((key) => present(key, 'a key'));
const BODY = Uint8Array.of(1, 2, 3);
const MESSAGE = { kind: CONTROL_GOSSIP, body: BODY };

/** A mesh that wants what a test says, and remembers what it heard. */
class SpokenMesh implements MeshPort {
  readonly heard: MeshInput[] = [];
  readonly #wanted: MeshAction[] = [];

  want(...actions: readonly MeshAction[]): void {
    this.#wanted.push(...actions);
  }

  handle(input: MeshInput): void {
    if (input.kind === 'control') {
      const { kind, body } = input.message;
      this.heard.push({ ...input, message: { kind, body: body.slice() } });
    } else this.heard.push(input);
  }

  advance(): void {}

  deadline(): typeof NEVER {
    return NEVER;
  }

  drain(out: MeshAction[]): void {
    out.push(...this.#wanted.splice(0));
  }

  snapshot(): ReturnType<typeof emptyPicture> {
    return emptyPicture(nodeId('0000000000000000'), undefined);
  }

  controls(): Uint8Array[] {
    return this.heard.flatMap((each) => (each.kind === 'control' ? [each.message.body] : []));
  }

  sessions(): string[] {
    return this.heard.flatMap((each) => (each.kind === 'session' ? [each.event] : []));
  }
}

interface Side {
  readonly host: Host;
  readonly mesh: SpokenMesh;
  readonly peer: MeshPeer;
}

interface Pair {
  readonly network: VirtualNetwork;
  readonly left: Side;
  readonly right: Side;
}

function key(of: Uint8Array | undefined): Uint8Array {
  return CRYPTO.publicKey(present(of, 'a key'));
}

function createSide(network: VirtualNetwork, index: number, own: Uint8Array | undefined): Side {
  const mesh = new SpokenMesh();
  const at = endpoint(`192.0.2.${index}:51820`);
  const config = configOf(new Uint8Array(32), []);
  const host = network.addHost({ name: `h${index}`, endpoint: at, config, mesh: () => mesh });
  mesh.want({ kind: 'staticKeys', privateKeys: [present(own, 'a key')] });
  const allowedIps = [present(parsePrefix(`10.9.0.${index}/32`), 'a prefix')];
  const peer = { publicKey: key(own), alternateKey: undefined, name: `h${index}` };
  return { host, mesh, peer: { ...peer, endpoint: at, allowedIps } };
}

/** Each knows the other from the first moment. */
function createPair(): Pair {
  const network = new VirtualNetwork(CRYPTO, 'mesh side');
  const [left, right] = [createSide(network, 1, LEFT), createSide(network, 2, RIGHT)];
  left.mesh.want({ kind: 'upsertPeer', peer: right.peer });
  right.mesh.want({ kind: 'upsertPeer', peer: left.peer });
  for (const { host } of [left, right]) host.feedMesh({ kind: 'endpoints', endpoints: [] });
  return { network, left, right };
}

function want(side: Side, ...actions: readonly MeshAction[]): void {
  side.mesh.want(...actions);
  side.host.feedMesh({ kind: 'endpoints', endpoints: [] });
}

function ping({ network, left, right }: Pair): boolean {
  const before = right.host.received.length;
  left.host.send(ipv4({ source: '10.9.0.1', destination: '10.9.0.2', bytes: 64 }));
  network.run(seconds(1));
  return right.host.received.length > before;
}

test('mesh side: peers that a mesh names talk to each other', () => {
  const pair = createPair();
  assert.ok(ping(pair));
  assert.equal(pair.left.mesh.sessions(), ['established']);
  assert.equal(pair.right.mesh.sessions(), ['established']);
});

test('mesh side: a control message makes its session, and arrives in it', () => {
  const pair = createPair();
  const { left, right, network } = pair;
  const { publicKey } = right.peer;
  want(left, { kind: 'sendControl', publicKey, message: MESSAGE });
  network.run(millis(50));
  assert.equal(right.mesh.controls(), [BODY]);
  const { heard } = right.mesh;
  const from = heard.find((each) => each.kind === 'control');
  assert.equal(from?.kind === 'control' && from.publicKey, left.peer.publicKey);
  want(right, { kind: 'sendControl', publicKey: left.peer.publicKey, message: MESSAGE });
  network.run(millis(50));
  assert.equal(left.mesh.controls(), [BODY], 'and back in the same');
  assert.is(network.sentOfType(MESSAGE_INITIATION).length, 1);
});

test('mesh side: what nobody answers is given up after 15 s, and only the newest wait', () => {
  const pair = createPair();
  const { left, right, network } = pair;
  network.isLost = () => true;
  const { publicKey } = right.peer;
  for (let i = 0; i < 12; i++) {
    const message = { kind: CONTROL_GOSSIP, body: Uint8Array.of(i) };
    want(left, { kind: 'sendControl', publicKey, message });
  }
  network.run(seconds(14));
  assert.equal(left.mesh.sessions(), []);
  network.run(seconds(2));
  assert.equal(left.mesh.sessions(), ['gaveUp']);
  assert.is(left.host.node.snapshot().controlDrops.control_unsent, 12);
  network.isLost = () => false;
  network.run(seconds(2));
  assert.ok(ping(pair), 'the next one is another attempt');
  assert.equal(right.mesh.controls(), []);
});

test('mesh side: a peer that changes keys keeps its session, and no packet is lost', () => {
  const pair = createPair();
  const { left, right } = pair;
  assert.ok(ping(pair));
  const [old, later] = [key(RIGHT), key(LATER)];
  const privateKeys = [present(RIGHT, 'a key'), present(LATER, 'a key')];
  want(right, { kind: 'staticKeys', privateKeys });
  const changing = { ...right.peer, alternateKey: later };
  want(left, { kind: 'upsertPeer', peer: changing });
  assert.ok(ping(pair));
  want(right, { kind: 'staticKeys', privateKeys: [...privateKeys].reverse() });
  assert.ok(ping(pair), 'the session stays');
  want(right, { kind: 'restartSession', publicKey: left.peer.publicKey });
  pair.network.run(seconds(6));
  assert.is(right.mesh.sessions().length, 2, 'a handshake by the new key is taken');
  assert.ok(ping(pair));
  const changed = { ...right.peer, publicKey: later, alternateKey: old };
  want(left, { kind: 'upsertPeer', peer: changed });
  assert.ok(ping(pair));
  want(left, { kind: 'restartSession', publicKey: later });
  pair.network.run(seconds(6));
  assert.ok(ping(pair), 'and one to it');
  const slots = new Set(left.host.node.snapshot().peers.map(({ slot }) => slot));
  assert.is(slots.size, 1, 'it is the same peer');
});

test('mesh side: a peer that goes back to its first key is met by that', () => {
  const pair = createPair();
  const { left, right, network } = pair;
  assert.ok(ping(pair));
  const [first, later] = [present(RIGHT, 'a key'), present(LATER, 'a key')];
  want(left, { kind: 'upsertPeer', peer: { ...right.peer, alternateKey: key(LATER) } });
  want(right, { kind: 'staticKeys', privateKeys: [later, first] });
  want(right, { kind: 'restartSession', publicKey: left.peer.publicKey });
  network.run(seconds(6));
  assert.is(left.mesh.sessions().length, 2, 'left has heard it by the later key');
  want(right, { kind: 'staticKeys', privateKeys: [first] });
  want(left, { kind: 'upsertPeer', peer: right.peer });
  want(left, { kind: 'restartSession', publicKey: right.peer.publicKey });
  network.run(seconds(6));
  assert.is(left.mesh.sessions().length, 3);
  assert.ok(ping(pair));
});

test('mesh side: under load a message to either of our keys gets a cookie that it can use', () => {
  const { left, right, network } = createPair();
  const privateKeys = [present(RIGHT, 'a key'), present(LATER, 'a key')];
  want(right, { kind: 'staticKeys', privateKeys });
  const { node } = right.host;
  for (const to of privateKeys) {
    const remote = new Remote(key(to));
    const initiator = new Initiator(createParty('left'), peerSlot(0), remote);
    const datagram = present(initiator.create(network.now), 'an initiation');
    const source = present(left.peer.endpoint, 'an endpoint');
    const event = { kind: 'handshake', datagram, source, queued: HANDSHAKE_QUEUE } as const;
    node.handle({ kind: 'walk', event }, network.now);
    const wanted: NodeAction[] = [];
    node.drain(wanted);
    const reply = wanted.flatMap((action) => (action.kind === 'send' ? [action.datagram] : []));
    assert.is(reply.length, 1);
    const consumed = remote.cookie.consume(CRYPTO, present(reply[0], 'a reply'), network.now);
    assert.is(consumed, undefined);
  }
});

test('mesh side: a peer that is removed is cut off', () => {
  const pair = createPair();
  assert.ok(ping(pair));
  want(pair.right, { kind: 'removePeer', publicKey: pair.left.peer.publicKey });
  assert.not(ping(pair));
  assert.is(pair.right.host.node.snapshot().peers.length, 0);
});

test('mesh side: prefixes move between peers in whatever order they are told', () => {
  const pair = createPair();
  const { left, right } = pair;
  const [moved] = right.peer.allowedIps;
  const other = { ...right.peer, publicKey: key(LATER), name: 'other', endpoint: undefined };
  want(left, { kind: 'upsertPeer', peer: other });
  want(left, { kind: 'upsertPeer', peer: { ...right.peer, allowedIps: [] } });
  const owners = (): string[] =>
    left.host.node
      .snapshot()
      .peers.filter(({ allowedIps }) => allowedIps.some(({ text }) => text === moved?.text))
      .map(({ name }) => name);
  assert.equal(owners(), ['other']);
  want(left, { kind: 'upsertPeer', peer: right.peer });
  want(left, { kind: 'removePeer', publicKey: other.publicKey });
  assert.equal(owners(), ['h2']);
  assert.ok(ping(pair));
});

test('mesh side: a configuration leaves peers of the mesh alone, and comes first', () => {
  const pair = createPair();
  const { left, right } = pair;
  assert.ok(ping(pair));
  const configured = { name: 'mine', publicKey: key(LATER), allowedIps: right.peer.allowedIps };
  left.host.configure(configOf(new Uint8Array(32), [configured]));
  const names = left.host.node.snapshot().peers.map(({ name }) => name);
  assert.equal([...names].sort(), ['h2', 'mine']);
  assert.not(ping(pair), 'the prefix is the configured one’s');
  left.host.configure(configOf(new Uint8Array(32), []));
  assert.ok(ping(pair), 'until it is configured no more');
  want(left, { kind: 'upsertPeer', peer: { ...right.peer, publicKey: key(LATER) } });
  left.host.configure(configOf(new Uint8Array(32), [configured]));
  want(left, { kind: 'removePeer', publicKey: key(LATER) });
  const kept = left.host.node.snapshot().peers.map(({ name }) => name);
  assert.ok(kept.includes('mine'), 'what is configured is no mesh’s to remove');
});

test('mesh side: a peer that is configured is none of the mesh’s, and is heard in vain', () => {
  const pair = createPair();
  const { left, right, network } = pair;
  const { publicKey, allowedIps } = left.peer;
  want(right, { kind: 'removePeer', publicKey });
  const configured = { name: 'left', publicKey, allowedIps, protocol: 'heddle' } as const;
  right.host.configure(configOf(new Uint8Array(32), [configured]));
  want(left, { kind: 'sendControl', publicKey: right.peer.publicKey, message: MESSAGE });
  network.run(millis(50));
  assert.equal(right.mesh.controls(), []);
  assert.is(right.host.node.snapshot().controlDrops.control_unknown, 1);
});

test('mesh side: what is the host’s to do is lifted, in order', () => {
  const pair = createPair();
  const action: MeshAction = { kind: 'persist', request: 1, file: 'own', content: BODY };
  const told: MeshAction = { kind: 'forgetNetwork', why: 'it left' };
  want(pair.left, action, told);
  assert.equal(pair.left.host.lifted, [action, told]);
});

test.run();
