import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { present } from '../../src/base/assert.js';
import { MAX_PEERS } from '../../src/base/identifiers.js';
import { SILENT } from '../../src/base/log.js';
import { after, seconds, wallTime } from '../../src/base/time.js';
import type { TableWrite } from '../../src/datapath/tables.js';
import { ClearPeers } from '../../src/node/clear_peers.js';
import type { ClearPeerConfig, Config, PeerConfig } from '../../src/node/config.js';
import { Roster } from '../../src/node/roster.js';
import { Slots } from '../../src/node/slots.js';
import { Session } from '../../src/session/session.js';
import { WallClock } from '../../src/base/wall_clock.js';
import { endpoint, prefix } from '../support/parsed.js';
import { createParty, START } from '../support/session_scene.js';

const test = suite('roster');
const OURS = createParty('ours').keys.publicKey;

function createRoster(): Roster {
  const party = createParty('ours');
  const slots = new Slots();
  const wallClock = new WallClock();
  wallClock.set(wallTime(1_795_392_000_000_000), START);
  return new Roster({
    slots,
    clearPeers: new ClearPeers(slots, wallClock, SILENT),
    createSession: (slot, publicKey) => new Session(party, { slot, publicKey }),
  });
}

function peer(name: string, ...prefixes: readonly string[]): PeerConfig {
  const allowedIps = prefixes.map((text) => prefix(text));
  return { name, publicKey: createParty(name).keys.publicKey, allowedIps };
}

function peers(...sealed: readonly PeerConfig[]): Pick<Config, 'peers' | 'clearPeers'> {
  return { peers: sealed, clearPeers: [] };
}

function clearPeer(...prefixes: readonly string[]): ClearPeerConfig {
  return {
    name: 'clear',
    carrier: { kind: 'udp' },
    endpoint: endpoint('192.0.2.8:8285'),
    allowedIps: prefixes.map((text) => prefix(text)),
  };
}

test('roster: a peer in both configurations keeps its slot and its session', () => {
  const roster = createRoster();
  roster.adopt(peers(peer('a', '10.0.0.1/32'), peer('b', '10.0.0.2/32')), OURS, START);
  const before = roster.peers.withKey(peer('b').publicKey);
  const change = roster.adopt(peers(peer('b', '10.0.0.9/32')), OURS, START);
  const b = roster.peers.withKey(peer('b').publicKey);
  assert.is(b, before);
  assert.equal(
    change.gone.map(({ config }) => config.name),
    ['a'],
  );
  assert.equal(
    change.writes.map(({ kind }) => kind),
    ['removePeer', 'removePrefix', 'insertPrefix'],
    'the prefix of the removed peer goes with it',
  );
  assert.is(change.present[0]?.before?.allowedIps[0]?.text, '10.0.0.2/32');
  assert.is(roster.peers.atSlot(present(change.gone[0], 'one is gone').slot), undefined);
});

test('roster: our own key, a second peer of one key and no more are left out', () => {
  const roster = createRoster();
  const own: PeerConfig = { name: 'own', publicKey: OURS, allowedIps: [] };
  const twin = { ...peer('a'), name: 'twin' };
  const change = roster.adopt(peers(own, peer('a'), twin, peer('b')), OURS, START);
  assert.equal(
    change.refused.map(({ config, why }) => [config.name, why]),
    [
      ['own', 'own_key'],
      ['twin', 'duplicate_key'],
    ],
  );
  assert.equal(
    [...roster.peers.all()].map(({ config }) => config.name),
    ['a', 'b'],
  );
});

test('roster: a removed peer that comes back is a new one in another slot', () => {
  const roster = createRoster();
  roster.adopt(peers(peer('a')), OURS, START);
  const first = present(roster.peers.withKey(peer('a').publicKey), 'a peer');
  roster.adopt(peers(), OURS, START);
  assert.is(roster.peers.size, 0);
  roster.adopt(peers(peer('a')), OURS, after(START, seconds(1)));
  const second = present(roster.peers.withKey(peer('a').publicKey), 'a peer');
  assert.is.not(second.session, first.session);
  assert.is.not(second.slot, first.slot);
});

