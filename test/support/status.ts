/**
 * A status source with one peer, for the tests of the status document and of the screens drawn from
 * it.
 */

import type { StatusSource } from '../../src/api/status.js';
import {
  type Mac,
  parseEndpoint,
  parseInterfaceAddress,
  parseMac,
} from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import { peerSlot } from '../../src/base/identifiers.js';
import { instant, millis, seconds, wallTime } from '../../src/base/time.js';
import type { ClearPeerSnapshot, PeerSnapshot } from '../../src/node/snapshot.js';
import { endpoint, prefix } from './parsed.js';

export const NOW = instant(1_000_000_000);

export function peerSnapshot(changes: Partial<PeerSnapshot> = {}): PeerSnapshot {
  return {
    slot: peerSlot(0),
    name: 'beta',
    publicKey: new Uint8Array(32).fill(7),
    isMesh: false,
    hasPresharedKey: true,
    endpoint: parseEndpoint('192.0.2.7:51820'),
    allowedIps: ['10.77.0.2/32', 'fd77::2/128', '10.8.0.0/16'].map((text) => prefix(text)),
    sealedVni: undefined,
    persistentKeepalive: seconds(25),
    latestHandshake: { at: instant(NOW - 63_000_000), wall: wallTime(1_795_395_723_456_000) },
    handshakeRoundTrip: millis(1.5),
    state: 'established',
    protocol: 'wireguard',
    suite: 'chacha20-poly1305',
    lanes: 1,
    trustsChecksums: false,
    ...changes,
  };
}

/** A peer with clear VXLAN, of which 10 packets of 1,219 bytes came in and 11 of 978 went out. */
export function clearSnapshot(changes: Partial<ClearPeerSnapshot> = {}): ClearPeerSnapshot {
  return {
    slot: peerSlot(1),
    name: 'old-rack',
    carrier: { kind: 'vxlan', vni: 20, mac: macOf('02:00:5e:10:00:14') },
    endpoint: endpoint('192.0.2.20:4789'),
    allowedIps: [prefix('10.20.0.0/16')],
    since: wallTime(1_795_395_723_456_000),
    plaintextUntil: wallTime(1_800_000_000_000_000),
    hasEnded: false,
    ...changes,
  };
}

export const CLEAR_TRAFFIC = {
  rxBytes: 12_410n,
  txBytes: 11_000n,
  rxPackets: 10n,
  txPackets: 11n,
};

function macOf(text: string): Mac {
  return present(parseMac(text), text);
}

export function statusSource(
  peers: readonly PeerSnapshot[] = [peerSnapshot()],
  changes: Partial<StatusSource> = {},
): StatusSource {
  return {
    version: '1.2.3',
    pid: 4711,
    startedAt: instant(NOW - 192_000_000),
    now: NOW,
    interface: 'heddle0',
    addresses: [present(parseInterfaceAddress('10.77.0.1/24'), 'the address is right')],
    mtu: 1420,
    listenPort: 51820,
    fwMark: 0,
    datapath: 'native',
    lanes: 1,
    remarks: ['chacha20-poly1305: openssl assembly'],
    snapshot: {
      publicKey: new Uint8Array(32).fill(9),
      vtepMac: parseMac('02:00:5e:10:00:01'),
      peers,
      clearPeers: [],
      handshakeDrops: { mac2: 2 },
      controlDrops: {},
      underLoad: false,
      mesh: undefined,
    },
    traffic: () => ({ rxBytes: 12_390n, txBytes: 1n << 60n, rxPackets: 10n, txPackets: 11n }),
    counters: { inner_in: 5n },
    drops: { replay: 3n, tag: 0n },
    repairs: { address: 1 },
    ...changes,
  };
}
