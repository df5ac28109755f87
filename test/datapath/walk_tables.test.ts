import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { present } from '../../src/base/assert.js';
import { sessionIndex } from '../../src/base/identifiers.js';
import { WalkTables } from '../../src/datapath/walk_tables.js';
import { equalBytes } from '../support/bytes.js';
import { UDP, VXLAN } from '../support/clear_rig.js';
import { prefix } from '../support/parsed.js';
import { at, ENDPOINT, keypair, laneKeypair, OTHER, PEER } from '../support/walk_rig.js';

const tables = suite('walk tables');

const KEYPAIR = keypair(1);

function tablesWith(...peers: readonly (typeof PEER)[]): WalkTables {
  const made = new WalkTables();
  for (const peer of peers) made.addPeer(peer);
  return made;
}

tables('walk tables: adding a peer that is there changes nothing', () => {
  const made = tablesWith(PEER);
  const entry = made.peers.get(PEER);
  made.addPeer(PEER);
  assert.is(made.peers.get(PEER), entry);
});

tables(
  'walk tables: removing a peer takes its prefixes, keypairs and endpoint, and no others',
  () => {
    const made = tablesWith(PEER, OTHER);
    for (const [peer, index] of [
      [PEER, 1],
      [PEER, 2],
      [OTHER, 3],
    ] as const) {
      made.insertPrefix(prefix(`10.0.0.${index}/32`), peer);
      made.installKeypair(peer, keypair(index));
      made.endpoints.set(peer, ENDPOINT);
    }
    made.removePeer(PEER);
    made.removePeer(PEER);
    assert.equal([...made.peers.keys()], [OTHER]);
    assert.equal([...made.keypairs.keys()], [3]);
    assert.equal([made.prefixes.size, made.endpoints.size], [1, 1]);
  },
);

tables('walk tables: keeps the first keypair of an index, and wipes keys that go', () => {
  const made = tablesWith(PEER, OTHER);
  made.installKeypair(PEER, KEYPAIR);
  made.installKeypair(OTHER, KEYPAIR);
  const installed = present(made.keypairs.get(KEYPAIR.localIndex), 'installed');
  assert.is(installed.peer, PEER);
  made.removeKeypair(KEYPAIR.localIndex);
  made.removeKeypair(KEYPAIR.localIndex);
  equalBytes(installed.sendKey, new Uint8Array(32));
  equalBytes(installed.receiveKey, new Uint8Array(32));
  equalBytes(KEYPAIR.sendKey, keypair(1).sendKey, 'the caller’s own stay');
});

tables('walk tables: a peer sends with its own keypair only, until it is removed', () => {
  const made = tablesWith(PEER, OTHER);
  const entry = present(made.peers.get(PEER), 'the peer');
  made.installKeypair(PEER, KEYPAIR);
  made.installKeypair(OTHER, keypair(2));
  made.useKeypair(PEER, keypair(2).localIndex);
  made.useKeypair(PEER, keypair(3).localIndex);
  assert.is(entry.sending, undefined);
  made.useKeypair(PEER, KEYPAIR.localIndex);
  assert.is(entry.sending, made.keypairs.get(KEYPAIR.localIndex));
  made.removeKeypair(keypair(2).localIndex);
  assert.ok(entry.sending);
  made.removeKeypair(KEYPAIR.localIndex);
  assert.is(entry.sending, undefined);
});

tables('walk tables: using a keypair asks anew for the next session', () => {
  const made = tablesWith(PEER);
  const entry = present(made.peers.get(PEER), 'the peer');
  entry.stagedRaised = true;
  made.useKeypair(PEER, KEYPAIR.localIndex);
  assert.ok(entry.stagedRaised, 'there is no such keypair');
  made.installKeypair(PEER, KEYPAIR);
  made.useKeypair(PEER, KEYPAIR.localIndex);
  assert.not(entry.stagedRaised);
});

