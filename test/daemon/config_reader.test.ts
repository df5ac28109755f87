/** What comes of a right configuration, and what is wrong between the keys of a sealed peer. */

import * as fs from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { present } from '../../src/base/assert.js';
import { toBase64 } from '../../src/base/bytes.js';
import { seconds } from '../../src/base/time.js';
import { faultsOf, KEY, OTHER_SECRET, PEER, PEER2, parse } from '../support/config_text.js';

const test = suite('daemon/config_reader');

test('value: what is absent has its default', () => {
  const config = parse(KEY);
  assert.equal(
    { ...config, privateKey: undefined },
    {
      interface: 'heddle0',
      privateKey: undefined,
      listenPort: 51820,
      addresses: [],
      table: 'auto',
      fwMark: 0,
      datapath: 'native',
      peers: [],
      clearPeers: [],
    },
  );
});

test('value: offloads that are not given are auto', () => {
  const { offloads } = parse(`${KEY}offloads: {tunUdp: off, udpGro: on}\n`);
  const rest = { tunTcp: 'auto', udpGso: 'auto', checksums: 'auto' };
  assert.equal(offloads, { tunUdp: 'off', udpGro: 'on', ...rest });
});

test('value: everything that is given arrives', () => {
  const config = parse(`${KEY}fwMark: 0xca6c
table: off
mtu: 1400
addresses: [10.0.0.1/24, "FD00::1/64"]
peers:
  - publicKey: ${PEER}
    presharedKey: ${OTHER_SECRET}
    endpoint: "[2001:db8::1]:5"
    allowedIps: [10.0.0.77/24, fd00::1, 10.0.0.5/24]
    persistentKeepalive: 25
  - publicKey: ${PEER2}
    persistentKeepalive: off
`);
  assert.is(config.fwMark, 0xca6c);
  assert.is(config.table, 'off');
  assert.is(config.mtu, 1400);
  assert.equal(
    config.addresses.map((each) => each.text),
    ['10.0.0.1/24', 'fd00::1/64'],
  );
  const [first, second] = config.peers;
  assert.is(first?.name, 'xTIBA5rb');
  assert.is(toBase64(first?.publicKey ?? new Uint8Array()), PEER);
  assert.is(toBase64(first?.presharedKey ?? new Uint8Array()), OTHER_SECRET);
  assert.equal(first?.endpoint, { host: '2001:db8::1', port: 5 });
  assert.equal(
    first?.allowedIps.map((each) => each.text),
    ['10.0.0.0/24', 'fd00::1/128'],
  );
  assert.is(first?.persistentKeepalive, seconds(25));
  assert.is(second?.persistentKeepalive, undefined);
});

test('value: in a mesh no key has to be given, and without one it must be', () => {
  const config = parse('mesh: true\n');
  assert.equal(config.meshSettings, { announce: [], acceptsDefaultRoutes: false });
  assert.ok(config.privateKey.every((byte) => byte === 0));
  assert.is(parse(KEY).meshSettings, undefined);
  assert.throws(() => parse('mesh: false\n'), /expected privateKey/);
});

test('value: what a host is to be in its mesh', () => {
  const words = 'name: web-1, announce: [10.20.0.7/16], subnet: 24, acceptDefaultRoutes: true';
  const { meshSettings } = parse(`mesh: {${words}}\n`);
  const { announce, ...rest } = present(meshSettings, 'the settings');
  assert.equal(
    announce.map(({ text }) => text),
    ['10.20.0.0/16'],
  );
  assert.equal(rest, { name: 'web-1', subnetLength: 24, acceptsDefaultRoutes: true });
  const plain = parse('mesh: {}\n').meshSettings;
  assert.equal(plain, { announce: [], acceptsDefaultRoutes: false });
});

test('value: the private key is clamped', () => {
  const { privateKey } = parse(`privateKey: ${'/'.repeat(42)}8=\n`);
  assert.is((privateKey[0] ?? 0) & 7, 0);
  assert.is((privateKey[31] ?? 0) & 0xc0, 0x40);
});

