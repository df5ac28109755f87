/**
 * What RFC 7348 §4 and §5 (and §6.1 on tags) claim of a VTEP, each on whole hosts under virtual
 * time, from their configuration on. Outer checksums are the kernel's: test/interop shows them.
 */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Endpoint, endpointOf, parseInterfaceAddress } from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import { seconds } from '../../src/base/time.js';
import type { ClearPeerConfig } from '../../src/node/config.js';
import { changed, equalBytes } from '../support/bytes.js';
import { arp, BROADCAST, type FrameOptions, vxlanFrame } from '../support/frames.js';
import { ipv4, tcp } from '../support/inner_packets.js';
import { configOf } from '../support/pair.js';
import { address, endpoint, mac, prefix } from '../support/parsed.js';
import { SUITE } from '../support/walk_rig.js';
import { type Host, VirtualNetwork } from '../support/virtual_network.js';

const test = suite('paper/rfc7348');

const LEFT_MAC = '02005e000001';
const RIGHT_MAC = '02005e000002';
const PACKET = ipv4({ source: '10.0.0.1', destination: '10.0.0.2', bytes: 200 });
const ANSWER = ipv4({ source: '10.0.0.2', destination: '10.0.0.1', bytes: 200 });

interface Segment {
  readonly network: VirtualNetwork;
  readonly left: Host;
  readonly right: Host;
}

interface Differences {
  readonly leftVni?: number;
  readonly rightVni?: number;
  readonly port?: number;
  /** Further peers of the left host. */
  readonly more?: readonly ClearPeerConfig[];
}

/** Two VTEPs: 10.0.0.1 at 192.0.2.1 and 10.0.0.2 at 192.0.2.2. */
function createSegment(differences: Differences = {}): Segment {
  const { leftVni = 1, rightVni = 1, port = 4789, more = [] } = differences;
  const network = new VirtualNetwork(SUITE, 'rfc7348');
  const [toRight, toLeft] = [
    vtep(2, { vni: leftVni, port, mac: RIGHT_MAC }),
    vtep(1, { vni: rightVni, port, mac: LEFT_MAC }),
  ];
  const left = addHost(network, 1, LEFT_MAC, [toRight, ...more]);
  const right = addHost(network, 2, RIGHT_MAC, [toLeft]);
  return { network, left, right };
}

/** The peer that is 10.0.0.`host` at 192.0.2.`host`. */
function vtep(
  host: number,
  at: { vni: number; port: number; mac: string; inner?: number },
): ClearPeerConfig {
  return {
    name: `host ${host} in ${at.vni}`,
    carrier: { kind: 'vxlan', vni: at.vni, mac: mac(colons(at.mac)) },
    endpoint: endpointOf(address(`192.0.2.${host}`), at.port),
    allowedIps: [prefix(`10.0.0.${at.inner ?? host}/32`)],
  };
}

function addHost(
  network: VirtualNetwork,
  host: number,
  vtepMac: string,
  clearPeers: readonly ClearPeerConfig[],
): Host {
  const own = present(parseInterfaceAddress(`10.0.0.${host}/24`), 'an address');
  return network.addHost({
    name: `host ${host}`,
    endpoint: endpoint(`192.0.2.${host}:51820`),
    config: {
      ...configOf(new Uint8Array(32), []),
      addresses: [own],
      vtepMac: mac(colons(vtepMac)),
      clearPeers,
    },
  });
}

function colons(digits: string): string {
  return digits.replace(/(..)(?!$)/g, '$1:');
}

/** A frame on its way to the left host, as the right VTEP would send it but for what is changed. */
function inject(
  { network }: Segment,
  payload: Uint8Array,
  changes: Partial<FrameOptions> & { from?: string; to?: Endpoint } = {},
): void {
  const { from = '192.0.2.2:49999', to = endpoint('192.0.2.1:4789'), ...frame } = changes;
  const right = { vni: 1, destination: LEFT_MAC, source: RIGHT_MAC, ethertype: 0x0800 };
  network.inject(endpoint(from), to, vxlanFrame({ ...right, ...frame }, payload));
  network.run(seconds(1));
}

test('§4: only hosts of one segment talk to each other', () => {
  const segment = createSegment({ leftVni: 1, rightVni: 2 });
  segment.left.send(PACKET);
  segment.right.send(ANSWER);
  segment.network.run(seconds(1));
  assert.is(segment.network.sent.length, 2);
  assert.equal([segment.left.received.length, segment.right.received.length], [0, 0]);
});