tables('walk tables: handshakes are noted in any order, the latest stays', () => {
  const entry = present(tablesWith(PEER).peers.get(PEER), 'the peer');
  entry.noteHandshake('sent', 148, at(2));
  entry.noteHandshake('sent', 148, at(1));
  entry.noteHandshake('received', 92, at(3));
  const activity = {
    lastSent: at(2),
    lastReceived: at(3),
    unansweredSend: 0,
    unansweredReceive: 0,
  };
  assert.equal(entry.activity(), activity);
  const { rxBytes, txBytes, rxPackets, txPackets } = entry.traffic();
  assert.equal([rxBytes, txBytes, rxPackets, txPackets], [92n, 296n, 1n, 2n]);
});

tables('walk tables: a reading of traffic does not move when counting goes on', () => {
  const entry = present(tablesWith(PEER).peers.get(PEER), 'the peer');
  entry.drop('replay');
  const before = entry.traffic();
  entry.drop('replay');
  entry.noteHandshake('sent', 1, at(0));
  assert.equal([before.drops.replay, before.txBytes], [1n, 0n]);
  assert.is(entry.traffic().drops.replay, 2n);
});

tables('walk tables: a clear peer is known by its place, until it is another or gone', () => {
  const made = tablesWith(PEER, OTHER);
  const { address, port } = VXLAN.endpoint;
  const found = () => made.fdb.lookup({ address, port, vni: VXLAN.vni })?.slot;
  made.setEncapsulation(PEER, VXLAN);
  made.setEncapsulation(OTHER, UDP);
  assert.equal([found(), made.fdb.size], [PEER, 2]);
  assert.equal(made.endpoints.get(PEER), VXLAN.endpoint, 'the endpoint is in it');
  made.setEncapsulation(PEER, { kind: 'vxlan-sealed', vni: VXLAN.vni });
  assert.equal([found(), made.fdb.size], [undefined, 1]);
  made.removePeer(OTHER);
  made.setEncapsulation(OTHER, UDP);
  assert.is(made.fdb.size, 0, 'nobody stays, and nobody comes who is not there');
});

tables('walk tables: sends with the keypair of its lane, or one that has none', () => {
  const made = tablesWith(PEER);
  const entry = present(made.peers.get(PEER), 'the peer');
  const [base, own, beside] = [keypair(16), laneKeypair(24), laneKeypair(25, { lane: 1 })];
  for (const material of [base, own, beside]) made.installKeypair(PEER, material);
  const sendsWith = (index: number) => {
    made.useKeypair(PEER, sessionIndex(index));
    return made.keypairOf(entry)?.localIndex;
  };
  assert.equal([16, 25, 24, 25, 16].map(sendsWith), [16, 16, 24, 24, 16]);
  made.removeKeypair(sessionIndex(16));
  assert.is(made.keypairOf(entry), undefined);
});

for (const [why, index, lane, peer, expected] of [
  ['ours beside it', 24, 0, PEER, 24],
  ['what was in use, where ours is missing', 26, 2, PEER, 16],
  ["what was in use, where ours is another peer's", 24, 0, OTHER, 16],
  ["what was in use, where ours is another lane's", 24, 3, PEER, 16],
] as const) {
  tables(`walk tables: for another lane's keypair that was confirmed sends ${why}`, () => {
    const made = tablesWith(PEER, OTHER);
    const entry = present(made.peers.get(PEER), 'the peer');
    made.installKeypair(PEER, keypair(16));
    made.useKeypair(PEER, sessionIndex(16));
    made.installKeypair(PEER, laneKeypair(25, { lane: 1 }));
    made.installKeypair(peer, laneKeypair(index, { lane }));
    entry.promoted = made.keypairs.get(sessionIndex(25));
    assert.is(made.keypairOf(entry)?.localIndex, expected);
  });
}

tables('walk tables: a new peer’s messages are bare', () => {
  assert.equal(tablesWith(PEER).peers.get(PEER)?.encapsulation, { kind: 'wireguard' });
});

tables.run();
