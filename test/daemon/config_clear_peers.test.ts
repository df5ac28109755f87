/** Peers in the clear: what comes of them, and every way in which one is refused. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { formatRfc3339 } from '../../src/api/rfc3339.js';
import { vtepMacOf } from '../../src/node/vtep_mac.js';
import { CRYPTO, faultsOf, KEY, OTHER_SECRET, PEER, parse } from '../support/config_text.js';

const test = suite('daemon/config_clear_peers');
const MAC = '02:00:5e:10:00:02';
const VXLAN = `encapsulation: vxlan, vtepMac: "${MAC}"`;

/** Each peer is a flow map on a line of its own, from line 3 on. */
function withPeers(...peers: readonly string[]): string {
  return `${KEY}peers:\n${peers.map((peer) => `- {${peer}}\n`).join('')}`;
}

test('clear peers: what is given arrives, what is not has its default', () => {
  const { peers, clearPeers } = parse(
    withPeers(
      `${VXLAN}, endpoint: 192.0.2.2:8472, allowedIps: [10.1.0.0/16]`,
      `${VXLAN}, endpoint: "[2001:db8::2]:4789", vni: 4096, plaintextUntil: 2027-01-31`,
      'encapsulation: udp, endpoint: 192.0.2.3:8285, name: flannel',
    ),
  );
  assert.equal(peers, []);
  const [first, second, third] = clearPeers;
  assert.is(first?.name, '192.0.2.2:8472', 'named after its endpoint');
  assert.equal(
    first?.allowedIps.map(({ text }) => text),
    ['10.1.0.0/16'],
  );
  assert.is(first?.carrier.kind === 'vxlan' && first.carrier.vni, 1);
  assert.is(first?.carrier.kind === 'vxlan' && first.carrier.mac.text, MAC);
  assert.is(first?.plaintextUntil, undefined);
  assert.is(second?.carrier.kind === 'vxlan' && second.carrier.vni, 4096);
  assert.is(second?.endpoint.text, '[2001:db8::2]:4789');
  const until = second?.plaintextUntil;
  assert.is(until && formatRfc3339(until), '2027-01-31T00:00:00.000Z');
  assert.equal([third?.name, third?.carrier], ['flannel', { kind: 'udp' }]);
});

test('clear peers: an end that is past is loaded all the same', () => {
  const text = withPeers(
    'encapsulation: udp, endpoint: 192.0.2.3:8285, plaintextUntil: 2001-01-01',
  );
  assert.is(parse(text).clearPeers.length, 1);
});

const OWN_MAC = vtepMacOf(CRYPTO.publicKey(parse(KEY).privateKey)).text;
const WHERE = 'an address, not a name, and the port of both ends, because';
const UNTIL =
  'a date such as 2027-01-31 (its beginning in UTC), or a time with its zone such as ' +
  '2027-01-31T18:00:00+01:00';
const UDP = 'encapsulation: udp, endpoint: 192.0.2.3:8285';