test('value: a sealed peer may be behind VXLAN, with its VNI or the usual one', () => {
  const vxlan = 'encapsulation: vxlan-sealed';
  const { peers } = parse(
    `${KEY}peers: [{publicKey: ${PEER}, ${vxlan}}, {publicKey: ${PEER2}, ${vxlan}, vni: 7}]\n`,
  );
  assert.equal(
    peers.map(({ sealedVni }) => sealedVni),
    [51_820, 7],
  );
});

test('value: our VTEP has the given address, or none is given', () => {
  assert.is(parse(KEY).vtepMac, undefined);
  assert.is(parse(`${KEY}vtepMac: 02-00-5E-10-00-01\n`).vtepMac?.text, '02:00:5e:10:00:01');
});

const CONFIGS = new URL('../../../configs/', import.meta.url);
for (const name of fs.readdirSync(CONFIGS).filter((each) => each.endsWith('.yaml'))) {
  test(`example: ${name} has no fault between its keys`, () => {
    const text = fs.readFileSync(new URL(name, CONFIGS), 'utf8');
    const own = text.replace(/^privateKeyFile: .*$/m, KEY).replace(/^ *presharedKeyFile: .*$/m, '');
    assert.is(parse(own).interface, 'heddle0');
  });
}

const MAC = 'the Ethernet address of one station, such as 02:00:5e:10:00:01';

/** Reason, text behind the key, faults. */
const FAULTS: readonly (readonly [string, string, string])[] = [
  [
    'a sealed peer without key',
    'peers:\n  - endpoint: 192.0.2.1:1\n',
    '3:5: peers[0].publicKey: found nothing, expected the public key: 32 bytes in base64 (44 characters)',
  ],
  [
    'a VNI without VXLAN',
    `peers:\n  - publicKey: ${PEER}\n    vni: 3\n`,
    '4:5: peers[0].vni: wireguard has no VNI; remove it, or use vxlan-sealed',
  ],
  [
    'a VTEP without Ethernet',
    `peers:\n  - publicKey: ${PEER}\n    vtepMac: 02:00:5e:10:00:01\n`,
    '4:5: peers[0].vtepMac: only a peer with encapsulation vxlan has it; remove it',
  ],
  [
    'an end of what is sealed',
    `peers:\n  - {publicKey: ${PEER}, encapsulation: vxlan-sealed, plaintextUntil: 2027-01-01}\n`,
    '3:92: peers[0].plaintextUntil: vxlan-sealed is sealed, and does not end; remove it',
  ],
  [
    'an unknown encapsulation',
    `peers: [{publicKey: ${PEER}, encapsulation: geneve}]\n`,
    '2:82: peers[0].encapsulation: found "geneve", expected wireguard, vxlan-sealed, vxlan or udp',
  ],
  [
    'a VNI of 25 bits',
    `peers: [{publicKey: ${PEER}, encapsulation: vxlan-sealed, vni: 16777216}]\n`,
    '2:101: peers[0].vni: found the number 16777216, expected a VXLAN network identifier from 1 to 16777215',
  ],
  [
    'a group as VTEP',
    'vtepMac: 03:00:5e:10:00:01\n',
    `2:10: vtepMac: found "03:00:5e:10:00:01", expected ${MAC}`,
  ],
  [
    'nobody as VTEP',
    'vtepMac: 00:00:00:00:00:00\n',
    `2:10: vtepMac: found "00:00:00:00:00:00", expected ${MAC}`,
  ],
];

for (const [reason, text, faults] of FAULTS) {
  test(`faults: ${reason}`, () => {
    assert.is(
      faultsOf(() => parse(KEY + text)),
      faults,
    );
  });
}

test('faults: a private key of zeros is none', () => {
  assert.is(
    faultsOf(() => parse(`privateKey: ${'A'.repeat(43)}=\n`)),
    '1:13: privateKey: a key of zeros is none; make one with `heddle keygen`',
  );
});

test.run();
