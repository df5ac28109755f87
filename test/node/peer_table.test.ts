import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { peerSlot } from '../../src/base/identifiers.js';
import { type Peer, PeerTable } from '../../src/node/peer_table.js';
import { Session } from '../../src/session/session.js';
import { createParty } from '../support/session_scene.js';

const test = suite('peer_table');

function peer(name: string, slot: number): Peer {
  const party = createParty(name);
  const { publicKey } = party.keys;
  const session = new Session(party, { slot: peerSlot(slot), publicKey });
  const config = { name, publicKey, allowedIps: [] };
  const rest = { isMesh: false, hasSession: true, otherKey: undefined, isStockTold: false };
  return { slot: peerSlot(slot), session, config, ...rest, latestHandshake: undefined };
}

test('peer table: finds peers by key and by slot, in the order given', () => {
  const table = new PeerTable();
  const [a, b] = [peer('a', 4), peer('b', 1)];
  assert.equal(table.replaceAll([a, b]), []);
  assert.is(table.withKey(a.config.publicKey.slice()), a);
  assert.is(table.atSlot(peerSlot(1)), b);
  assert.is(table.atSlot(peerSlot(0)), undefined);
  assert.equal([...table.all()], [a, b]);
});

test('peer table: returns who left, and forgets them', () => {
  const table = new PeerTable();
  const [a, b, c] = [peer('a', 0), peer('b', 1), peer('c', 2)];
  table.replaceAll([a, b]);
  assert.equal(table.replaceAll([c, b]), [a]);
  assert.is(table.withKey(a.config.publicKey), undefined);
  assert.is(table.atSlot(peerSlot(0)), undefined);
  assert.is(table.size, 2);
});

test('peer table: a peer is found by its other key until it has another', () => {
  const table = new PeerTable();
  const [a, b] = [peer('a', 0), peer('b', 1)];
  table.replaceAll([a]);
  table.rename(a, a.config, b.config.publicKey);
  assert.is(table.withKey(b.config.publicKey), a);
  table.rename(a, { ...a.config, publicKey: b.config.publicKey }, undefined);
  assert.is(table.withKey(b.config.publicKey), a);
  assert.is(table.withKey(peer('a', 0).config.publicKey), undefined);
  table.remove(a);
  assert.is(table.withKey(b.config.publicKey), undefined);
  assert.is(table.atSlot(peerSlot(0)), undefined);
  assert.is(table.size, 0);
});

test.run();
