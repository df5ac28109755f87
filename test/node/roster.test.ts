import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { present } from '../../src/base/assert.js';
import { after, seconds } from '../../src/base/time.js';
import type { PeerConfig } from '../../src/node/config.js';
import { Roster } from '../../src/node/roster.js';
import { Session } from '../../src/session/session.js';
import { prefix } from '../support/parsed.js';
import { createParty, START } from '../support/session_scene.js';

const test = suite('roster');
const OURS = createParty('ours').keys.publicKey;

function createRoster(): Roster {
  const party = createParty('ours');
  return new Roster((slot, publicKey) => new Session(party, { slot, publicKey }));
}

function peer(name: string, ...prefixes: readonly string[]): PeerConfig {
  const allowedIps = prefixes.map((text) => prefix(text));
  return { name, publicKey: createParty(name).keys.publicKey, allowedIps };
}

test('roster: a peer in both configurations keeps its slot and its session', () => {
  const roster = createRoster();
  roster.adopt([peer('a', '10.0.0.1/32'), peer('b', '10.0.0.2/32')], OURS, START);
  const before = roster.peers.withKey(peer('b').publicKey);
  const change = roster.adopt([peer('b', '10.0.0.9/32')], OURS, START);
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
  const change = roster.adopt([own, peer('a'), twin, peer('b')], OURS, START);
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
  roster.adopt([peer('a')], OURS, START);
  const first = present(roster.peers.withKey(peer('a').publicKey), 'a peer');
  roster.adopt([], OURS, START);
  assert.is(roster.peers.size, 0);
  roster.adopt([peer('a')], OURS, after(START, seconds(1)));
  const second = present(roster.peers.withKey(peer('a').publicKey), 'a peer');
  assert.is.not(second.session, first.session);
  assert.is.not(second.slot, first.slot);
});

test('roster: prefixes shown are those the peer owns, not all it lists', () => {
  const roster = createRoster();
  roster.adopt([peer('a', '10.0.0.0/8', '10.1.0.0/16'), peer('b', '10.0.0.0/8')], OURS, START);
  const shown = [...roster.peers.all()].map((each) =>
    roster.prefixesOf(each).map(({ text }) => text),
  );
  assert.equal(shown, [['10.1.0.0/16'], ['10.0.0.0/8']]);
});

test.run();
