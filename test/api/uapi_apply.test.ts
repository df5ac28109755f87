import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { applyEdits, type OwnKeys } from '../../src/api/uapi_apply.js';
import type { UapiEdit } from '../../src/api/uapi_edit.js';
import { equal } from '../../src/base/bytes.js';
import type { Config, PeerConfig } from '../../src/node/config.js';
import { config, key, OTHER } from '../support/uapi.js';
import { endpoint, prefix } from '../support/parsed.js';

const test = suite('api/uapi_apply');

/** Instead of X25519: the public key is the private key with its first byte inverted. */
const KEYS: OwnKeys = {
  clamp: (privateKey) => {
    privateKey[31] = 0x40;
  },
  publicKey: (privateKey) => {
    const publicKey = privateKey.slice();
    publicKey[0] = (publicKey[0] ?? 0) ^ 0xff;
    return publicKey;
  },
};

function apply(before: Config, ...edits: UapiEdit[]): Config {
  const applied = applyEdits(before, edits, KEYS);
  if (applied.kind === 'refused') throw new Error(applied.why);
  return applied.config;
}

test('apply: keys, port and mark; what no edit names stays as it was', () => {
  const before = config([OTHER]);
  const edits: UapiEdit[] = [
    { kind: 'listenPort', port: 7 },
    { kind: 'fwMark', mark: 9 },
  ];
  assert.equal(apply(before, ...edits), { ...before, listenPort: 7, fwMark: 9 });
  assert.is(apply(before, ...edits).peers[0]?.allowedIps, before.peers[0]?.allowedIps);
  assert.equal(apply(before), before);
});

test('private key: is clamped, and the key of the request stays the caller’s', () => {
  const given = key(3);
  const { privateKey } = apply(config([]), { kind: 'privateKey', key: given });
  assert.is(privateKey[31], 0x40);
  assert.equal(given, key(3));
});

test('private key: zeros clear it, unclamped', () => {
  const { privateKey } = apply(config([]), { kind: 'privateKey', key: key(0) });
  assert.equal(privateKey, key(0));
});

test('own key: as a peer it is passed over with all that is said of it', () => {
  const before = config([OTHER]);
  const own = KEYS.publicKey(before.privateKey);
  const after = apply(
    before,
    { kind: 'peer', publicKey: OTHER.publicKey },
    { kind: 'peer', publicKey: own },
    { kind: 'allowIp', prefix: prefix('10.9.0.0/16') },
    { kind: 'remove' },
  );
  assert.equal(after, before);
});

test('own key: a peer that has it goes when we take its private key', () => {
  const privateKey = key(5);
  KEYS.clamp(privateKey);
  const twin: PeerConfig = { ...OTHER, name: 'twin', publicKey: KEYS.publicKey(privateKey) };
  const after = apply(config([twin, OTHER]), { kind: 'privateKey', key: privateKey });
  assert.equal(
    after.peers.map(({ name }) => name),
    ['other'],
  );
});

test('own key: without a private key there is none', () => {
  const none = { ...config([]), privateKey: key(0) };
  const after = apply(none, { kind: 'peer', publicKey: KEYS.publicKey(key(0)) });
  assert.is(after.peers.length, 1);
});

test('clear peers: their prefixes are refused, and nothing of the request applies', () => {
  const clear = {
    name: 'plain',
    carrier: { kind: 'udp' },
    endpoint: endpoint('192.0.2.9:8285'),
    allowedIps: [prefix('10.5.0.0/16')],
  } as const;
  const before = { ...config([OTHER]), clearPeers: [clear] };
  const edits: UapiEdit[] = [
    { kind: 'listenPort', port: 7 },
    { kind: 'peer', publicKey: OTHER.publicKey },
    { kind: 'allowIp', prefix: prefix('10.5.1.0/24') },
  ];
  const applied = applyEdits(before, edits, KEYS);
  assert.is(applied.kind === 'refused' && applied.errno, 98);
  const replaced = apply(before, { kind: 'replacePeers' });
  assert.equal(replaced.clearPeers, [clear]);
  assert.equal(replaced.peers, []);
});

test('replace: the private key of the request counts for the peers that follow it', () => {
  const privateKey = key(5);
  KEYS.clamp(privateKey);
  const after = apply(
    config([OTHER]),
    { kind: 'privateKey', key: key(5) },
    { kind: 'replacePeers' },
    { kind: 'peer', publicKey: KEYS.publicKey(privateKey) },
    { kind: 'peer', publicKey: OTHER.publicKey },
  );
  assert.is(after.peers.length, 1);
  assert.ok(equal(after.peers[0]?.publicKey ?? key(0), OTHER.publicKey));
});

test.run();
