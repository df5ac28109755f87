import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isZero } from '../../src/base/bytes.js';
import { peerSlot } from '../../src/base/identifiers.js';
import { seconds } from '../../src/base/time.js';
import { snapshotOf } from '../../src/node/snapshot.js';
import { Session } from '../../src/session/session.js';
import { prefix } from '../support/parsed.js';
import { createParty, START, THERE } from '../support/session_scene.js';

const test = suite('node/snapshot');

test('snapshot: shows what is known of a peer, and no secret', () => {
  const slot = peerSlot(3);
  const publicKey = createParty('peer').keys.publicKey;
  const session = new Session(createParty('ours'), { slot, publicKey });
  session.handle({ kind: 'endpoint', endpoint: THERE }, START);
  const allowedIps = [prefix('10.0.0.2/32')];
  const presharedKey = new Uint8Array(32).fill(9);
  const settings = { presharedKey, persistentKeepalive: seconds(25), sealedVni: 7 };
  const config = { name: 'beta', publicKey, allowedIps: [], ...settings };
  const rest = { isMesh: false, hasSession: true, otherKey: undefined, isStockTold: false };
  const peer = { slot, session, config, ...rest, latestHandshake: undefined };
  const shown = snapshotOf(peer, allowedIps, START);
  assert.equal(shown, {
    slot,
    name: 'beta',
    publicKey,
    isMesh: false,
    hasPresharedKey: true,
    endpoint: THERE,
    allowedIps,
    sealedVni: 7,
    persistentKeepalive: seconds(25),
    latestHandshake: undefined,
    handshakeRoundTrip: undefined,
    state: 'idle',
    protocol: 'wireguard',
    suite: 'chacha20-poly1305',
    lanes: 1,
    trustsChecksums: false,
  });
  shown.publicKey.fill(0);
  assert.not(isZero(publicKey), 'it is a copy');
});

test.run();