test('§4: one Ethernet address may be in two segments, and nothing crosses over', () => {
  const twin = vtep(2, { vni: 2, port: 4789, mac: RIGHT_MAC, inner: 3 });
  const segment = createSegment({ more: [twin] });
  segment.left.send(PACKET);
  segment.left.send(ipv4({ source: '10.0.0.1', destination: '10.0.0.3' }));
  const vnis = segment.network.sent.map(({ datagram }) => datagram[6]);
  assert.equal(vnis, [1, 2]);
  inject(segment, ANSWER);
  inject(segment, ipv4({ source: '10.0.0.3', destination: '10.0.0.1' }), { vni: 2 });
  assert.is(segment.left.received.length, 2);
  inject(segment, ANSWER, { vni: 2 });
  inject(segment, ipv4({ source: '10.0.0.3', destination: '10.0.0.1' }), { vni: 1 });
  assert.is(segment.left.received.length, 2, 'the source belongs to the other segment');
});

test('§4.1: a frame goes to the VTEP that its destination is mapped to, headers in front', () => {
  const segment = createSegment();
  segment.left.send(PACKET);
  const [sent] = segment.network.sent;
  assert.is(sent?.to.text, '192.0.2.2:4789');
  assert.is(sent?.from.address.text, '192.0.2.1');
  const link = { vni: 1, destination: RIGHT_MAC, source: LEFT_MAC, ethertype: 0x0800 };
  equalBytes(sent?.datagram, vxlanFrame(link, PACKET));
});

test('§4.1: the receiver strips the headers; the destination never knows of them', () => {
  const segment = createSegment();
  segment.left.send(PACKET);
  segment.network.run(seconds(1));
  equalBytes(segment.right.received[0], PACKET);
  segment.right.send(ANSWER);
  segment.network.run(seconds(1));
  equalBytes(segment.left.received[0], ANSWER);
});

test('§4.1: the receiver verifies the VNI, and that the inner destination is its own', () => {
  const segment = createSegment();
  inject(segment, ANSWER, { vni: 2 });
  inject(segment, ANSWER, { destination: RIGHT_MAC });
  assert.is(segment.left.received.length, 0);
  const { drops } = segment.left.walk.counters();
  assert.equal([drops.clear_source, drops.clear_mac], [1n, 1n]);
  inject(segment, ANSWER);
  assert.is(segment.left.received.length, 1);
});

test('§4.1, not followed: nothing is learned from what arrives', () => {
  const segment = createSegment();
  // The RFC's VTEP would now send to 192.0.2.66, to whoever asked for it.
  inject(segment, ANSWER, { from: '192.0.2.66:4789' });
  inject(segment, ANSWER, { source: '0200000000ee' });
  segment.left.send(PACKET);
  const sent = present(segment.network.sent.at(-1), 'it was sent');
  assert.is(sent.to.text, '192.0.2.2:4789');
  equalBytes(sent.datagram.slice(8, 14), present(mac(colons(RIGHT_MAC)), 'a MAC').bytes);
});

test('§4.2: a broadcast question for our address is answered to the one VTEP that asked', () => {
  const segment = createSegment();
  const senderMac = '0200000000ee';
  const question = arp({ senderMac, sender: '10.0.0.2', target: '10.0.0.1' });
  const link = { destination: BROADCAST, source: senderMac, ethertype: 0x0806 };
  inject(segment, question, link);
  const [answer, ...others] = segment.network.sent;
  assert.equal([answer?.to.text, others.length], ['192.0.2.2:4789', 0]);
  const reply = arp({
    operation: 2,
    senderMac: LEFT_MAC,
    sender: '10.0.0.1',
    targetMac: senderMac,
    target: '10.0.0.2',
  });
  const back = { vni: 1, destination: senderMac, source: LEFT_MAC, ethertype: 0x0806 };
  equalBytes(answer?.datagram, vxlanFrame(back, reply));
  inject(segment, arp({ senderMac, sender: '10.0.0.2', target: '10.0.0.9' }), link);
  assert.is(segment.network.sent.length, 1, 'for others we do not speak');
});

