import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { statusDocument } from '../../src/api/status.js';
import { instant } from '../../src/base/time.js';
import {
  CLEAR_TRAFFIC,
  clearSnapshot,
  NOW,
  peerSnapshot,
  statusSource,
} from '../support/status.js';
import type { MeshSnapshot } from '../../src/mesh/snapshot.js';
import { meshSnapshot } from '../support/mesh_document.js';

const test = suite('api/status');

test('document: has every key that programs rely on', () => {
  const document = statusDocument(statusSource());
  assert.equal(JSON.parse(JSON.stringify(document)), {
    schemaVersion: 1,
    version: '1.2.3',
    pid: 4711,
    health: 'ok',
    warnings: [],
    uptimeSeconds: 192,
    interface: 'heddle0',
    publicKey: 'CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=',
    vtepMac: '02:00:5e:10:00:01',
    addresses: ['10.77.0.1/24'],
    mtu: 1420,
    listenPort: 51820,
    fwMark: 0,
    datapath: 'native',
    lanes: 1,
    remarks: ['chacha20-poly1305: openssl assembly'],
    peers: [
      {
        name: 'beta',
        publicKey: 'BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=',
        hasPresharedKey: true,
        endpoint: '192.0.2.7:51820',
        state: 'established',
        addresses: ['10.77.0.2', 'fd77::2'],
        allowedIps: ['10.77.0.2/32', 'fd77::2/128', '10.8.0.0/16'],
        encapsulation: 'wireguard',
        protocol: 'wireguard',
        cipher: 'chacha20-poly1305',
        lanes: 1,
        trustsChecksums: false,
        vni: null,
        vtepMac: null,
        plaintextSince: null,
        plaintextUntil: null,
        persistentKeepaliveSeconds: 25,
        latestHandshake: '2026-11-23T01:02:03.456Z',
        latestHandshakeAgeSeconds: 63,
        handshakeRoundTripMs: 1.5,
        rxBytes: 12_390,
        txBytes: '1152921504606846976',
        rxPackets: 10,
        txPackets: 11,
        plaintextBytes: null,
        dropsByReason: {},
      },
    ],
    plaintextBytes: { received: 0, sent: 0 },
    counters: { inner_in: 5 },
    dropsByReason: { replay: 3, tag: 0, mac2: 2 },
    repairs: { address: 1 },
    mesh: null,
    offloads: null,
    aead: [],
    socketBuffers: null,
    link: null,
  });
});

test('document: a reason of both the walk and the handshake counts both', () => {
  const source = statusSource([], { drops: { unknown_index: 40n, tag: 1n } });
  const snapshot = { ...source.snapshot, handshakeDrops: { unknown_index: 2, timestamp_old: 3 } };
  const { dropsByReason } = statusDocument({ ...source, snapshot });
  assert.equal(dropsByReason, { unknown_index: 42, tag: 1, timestamp_old: 3 });
});

test('document: control messages that came to nothing are among the drops', () => {
  const source = statusSource([], { drops: {} });
  const snapshot = { ...source.snapshot, handshakeDrops: {}, controlDrops: { control_stale: 2 } };
  assert.equal(statusDocument({ ...source, snapshot }).dropsByReason, { control_stale: 2 });
});

test('document: what is unknown is null, never absent', () => {
  const peer = peerSnapshot({
    endpoint: undefined,
    persistentKeepalive: undefined,
    latestHandshake: undefined,
    handshakeRoundTrip: undefined,
    state: 'idle',
  });
  const [status] = statusDocument(statusSource([peer])).peers;
  assert.is(status?.endpoint, null);
  assert.is(status?.persistentKeepaliveSeconds, null);
  assert.is(status?.latestHandshake, null);
  assert.is(status?.latestHandshakeAgeSeconds, null);
  assert.is(status?.handshakeRoundTripMs, null);
});

const old = (ageSeconds: number) => ({
  at: instant(NOW - ageSeconds * 1_000_000),
  wall: peerSnapshot().latestHandshake?.wall ?? never(),
});

function never(): never {
  throw new Error('the snapshot has a handshake');
}

const HEALTH = [
  [
    'no session yet',
    peerSnapshot({ state: 'handshaking', latestHandshake: undefined }),
    'degraded',
  ],
  [
    'only a dead session',
    peerSnapshot({ state: 'handshaking', latestHandshake: old(180) }),
    'degraded',
  ],
  ['a rekey under way', peerSnapshot({ state: 'handshaking', latestHandshake: old(179) }), 'ok'],
  ['nobody asked', peerSnapshot({ state: 'idle', latestHandshake: undefined }), 'ok'],
  ['an old session', peerSnapshot({ state: 'established', latestHandshake: old(500) }), 'ok'],
] as const;

