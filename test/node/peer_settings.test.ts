import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { peerSlot } from '../../src/base/identifiers.js';
import { seconds } from '../../src/base/time.js';
import type { PeerConfig } from '../../src/node/config.js';
import { EndpointNames } from '../../src/node/endpoint_names.js';
import { applySettings, moveTo } from '../../src/node/peer_settings.js';
import type { Peer } from '../../src/node/peer_table.js';
import { Session } from '../../src/session/session.js';
import { endpoint } from '../support/parsed.js';
import { createParty, START } from '../support/session_scene.js';

const test = suite('node/peer_settings');
const FEATURES = { suites: ['chacha20-poly1305'], lanes: 1, trustsChecksums: false } as const;
const PARTY = createParty('peer');

function createPeer(more: Partial<PeerConfig>): Peer {
  const { publicKey } = PARTY.keys;
  const session = new Session(createParty('ours'), { slot: peerSlot(0), publicKey });
  const config = { name: 'beta', publicKey, allowedIps: [], ...more };
  const rest = { isMesh: false, hasSession: true, otherKey: undefined, isStockTold: false };
  return { slot: peerSlot(0), session, config, ...rest, latestHandshake: undefined };
}

test('peer settings: an address is where the peer is; a name is asked for', () => {
  const names = new EndpointNames();
  const known = createPeer({ endpoint: { host: '192.0.2.9', port: 7 } });
  applySettings(known, undefined, FEATURES, names, START);
  assert.is(known.session.endpoint?.text, '192.0.2.9:7');
  const named = createPeer({ endpoint: { host: 'peer.example', port: 7 } });
  applySettings(named, undefined, FEATURES, names, START);
  assert.is(named.session.endpoint, undefined);
  const asked: unknown[] = [];
  names.drain(asked as Parameters<typeof names.drain>[0]);
  assert.is(asked.length, 1);
});

test('peer settings: where an endpoint is said no more, what was learned stays', () => {
  const names = new EndpointNames();
  const peer = createPeer({ endpoint: { host: '192.0.2.9', port: 7 } });
  applySettings(peer, undefined, FEATURES, names, START);
  moveTo(peer, endpoint('192.0.2.10:8'), START);
  const before = peer.config;
  const { endpoint: _, ...rest } = before;
  peer.config = rest;
  applySettings(peer, before, FEATURES, names, START);
  assert.is(peer.session.endpoint?.text, '192.0.2.10:8');
});

test('peer settings: a persistent keepalive makes a session, and only a change of it', () => {
  const names = new EndpointNames();
  const at = { host: '192.0.2.9', port: 7 };
  const peer = createPeer({ endpoint: at, persistentKeepalive: seconds(25) });
  applySettings(peer, undefined, FEATURES, names, START);
  assert.is(peer.session.state(START), 'handshaking');
});

test('peer settings: the form in which a peer is reached goes with its endpoint', () => {
  const peer = createPeer({ sealedVni: 7 });
  moveTo(peer, endpoint('192.0.2.9:7'), START);
  assert.is(peer.session.endpoint?.vni, 7);
});

test.run();
