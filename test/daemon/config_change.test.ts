import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  parseEndpoint,
  parseInterfaceAddress,
  parseMac,
  parsePrefix,
} from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import { seconds, wallTime } from '../../src/base/time.js';
import { describeChange, withoutRestart } from '../../src/daemon/config_change.js';
import type { ClearPeerConfig, Config, PeerConfig } from '../../src/node/config.js';
import { AUTO_OFFLOADS } from '../../src/node/offloads.js';

const test = suite('daemon/config_change');

const prefixes = (...texts: string[]): PeerConfig['allowedIps'] =>
  texts.map((text) => present(parsePrefix(text), text));

const beta: PeerConfig = {
  name: 'beta',
  publicKey: new Uint8Array(32).fill(2),
  presharedKey: new Uint8Array(32).fill(9),
  endpoint: { host: 'beta.example.org', port: 51820 },
  allowedIps: prefixes('10.77.0.2/32', 'fd77::2/128'),
  persistentKeepalive: seconds(25),
};

const vtep: ClearPeerConfig = {
  name: 'vtep',
  carrier: { kind: 'vxlan', vni: 1, mac: present(parseMac('02:00:00:00:00:07'), 'a MAC') },
  endpoint: present(parseEndpoint('192.0.2.7:4789'), 'an endpoint'),
  allowedIps: prefixes('10.244.7.0/24'),
};

const base: Config = {
  interface: 'heddle0',
  privateKey: new Uint8Array(32).fill(1),
  listenPort: 51820,
  addresses: [present(parseInterfaceAddress('10.77.0.1/24'), 'an address')],
  table: 'auto',
  fwMark: 0,
  datapath: 'native',
  peers: [beta],
  clearPeers: [vtep],
};

const CASES: readonly [what: string, after: Config, lines: readonly string[]][] = [
  ['the same', { ...base, peers: [{ ...beta }], clearPeers: [{ ...vtep }] }, []],
  [
    'every setting of its own',
    {
      ...base,
      privateKey: new Uint8Array(32).fill(8),
      listenPort: 51821,
      addresses: [present(parseInterfaceAddress('10.77.0.9/24'), 'an address')],
      mtu: 1280,
      table: 'off',
      fwMark: 7,
    },
    [
      'privateKey: replaced',
      'listenPort: 51820 -> 51821',
      'addresses: +10.77.0.9/24 -10.77.0.1/24',
      'mtu: measured -> 1280',
      'table: auto -> off',
      'fwMark: 0 -> 7',
    ],
  ],
  [
    'offloads, from none that is given',
    { ...base, offloads: { ...AUTO_OFFLOADS, udpGso: 'off', checksums: 'on' } },
    ['offloads.udpGso: auto -> off', 'offloads.checksums: auto -> on'],
  ],
  [
    'a peer for another',
    { ...base, peers: [{ ...beta, name: 'gamma', publicKey: new Uint8Array(32).fill(3) }] },
    ['peer gamma: added', 'peer beta: removed'],
  ],
  [
    'all of a peer',
    {
      ...base,
      peers: [
        {
          name: 'bee',
          publicKey: beta.publicKey,
          allowedIps: prefixes('10.77.0.2/32', ...[1, 2, 3, 4, 5].map((i) => `10.8.${i}.0/24`)),
          sealedVni: 51820,
        },
      ],
    },
    [
      'peer bee: name: beta -> bee',
      'peer bee: presharedKey removed',
      'peer bee: endpoint: beta.example.org:51820 -> none',
      'peer bee: allowedIps: +10.8.1.0/24 +10.8.2.0/24 +10.8.3.0/24 +10.8.4.0/24 +1 more -fd77::2/128',
      'peer bee: persistentKeepalive: 25 s -> off',
      'peer bee: encapsulation: wireguard -> vxlan-sealed with VNI 51820',
    ],
  ],
  [
    'a preshared key',
    { ...base, peers: [{ ...beta, presharedKey: new Uint8Array(32).fill(4) }] },
    ['peer beta: presharedKey replaced'],
  ],
  [
    'ciphers and a protocol',
    { ...base, ciphers: ['chacha20-poly1305'], peers: [{ ...beta, protocol: 'heddle' }] },
    ['ciphers: all -> chacha20-poly1305', 'peer beta: protocol: wireguard -> heddle'],
  ],
  [
    'a clear peer, and one with another address',
    {
      ...base,
      clearPeers: [
        { ...vtep, allowedIps: [], plaintextUntil: wallTime(1_800_000_000_000_000) },
        { ...vtep, name: 'two', carrier: { kind: 'udp' } },
      ],
    },
    [
      'peer vtep: allowedIps: -10.244.7.0/24',
      'peer vtep: plaintextUntil: never -> 2027-01-15T08:00:00.000Z',
      'peer two: added, in the clear',
    ],
  ],
];

for (const [what, after, lines] of CASES) {
  test(`change: tells ${what}`, () => {
    assert.equal(describeChange(base, after), { applied: lines, needsRestart: [] });
  });
}

test('change: what a host is in its mesh needs a restart, and stays as it is', () => {
  const announce = prefixes('10.20.0.0/16');
  const meshSettings = { announce, subnetLength: 24, acceptsDefaultRoutes: true };
  const line = 'mesh: off -> announce 10.20.0.0/16, subnet 24, acceptDefaultRoutes';
  const after: Config = { ...base, meshSettings };
  assert.equal(describeChange(base, after), { applied: [], needsRestart: [line] });
  assert.is(withoutRestart(base, after).meshSettings, undefined);
  assert.is(withoutRestart(after, base).meshSettings, meshSettings);
});

test('change: interface, datapath and lanes need a restart, and stay as they are', () => {
  const changes = { interface: 'hd9', datapath: 'reference', listenPort: 1, lanes: 4 } as const;
  const after: Config = { ...base, ...changes };
  assert.equal(describeChange(base, after), {
    applied: ['listenPort: 51820 -> 1'],
    needsRestart: [
      'interface: heddle0 -> hd9',
      'datapath: native -> reference',
      'lanes: auto -> 4',
    ],
  });
  assert.equal(withoutRestart(base, after), { ...base, listenPort: 1 });
});

test.run();