test('§4.2, not followed: what is for a group of the segment goes to nobody', () => {
  const segment = createSegment();
  for (const destination of ['255.255.255.255', '224.0.0.1', '10.0.0.255']) {
    segment.left.send(ipv4({ source: '10.0.0.1', destination }));
  }
  assert.is(segment.network.sent.length, 0);
  inject(segment, ANSWER, { destination: BROADCAST });
  assert.is(segment.left.walk.counters().drops.clear_mac, 1n);
});

test('§4.3: a VTEP must not fragment: a packet leaves whole in one datagram, or not at all', () => {
  const segment = createSegment();
  segment.left.send(ipv4({ source: '10.0.0.1', bytes: 1420 }));
  assert.equal(
    segment.network.sent.map(({ datagram }) => datagram.length),
    [1420 + 8 + 14],
  );
  segment.left.send(ipv4({ source: '10.0.0.1', bytes: 1421 }));
  assert.is(segment.network.sent.length, 1);
  assert.is(segment.left.walk.counters().drops.inner_too_big, 1n);
});

test('§5: the I flag must be set for a VNI to be valid', () => {
  const segment = createSegment();
  for (const flags of [0, 0xf7]) inject(segment, ANSWER, { flags });
  assert.is(segment.left.received.length, 0);
  assert.is(segment.left.walk.counters().drops.clear_header, 2n);
  segment.left.send(PACKET);
  assert.is(segment.network.sent[0]?.datagram[0], 0x08);
});

test('§5: reserved fields are zero on transmission, and ignored on receipt', () => {
  const segment = createSegment();
  segment.left.send(PACKET);
  const header = segment.network.sent[0]?.datagram.slice(0, 8);
  equalBytes(header, Uint8Array.of(8, 0, 0, 0, 0, 0, 1, 0));
  const link = { vni: 1, destination: LEFT_MAC, source: RIGHT_MAC, ethertype: 0x0800 };
  for (const [at, value] of [
    [0, 0xff],
    [1, 0xff],
    [2, 0xff],
    [3, 0xff],
    [7, 0xff],
  ] as const) {
    const frame = changed(vxlanFrame(link, ANSWER), at, value);
    segment.network.inject(endpoint('192.0.2.2:4789'), endpoint('192.0.2.1:4789'), frame);
  }
  segment.network.run(seconds(1));
  assert.is(segment.left.received.length, 5);
});

for (const vni of [1, 4096, 0x12_3456, 0xff_ffff]) {
  test(`§5: the VNI has 24 bits: ${vni}`, () => {
    const segment = createSegment({ leftVni: vni, rightVni: vni });
    segment.left.send(PACKET);
    segment.network.run(seconds(1));
    equalBytes(segment.right.received[0], PACKET);
  });
}

for (const port of [4789, 8472]) {
  test(`§5: the destination port is configurable: ${port}`, () => {
    const segment = createSegment({ port });
    segment.left.send(PACKET);
    segment.network.run(seconds(1));
    assert.is(segment.network.sent[0]?.to.port, port);
    equalBytes(segment.right.received[0], PACKET);
  });
}

test('§5: the source port comes from a hash of the inner packet: one a flow', () => {
  const segment = createSegment();
  const portOf = (sourcePort: number, sequence: number) => {
    const packet = tcp({ family: 4, sourcePort, sequence });
    packet.set([10, 0, 0, 1, 10, 0, 0, 2], 12);
    segment.left.send(packet);
    return segment.network.sent.at(-1)?.from.port;
  };
  assert.is(portOf(40_000, 1), portOf(40_000, 2));
  const ports = new Set(Array.from({ length: 64 }, (_, i) => portOf(40_000 + i, 1)));
  assert.ok(ports.size > 8, `64 flows have ${ports.size} ports`);
});

test('§5: whatever the source port, a datagram of the VTEP is accepted', () => {
  const segment = createSegment();
  for (const port of [1, 4789, 49_152, 65_535]) {
    inject(segment, ANSWER, { from: `192.0.2.2:${port}` });
  }
  assert.is(segment.left.received.length, 4);
});

test('§6.1: a frame with an inner VLAN tag is discarded, and none is sent', () => {
  const segment = createSegment();
  const tagged = Uint8Array.of(0, 7, 8, 0, ...ANSWER);
  inject(segment, tagged, { ethertype: 0x8100 });
  assert.is(segment.left.received.length, 0);
  assert.is(segment.left.walk.counters().drops.clear_ethertype, 1n);
});

test.run();