test('roster: prefixes shown are those the peer owns, not all it lists', () => {
  const roster = createRoster();
  roster.adopt(peers(peer('a', '10.0.0.0/8', '10.1.0.0/16'), peer('b', '10.0.0.0/8')), OURS, START);
  const shown = [...roster.peers.all()].map((each) =>
    roster.prefixesOf(each).map(({ text }) => text),
  );
  assert.equal(shown, [['10.1.0.0/16'], ['10.0.0.0/8']]);
});

test('roster: those in the clear have slots of their own, and no prefix of a sealed one', () => {
  const roster = createRoster();
  const sealed = [peer('a', '10.1.0.0/16')];
  const clearPeers = [clearPeer('10.1.0.0/16', '10.2.0.0/16')];
  const change = roster.adopt({ peers: sealed, clearPeers }, OURS, START);
  const [a] = roster.peers.all();
  const [clear] = roster.clearSnapshot(START);
  assert.is.not(present(a, 'sealed').slot, present(clear, 'clear').slot);
  assert.equal(
    change.writes.map(({ kind }) => kind),
    ['addPeer', 'addPeer', 'setEncapsulation', 'insertPrefix', 'insertPrefix'],
  );
  assert.equal(
    clear?.allowedIps.map(({ text }) => text),
    ['10.2.0.0/16'],
  );
  const swapped = roster.adopt({ peers: [], clearPeers }, OURS, START);
  assert.equal(
    swapped.writes.map(({ kind }) => kind),
    ['removePeer', 'insertPrefix'],
    'what the sealed one leaves is its own again',
  );
});

test('roster: who is sealed behind VXLAN is told to the walk, and when it no longer is', () => {
  const roster = createRoster();
  const vxlan = { ...peer('a'), sealedVni: 7 };
  const told = [peers(vxlan), peers(vxlan), peers(peer('a'))].map((each) =>
    roster.adopt(each, OURS, START).writes.flatMap((write) => {
      return write.kind === 'setEncapsulation' ? [write.encapsulation] : [];
    }),
  );
  assert.equal(told, [[{ kind: 'vxlan-sealed', vni: 7 }], [], [{ kind: 'wireguard' }]]);
});

/** Who has the prefix. */
function ownersOf(roster: Roster, text: string): string[] {
  const clear = roster.clearSnapshot(START).filter(({ allowedIps }) => hasText(allowedIps, text));
  const sealed = [...roster.peers.all()].filter((each) => hasText(roster.prefixesOf(each), text));
  return [...clear.map(({ name }) => name), ...sealed.map(({ config }) => config.name)];
}

function hasText(prefixes: PeerConfig['allowedIps'], wanted: string): boolean {
  return prefixes.some(({ text }) => text === wanted);
}

function kinds(writes: readonly TableWrite[] | undefined): string[] | undefined {
  return writes?.map(({ kind }) => kind);
}

test('roster: a peer by the mesh is told by what changes of it alone', () => {
  const roster = createRoster();
  const told = [
    peer('a', '10.0.0.1/32', '10.1.0.0/16'),
    peer('a', '10.0.0.1/32', '10.1.0.0/16'),
    peer('a', '10.0.0.1/32', '10.2.0.0/16'),
    peer('a'),
  ].map((config) => kinds(roster.upsert(config, undefined, START)?.writes));
  assert.equal(told, [
    ['addPeer', 'insertPrefix', 'insertPrefix'],
    [],
    ['removePrefix', 'insertPrefix'],
    ['removePrefix', 'removePrefix'],
  ]);
  assert.equal(kinds(roster.dismiss(peer('a').publicKey, START)?.writes), ['removePeer']);
  assert.is(roster.dismiss(peer('a').publicKey, START), undefined, 'it is gone');
});

test('roster: the session of a peer is made when it is first asked for, and once', () => {
  const roster = createRoster();
  const change = present(roster.upsert(peer('a'), undefined, START), 'a change');
  assert.not(change.peer.hasSession);
  roster.upsert({ ...peer('a'), name: 'renamed' }, undefined, START);
  assert.not(change.peer.hasSession, 'news of it is no reason');
  const { session } = change.peer;
  assert.ok(change.peer.hasSession);
  assert.is(roster.peers.withKey(peer('a').publicKey)?.session, session);
});

