/** A configuration for the tests of what WireGuard's configuration protocol does to one. */

import { seconds } from '../../src/base/time.js';
import type { Config, PeerConfig } from '../../src/node/config.js';
import { prefix } from './parsed.js';

export function key(fill: number): Uint8Array {
  return new Uint8Array(32).fill(fill);
}

export const OTHER: PeerConfig = {
  name: 'other',
  publicKey: key(0x11),
  presharedKey: key(0x12),
  endpoint: { host: 'other.example.org', port: 51820 },
  allowedIps: [prefix('10.1.0.0/16'), prefix('fd01::/64')],
  persistentKeepalive: seconds(25),
  protocol: 'heddle',
  sealedVni: 7,
};

export function config(peers: readonly PeerConfig[]): Config {
  return {
    interface: 'hd0',
    privateKey: key(0x42),
    listenPort: 51820,
    addresses: [],
    table: 'auto',
    fwMark: 0,
    datapath: 'native',
    peers,
    clearPeers: [],
  };
}
