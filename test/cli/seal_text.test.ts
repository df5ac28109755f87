import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type PeerStatus, statusDocument } from '../../src/api/status.js';
import { formatSeals } from '../../src/cli/seal_text.js';
import type { PeerSnapshot } from '../../src/node/snapshot.js';
import { clearSnapshot, peerSnapshot, statusSource } from '../support/status.js';

const test = suite('cli/seal_text');

function statusOf(...peers: readonly Partial<PeerSnapshot>[]): readonly PeerStatus[] {
  const source = statusSource(peers.map(peerSnapshot));
  const snapshot = { ...source.snapshot, clearPeers: [clearSnapshot()] };
  return statusDocument({ ...source, snapshot }).peers;
}

test('seals: a line a session, none for who has none or is in the clear', () => {
  const fast = { protocol: 'heddle', suite: 'aes-256-gcm', lanes: 1 } as const;
  const peers = statusOf(
    {},
    { ...fast, name: 'fast' },
    { ...fast, name: '速い', lanes: 2, trustsChecksums: true },
    { ...fast, name: 'idle', state: 'idle' },
  );
  assert.equal(formatSeals(peers, 9), [
    'beta  protocol wireguard, chacha20-poly1305',
    'fast  protocol heddle, aes-256-gcm, 1 lane',
    '速い  protocol heddle, aes-256-gcm, 2 lanes, checksums left to it',
  ]);
  assert.equal(formatSeals([], 9), []);
});

test('seals: many are counted, and a name cannot write to the terminal', () => {
  const lines = formatSeals(statusOf({ name: '\u001b[31m' }, {}, {}), 1);
  assert.is(lines.length, 2);
  assert.not.match(lines.join(), '\u001b');
  assert.match(lines[1] ?? '', 'and 2 more');
});

test.run();