test('roster: a peer by the mesh that comes by its other key is the same one', () => {
  const roster = createRoster();
  const [old, later] = [peer('old'), peer('later')];
  const first = present(roster.upsert(old, later.publicKey, START), 'a change').peer;
  const changed = present(roster.upsert(later, undefined, START), 'a change');
  assert.is(changed.peer, first);
  assert.is(changed.before, old);
  assert.is(roster.peers.size, 1);
  assert.is(roster.dismiss(old.publicKey, START), undefined, 'by the old key it is none');
  assert.is(present(roster.dismiss(later.publicKey, START), 'a change').peer, first);
});

test('roster: what the mesh and the configuration both say is the configuration’s', () => {
  const roster = createRoster();
  const [shared, other] = [peer('shared', '10.0.0.1/32'), peer('other', '10.0.0.1/32')];
  roster.adopt(peers(shared), OURS, START);
  assert.is(roster.upsert({ ...shared, name: 'mesh' }, undefined, START), undefined);
  assert.equal(kinds(roster.upsert(other, undefined, START)?.writes), ['addPeer']);
  assert.equal(ownersOf(roster, '10.0.0.1/32'), ['shared']);
  assert.is(roster.dismiss(shared.publicKey, START), undefined);
  const change = roster.adopt(peers(), OURS, START);
  assert.equal(kinds(change.writes), ['removePeer', 'insertPrefix'], 'the mesh has it now');
  assert.equal(ownersOf(roster, '10.0.0.1/32'), ['other']);
  const back = roster.adopt(peers({ ...other, name: 'mine' }), OURS, START);
  assert.equal(
    back.gone.map(({ config }) => config.name),
    ['other'],
    'a peer of the mesh with that key goes',
  );
  assert.equal(ownersOf(roster, '10.0.0.1/32'), ['mine']);
});

test('roster: a prefix of the mesh and of a peer in the clear is the latter’s in any order', () => {
  const clear = { peers: [], clearPeers: [clearPeer('10.0.0.1/32')] };
  const mesh = peer('mesh', '10.0.0.1/32');
  const steps = [
    (roster: Roster) => void roster.adopt(clear, OURS, START),
    (roster: Roster) => void roster.upsert(mesh, undefined, START),
  ];
  for (const order of [steps, [...steps].reverse()]) {
    const roster = createRoster();
    for (const step of order) step(roster);
    assert.equal(ownersOf(roster, '10.0.0.1/32'), ['clear']);
    roster.adopt(clear, OURS, START);
    assert.equal(ownersOf(roster, '10.0.0.1/32'), ['clear'], 'and stays');
    roster.adopt(peers(), OURS, START);
    assert.equal(ownersOf(roster, '10.0.0.1/32'), ['mesh']);
  }
});

test('roster: where all slots are taken, the mesh gets no more', () => {
  const roster = createRoster();
  const many = Array.from({ length: MAX_PEERS }, (_, i) => {
    const publicKey = new Uint8Array(32);
    new DataView(publicKey.buffer).setUint32(0, i + 1);
    return { name: `${i}`, publicKey, allowedIps: [] };
  });
  for (const each of many) roster.upsert(each, undefined, START);
  assert.is(roster.peers.size, MAX_PEERS);
  assert.is(roster.upsert(peer('late'), undefined, START), undefined);
  const [first] = many;
  roster.dismiss(present(first, 'a peer').publicKey, START);
  assert.is(roster.upsert(peer('late'), undefined, after(START, seconds(9))), undefined);
  assert.ok(roster.upsert(peer('late'), undefined, after(START, seconds(10))));
});

test('roster: without a key of our own everybody may be a peer', () => {
  const roster = createRoster();
  const own: PeerConfig = { name: 'own', publicKey: OURS, allowedIps: [] };
  assert.equal(roster.adopt(peers(own), undefined, START).refused, []);
  assert.is(roster.adopt(peers(own), OURS, START).refused[0]?.why, 'own_key');
});

test.run();