for (const [reason, peer, health] of HEALTH) {
  test(`health: ${health} with ${reason}`, () => {
    const document = statusDocument(statusSource([peer]));
    assert.is(document.health, health);
    assert.is(document.warnings.length, health === 'ok' ? 0 : 1);
  });
}

test('health: load is a warning, not a degradation', () => {
  const source = statusSource();
  const snapshot = { ...source.snapshot, underLoad: true };
  const document = statusDocument({ ...source, snapshot });
  assert.is(document.health, 'ok');
  assert.equal(
    document.warnings.map((warning) => warning.code),
    ['handshake_load'],
  );
});

function withClear(...clearPeers: readonly ReturnType<typeof clearSnapshot>[]) {
  const source = statusSource([], {
    traffic: () => CLEAR_TRAFFIC,
    counters: { plaintext_in_bytes: 12_190n, plaintext_out_bytes: 1n << 60n },
  });
  return statusDocument({ ...source, snapshot: { ...source.snapshot, clearPeers } });
}

test('plaintext: a peer in the clear is among the peers, without key and handshake', () => {
  const [peer] = withClear(clearSnapshot()).peers;
  assert.equal(
    { ...peer, dropsByReason: undefined },
    {
      name: 'old-rack',
      publicKey: null,
      hasPresharedKey: false,
      endpoint: '192.0.2.20:4789',
      state: 'established',
      addresses: [],
      allowedIps: ['10.20.0.0/16'],
      encapsulation: 'vxlan',
      protocol: null,
      cipher: null,
      lanes: null,
      trustsChecksums: null,
      vni: 20,
      vtepMac: '02:00:5e:10:00:14',
      plaintextSince: '2026-11-23T01:02:03.456Z',
      plaintextUntil: '2027-01-15T08:00:00.000Z',
      persistentKeepaliveSeconds: null,
      latestHandshake: null,
      latestHandshakeAgeSeconds: null,
      handshakeRoundTripMs: null,
      rxBytes: 12_410,
      txBytes: 11_000,
      rxPackets: 10,
      txPackets: 11,
      plaintextBytes: { received: 12_190, sent: 10_758 },
      dropsByReason: undefined,
    },
  );
});

test('plaintext: bare IP has no headers to take off', () => {
  const [peer] = withClear(clearSnapshot({ carrier: { kind: 'udp' } })).peers;
  assert.equal(
    [peer?.plaintextBytes, peer?.vni, peer?.vtepMac],
    [{ received: 12_410, sent: 11_000 }, null, null],
  );
});

test('plaintext: is warned of with its bytes and its end, and degrades nothing', () => {
  const { warnings, health, plaintextBytes } = withClear(
    clearSnapshot(),
    clearSnapshot({ plaintextUntil: undefined }),
    clearSnapshot({ hasEnded: true }),
  );
  const who = 'old-rack (vxlan)';
  const bytes = '12190 bytes received and 10758 sent since 2026-11-23T01:02:03.456Z';
  assert.equal(
    warnings.map(({ code, text }) => [code, text]),
    [
      ['plaintext', `${who} is in the clear: ${bytes}, until 2027-01-15T08:00:00.000Z`],
      ['plaintext', `${who} is in the clear: ${bytes}, until it is removed`],
      [
        'plaintext_ended',
        `${who} ended at 2027-01-15T08:00:00.000Z: what goes to it or comes from it is dropped`,
      ],
    ],
  );
  assert.is(health, 'ok');
  assert.equal(plaintextBytes, { received: 12_190, sent: '1152921504606846976' });
});

test('encapsulation: a sealed peer behind VXLAN says so, and its VNI', () => {
  const [peer] = statusDocument(statusSource([peerSnapshot({ sealedVni: 7 })])).peers;
  assert.equal([peer?.encapsulation, peer?.vni, peer?.plaintextBytes], ['vxlan-sealed', 7, null]);
});

test('health: a host that is to be in a mesh and is in none is degraded', () => {
  const source = statusSource([]);
  const inMesh = (mesh: MeshSnapshot) => {
    return statusDocument({ ...source, snapshot: { ...source.snapshot, mesh } });
  };
  assert.is(inMesh(meshSnapshot()).health, 'ok');
  assert.is(inMesh(meshSnapshot({ warnings: ['The disk is full'] })).health, 'ok');
  assert.is(inMesh(meshSnapshot({ phase: 'joining' })).health, 'degraded');
  assert.is(inMesh(meshSnapshot({ phase: 'left' })).mesh?.phase, 'left');
});

test.run();