/** Reason, peers, the place and message of the fault. */
const FAULTS: readonly (readonly [string, readonly string[], RegExp | string])[] = [
  [
    'a public key',
    [`${UDP}, publicKey: ${PEER}`],
    '3:50: peers[0].publicKey: udp is in the clear and has no key; remove it, or use wireguard',
  ],
  [
    'a preshared key',
    [`${UDP}, presharedKey: ${OTHER_SECRET}`],
    '3:50: peers[0].presharedKey: udp is in the clear and has no key; remove it, or use wireguard',
  ],
  [
    'a file with one',
    [`${VXLAN}, endpoint: 192.0.2.2:8472, presharedKeyFile: psk`],
    /peers\[0\]\.presharedKeyFile: vxlan is in the clear and has no key; .*, or use vxlan-sealed$/,
  ],
  [
    'a keepalive',
    [`${UDP}, persistentKeepalive: 25`],
    /peers\[0\]\.persistentKeepalive: udp is in the clear and has no keepalive; /,
  ],
  [
    'a protocol',
    [`${UDP}, protocol: heddle`],
    /peers\[0\]\.protocol: udp has no sessions; remove it, or use wireguard$/,
  ],
  [
    'no endpoint',
    ['encapsulation: udp'],
    `3:3: peers[0].endpoint: found nothing, expected ${WHERE} udp is accepted from there alone`,
  ],
  [
    'a name as endpoint',
    ['encapsulation: udp, endpoint: a.example:8285'],
    `3:34: peers[0].endpoint: found "a.example:8285", expected ${WHERE} udp is accepted from there alone`,
  ],
  [
    'the listen port',
    ['encapsulation: udp, endpoint: 192.0.2.3:51820'],
    '3:34: peers[0].endpoint: port 51820 is the listenPort, where only sealed messages come; ' +
      'udp needs a port of its own',
  ],
  [
    'a port of two kinds',
    [UDP, `${VXLAN}, endpoint: 192.0.2.9:8285`],
    "4:66: peers[1].endpoint: port 8285 is udp's by peers[0]; use another",
  ],
  [
    'one way twice',
    [
      `${VXLAN}, endpoint: 192.0.2.9:8472`,
      `${VXLAN}, endpoint: 192.0.2.9:8472, vni: 2`,
      `${VXLAN}, endpoint: 192.0.2.9:8472, vni: 1, name: other`,
    ],
    /^5:66: peers\[2\]\.endpoint: peers\[0\] already is at 192\.0\.2\.9:8472 with VNI 1$/m,
  ],
  [
    'one name twice',
    [`${UDP}, name: a`, 'encapsulation: udp, endpoint: 192.0.2.4:8285, name: a'],
    '4:56: peers[1].name: peers[0] already is named "a"',
  ],
  [
    'the name of a sealed one',
    [`${UDP}, name: a`, `publicKey: ${PEER}, name: a`],
    '3:56: peers[0].name: peers[1] already is named "a"',
  ],
  [
    'a prefix inside a sealed one',
    [`${UDP}, allowedIps: [10.1.0.0/16]`, `publicKey: ${PEER}, allowedIps: [10.0.0.0/8]`],
    '3:63: peers[0].allowedIps[0]: 10.1.0.0/16 overlaps a prefix of a sealed peer, ' +
      'and what is sealed must not pass in the clear',
  ],
  [
    'a prefix around a sealed one',
    [`publicKey: ${PEER}, allowedIps: [10.1.2.3]`, `${UDP}, allowedIps: [10.0.0.0/8]`],
    /^4:63: peers\[1\]\.allowedIps\[0\]: 10\.0\.0\.0\/8 overlaps/,
  ],
  [
    'a prefix of another in the clear',
    [
      `${UDP}, allowedIps: [10.0.0.0/8]`,
      'encapsulation: udp, endpoint: 192.0.2.4:8285, allowedIps: [10.0.0.0/9, 10.0.0.0/8]',
    ],
    '4:75: peers[1].allowedIps[1]: peers[0] already has 10.0.0.0/8, and a prefix belongs to one peer',
  ],
  [
    'vxlan without VTEP',
    ['encapsulation: vxlan, endpoint: 192.0.2.3:8472'],
    /^3:3: peers\[0\]\.vtepMac: found nothing, expected the Ethernet address of one station, /,
  ],
  [
    'our own VTEP',
    [`encapsulation: vxlan, endpoint: 192.0.2.3:8472, vtepMac: "${OWN_MAC}"`],
    '3:61: peers[0].vtepMac: this is our own VTEP',
  ],
  [
    'a VNI without VXLAN',
    [`${UDP}, vni: 5`],
    '3:50: peers[0].vni: udp has no VNI; remove it, or use vxlan',
  ],
  [
    'a VTEP without Ethernet',
    [`${UDP}, vtepMac: "${MAC}"`],
    '3:50: peers[0].vtepMac: udp carries no Ethernet; remove it, or use vxlan',
  ],
  [
    'a day that does not exist',
    [`${UDP}, plaintextUntil: 2027-02-29`],
    `3:66: peers[0].plaintextUntil: found "2027-02-29", expected ${UNTIL}`,
  ],
  [
    'a time without zone',
    [`${UDP}, plaintextUntil: "2027-02-28T10:00:00"`],
    `3:66: peers[0].plaintextUntil: found "2027-02-28T10:00:00", expected ${UNTIL}`,
  ],
];

for (const [reason, peers, faults] of FAULTS) {
  test(`faults: ${reason}`, () => {
    const found = faultsOf(() => parse(withPeers(...peers)));
    if (typeof faults === 'string') assert.is(found, faults);
    else assert.match(found, faults);
  });
}

test('faults: two networks on one port and address are two peers', () => {
  const at = `${VXLAN}, endpoint: 192.0.2.9:8472`;
  assert.is(parse(withPeers(`${at}, name: a`, `${at}, name: b, vni: 2`)).clearPeers.length, 2);
});

test('faults: without a private key everything else is judged all the same', () => {
  const faults = faultsOf(() => parse(`peers: [{${UDP}, vni: 5}]\n`));
  assert.match(faults, /missing key: .*\n1:56: peers\[0\]\.vni: udp has no VNI/);
});

test.run();
