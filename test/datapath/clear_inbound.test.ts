import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat } from '../../src/base/bytes.js';
import type { Drop } from '../../src/datapath/drop.js';
import type { ClearPort } from '../../src/encap/encapsulation.js';
import { isIpv4ChecksumRight } from '../../src/wire/ipv4.js';
import { changed, equalBytes, flipBit } from '../support/bytes.js';
import {
  createClearRig,
  FROM_OTHER,
  FROM_PEER,
  frameFromPeer,
  OUR_MAC,
  THIRD_MAC,
  UDP_PORT,
  VXLAN,
  VXLAN_PORT,
} from '../support/clear_rig.js';
import {
  arp,
  BROADCAST,
  type FrameOptions,
  ipv6Hex,
  neighbour,
  solicitedNodeMac,
  vxlanFrame,
} from '../support/frames.js';
import { ipv4, ipv6, tcp } from '../support/inner_packets.js';
import { address, endpoint, mac } from '../support/parsed.js';
import { at, datagrams, handshake, OTHER, packets, PEER } from '../support/walk_rig.js';
import { peerSlot } from '../../src/base/identifiers.js';

const inbound = suite('clear inbound');

const PACKET = ipv4({ source: '10.0.0.2', destination: '10.0.0.1', bytes: 77 });
const PACKET6 = ipv6({ source: 2, destination: 1, bytes: 77 });
const BARE = ipv4({ source: '10.0.0.3', destination: '10.0.0.1', bytes: 77 });

for (const packet of [PACKET, PACKET6]) {
  inbound(`clear inbound: takes a packet of ${packet[0]} out of PEER's frame`, () => {
    const rig = createClearRig();
    const out = rig.clear(frameFromPeer(packet), FROM_PEER, VXLAN_PORT);
    assert.is(out.length, 1, 'no event');
    equalBytes(packets(out)[0], packet);
    assert.equal(rig.counters(), {
      datagram_in: 1,
      datagram_in_bytes: 99,
      inner_out: 1,
      inner_out_bytes: 77,
      plaintext_in_bytes: 77,
    });
    assert.equal(rig.traffic(PEER), { rxBytes: 99, rxPackets: 1 });
    assert.equal(rig.drops(), {});
  });
}

inbound('clear inbound: padding behind the packet is cut, in a frame and bare', () => {
  const rig = createClearRig();
  const padding = new Uint8Array(9).fill(0xa5);
  const framed = rig.clear(concat(frameFromPeer(PACKET), padding), FROM_PEER, VXLAN_PORT);
  equalBytes(packets(framed)[0], PACKET);
  const bare = rig.clear(concat(BARE, padding), FROM_OTHER, UDP_PORT);
  assert.is(packets(bare)[0]?.length, BARE.length);
});

inbound('clear inbound: a bare packet arrives with one hop less, its checksum right', () => {
  const rig = createClearRig();
  rig.insert('10.0.0.2/32', OTHER);
  const packet = tcp({ family: 4, payload: 30 });
  const before = packet.slice();
  const [delivered] = packets(rig.clear(packet, FROM_OTHER, UDP_PORT));
  assert.is(delivered?.[8], 63);
  assert.ok(delivered && isIpv4ChecksumRight(delivered, 0));
  equalBytes(delivered?.slice(12), before.slice(12));
  equalBytes(packet, before, 'the datagram was only borrowed');
  assert.equal(rig.traffic(OTHER), { rxBytes: packet.length, rxPackets: 1 });
  assert.is(rig.counters().plaintext_in_bytes, packet.length);
});

const FRAME_LEAST = frameFromPeer(PACKET).slice(0, 41);
const STRANGER = endpoint('192.0.2.99:4789');

/** Why, the datagram, its source and port, and whose packet it is then. */
const DROPPED: readonly [
  why: string,
  datagram: Uint8Array,
  reason: Drop,
  options?: { source?: typeof STRANGER; port?: ClearPort; peer?: typeof PEER },
][] = [
  ['nothing at all', new Uint8Array(0), 'clear_header'],
  ['a frame too short for a packet', FRAME_LEAST, 'clear_header'],
  ['a header whose I bit is clear', frameFromPeer(PACKET, { flags: 0xf7 }), 'clear_header'],
  ['another VNI', frameFromPeer(PACKET, { vni: 4097 }), 'clear_source'],
  ['VNI 0', frameFromPeer(PACKET, { vni: 0 }), 'clear_source'],
  ['an address that is no VTEP', frameFromPeer(PACKET), 'clear_source', { source: STRANGER }],
  [
    'the address of a peer of another kind',
    frameFromPeer(PACKET),
    'clear_source',
    { source: FROM_OTHER },
  ],
  [
    'another VXLAN port of ours',
    frameFromPeer(PACKET),
    'clear_source',
    { port: { kind: 'vxlan', port: 8472 } },
  ],
  ['a frame to another VTEP', frameTo(THIRD_MAC), 'clear_mac', { peer: PEER }],
  ['a frame to everybody', frameTo(BROADCAST), 'clear_mac', { peer: PEER }],
  ['a frame to a group', frameTo('333300000001'), 'clear_mac', { peer: PEER }],
  ['a packet to whom neighbours ask', frameTo('3333ff000001'), 'clear_mac', { peer: PEER }],
  ['a frame from a group', frameFrom('03005e000002'), 'clear_mac', { peer: PEER }],
  ['a frame from everybody', frameFrom(BROADCAST), 'clear_mac', { peer: PEER }],
  ['a frame from another peer’s VTEP', frameFrom(THIRD_MAC), 'clear_mac', { peer: PEER }],
  ['a VLAN tag', frameFromPeer(PACKET, { ethertype: 0x8100 }), 'clear_ethertype', { peer: PEER }],
  ['LLDP', frameFromPeer(PACKET, { ethertype: 0x88cc }), 'clear_ethertype', { peer: PEER }],
  [
    'IPv6 in a frame of IPv4',
    frameFromPeer(PACKET6, { ethertype: 0x0800 }),
    'opened_malformed',
    { peer: PEER },
  ],
  ['a packet that is cut', frameFromPeer(PACKET).slice(0, -1), 'opened_malformed', { peer: PEER }],
  [
    'an inner source that is not PEER’s',
    frameFromPeer(ipv4({ source: '10.0.0.3', destination: '10.0.0.1' })),
    'opened_source',
    { peer: PEER },
  ],
  ['our own address as inner source', frameFromPeer(ipv4()), 'opened_source', { peer: PEER }],
  ['nothing on a bare port', new Uint8Array(0), 'opened_malformed', bareOf(OTHER)],
  ['a frame on a bare port', frameFromPeer(PACKET), 'opened_malformed', bareOf(OTHER)],
  ['a bare packet that is cut', BARE.slice(0, -1), 'opened_malformed', bareOf(OTHER)],
  ['a bare packet of another’s source', PACKET, 'opened_source', bareOf(OTHER)],
  ['a bare packet on its last hop', changed(BARE, 8, 1), 'ttl', bareOf(OTHER)],
  ['a bare packet from nobody', BARE, 'clear_source', { source: STRANGER, port: UDP_PORT }],
  ['a bare packet on a VXLAN port', changed(BARE, 0, 0x4d), 'clear_source', { source: FROM_OTHER }],
  ['a handshake on a VXLAN port', handshake(1), 'clear_header'],
];

function frameTo(destination: string): Uint8Array {
  return frameFromPeer(PACKET6, { destination });
}

function frameFrom(source: string): Uint8Array {
  return frameFromPeer(PACKET, { source });
}

function bareOf(peer: typeof PEER) {
  return { source: FROM_OTHER, port: UDP_PORT, peer };
}

for (const [why, datagram, reason, options = {}] of DROPPED) {
  inbound(`clear inbound: drops ${why} as ${reason}`, () => {
    const rig = createClearRig();
    const third = peerSlot(2);
    rig.write({ kind: 'addPeer', peer: third });
    const encapsulation = {
      ...VXLAN,
      endpoint: endpoint('192.0.2.3:4789'),
      mac: mac('02:00:5e:00:00:04'),
    };
    rig.write({ kind: 'setEncapsulation', peer: third, encapsulation });
    const { source = FROM_PEER, port = VXLAN_PORT, peer } = options;
    assert.equal(rig.clear(datagram, source, port), []);
    assert.equal(rig.drops(), { [reason]: 1 });
    for (const each of [PEER, OTHER]) {
      assert.equal(rig.drops(each), each === peer ? { [reason]: 1 } : {});
      assert.equal(rig.traffic(each), {});
    }
    assert.equal(rig.counters(), {
      datagram_in: 1,
      ...(datagram.length > 0 ? { datagram_in_bytes: datagram.length } : {}),
    });
  });
}

inbound('clear inbound: ends at its instant, and not before', () => {
  const rig = createClearRig(at(10));
  rig.now = at(9);
  assert.is(rig.clear(frameFromPeer(PACKET), FROM_PEER, VXLAN_PORT).length, 1);
  assert.is(rig.clear(BARE, FROM_OTHER, UDP_PORT).length, 1);
  rig.now = at(10);
  assert.is(rig.clear(frameFromPeer(PACKET), FROM_PEER, VXLAN_PORT).length, 0);
  assert.is(rig.clear(BARE, FROM_OTHER, UDP_PORT).length, 0);
  assert.equal(rig.drops(), { clear_ended: 2 });
  assert.equal([rig.drops(PEER), rig.drops(OTHER)], [{ clear_ended: 1 }, { clear_ended: 1 }]);
});

inbound('clear inbound: a station behind the peer may be any that is no other peer', () => {
  const rig = createClearRig();
  const frame = frameFromPeer(PACKET, { source: '0200000000ee' });
  assert.is(packets(rig.clear(frame, FROM_PEER, VXLAN_PORT)).length, 1);
});

inbound('clear inbound: nobody is let in who was removed, or became sealed', () => {
  const rig = createClearRig();
  rig.write({ kind: 'removePeer', peer: OTHER });
  rig.clear(BARE, FROM_OTHER, UDP_PORT);
  rig.write({ kind: 'setEncapsulation', peer: PEER, encapsulation: { kind: 'wireguard' } });
  rig.clear(frameFromPeer(PACKET), FROM_PEER, VXLAN_PORT);
  assert.equal(rig.drops(), { clear_source: 2 });
});

inbound('clear inbound: a clear datagram on the listen port is no sealed message', () => {
  const rig = createClearRig();
  assert.equal(rig.datagram(frameFromPeer(PACKET), FROM_PEER), []);
  assert.equal(rig.datagram(BARE, FROM_OTHER), []);
  assert.equal(rig.drops(), { datagram_type: 2 });
});

inbound(
  'clear inbound: no bit of the headers can be flipped and the packet still be let in',
  () => {
    const frame = frameFromPeer(PACKET);
    for (let bit = 0; bit < 8 * 22; bit++) {
      const rig = createClearRig();
      const out = rig.clear(flipBit(frame, bit), FROM_PEER, VXLAN_PORT);
      const byte = bit >> 3;
      // RFC 7348 §5: reserved bits are ignored. The source may be any station, but no group.
      const isReserved = bit !== 3 && (byte < 4 || byte === 7);
      const isStation = byte >= 14 && byte < 20 && bit !== 8 * 14;
      assert.is(packets(out).length, isReserved || isStation ? 1 : 0, `bit ${bit}`);
    }
  },
);

const ASK_MAC = '0200000000ee';

/** What 10.0.0.2 asks from a station behind PEER. */
function question(
  changes: { sender?: string; target?: string; operation?: number } & Partial<FrameOptions> = {},
): Uint8Array {
  const { sender = '10.0.0.2', target = '10.0.0.1', operation = 1, ...frame } = changes;
  const payload = arp({ operation, senderMac: ASK_MAC, sender, target });
  const right = { destination: BROADCAST, source: ASK_MAC, ethertype: 0x0806 };
  return frameFromPeer(payload, { ...right, ...frame });
}

for (const destination of [BROADCAST, OUR_MAC]) {
  inbound(`clear inbound: answers an ARP request to ${destination} for our address`, () => {
    const rig = createClearRig();
    const [output, ...others] = rig.clear(question({ destination }), FROM_PEER, VXLAN_PORT);
    assert.equal(others, []);
    assert.ok(output?.kind === 'datagram');
    assert.equal([output.peer, output.endpoint], [PEER, VXLAN.endpoint]);
    const reply = arp({
      operation: 2,
      senderMac: OUR_MAC,
      sender: '10.0.0.1',
      targetMac: ASK_MAC,
      target: '10.0.0.2',
    });
    const link = { vni: 4096, destination: ASK_MAC, source: OUR_MAC, ethertype: 0x0806 };
    equalBytes(output.datagram, vxlanFrame(link, reply));
    assert.is(rig.counters().neighbour_answers, 1);
    assert.equal(rig.drops(), {});
  });
}

const UNANSWERED: readonly [why: string, frame: Uint8Array, reason: Drop][] = [
  ['for another’s address', question({ target: '10.0.0.9' }), 'clear_ethertype'],
  ['from an address that is not PEER’s', question({ sender: '10.0.0.3' }), 'opened_source'],
  ['from no address', question({ sender: '0.0.0.0' }), 'opened_source'],
  ['that answers', question({ operation: 2 }), 'clear_ethertype'],
  ['that is cut', question().slice(0, -1), 'clear_ethertype'],
  ['to another VTEP', question({ destination: THIRD_MAC }), 'clear_mac'],
  ['from a group', question({ source: BROADCAST }), 'clear_mac'],
];

for (const [why, frame, reason] of UNANSWERED) {
  inbound(`clear inbound: drops ARP ${why} as ${reason}`, () => {
    const rig = createClearRig();
    rig.insert('0.0.0.0/0', PEER);
    rig.insert('10.0.0.3/32', OTHER);
    assert.equal(rig.clear(frame, FROM_PEER, VXLAN_PORT), []);
    assert.equal(rig.drops(), { [reason]: 1 });
    assert.is(rig.counters().neighbour_answers, undefined);
  });
}

function solicitation(
  changes: Partial<Parameters<typeof neighbour>[0]> = {},
  frame: Partial<FrameOptions> = {},
): Uint8Array {
  const right = { source: ipv6Hex(2), target: ipv6Hex(1) };
  const link = { destination: solicitedNodeMac(1), source: ASK_MAC };
  return frameFromPeer(neighbour({ ...right, ...changes }), { ...link, ...frame });
}

for (const destination of [solicitedNodeMac(1), OUR_MAC]) {
  for (const source of [ipv6Hex(2), `fe80${ipv6Hex(77).slice(4)}`]) {
    inbound(`clear inbound: answers a solicitation to ${destination} from ${source}`, () => {
      const rig = createClearRig();
      const asked = solicitation({ source }, { destination });
      const [output, ...others] = rig.clear(asked, FROM_PEER, VXLAN_PORT);
      assert.equal(others, []);
      assert.ok(output?.kind === 'datagram');
      const advertisement = neighbour({
        type: 136,
        flags: 0x60,
        source: ipv6Hex(1),
        destination: source,
        target: ipv6Hex(1),
        options: Uint8Array.of(2, 1, 2, 0, 0x5e, 0, 0, 1),
      });
      const link = { vni: 4096, destination: ASK_MAC, source: OUR_MAC, ethertype: 0x86dd };
      equalBytes(output.datagram, vxlanFrame(link, advertisement));
      assert.is(rig.counters().neighbour_answers, 1);
    });
  }
}

const UNSOLICITED: readonly [why: string, frame: Uint8Array, reason: Drop][] = [
  ['for another’s address', solicitation({ target: ipv6Hex(9) }), 'clear_ethertype'],
  ['from an address that is not PEER’s', solicitation({ source: ipv6Hex(3) }), 'opened_source'],
  ['from no address', solicitation({ source: '0'.repeat(32) }), 'opened_source'],
  ['that was forwarded', solicitation({ hops: 254 }), 'clear_mac'],
  ['whose checksum is wrong', flipBit(solicitation(), 8 * (22 + 42)), 'clear_mac'],
  ['to a group that does not ask', solicitation({}, { destination: BROADCAST }), 'clear_mac'],
];

for (const [why, frame, reason] of UNSOLICITED) {
  inbound(`clear inbound: drops a solicitation ${why} as ${reason}`, () => {
    const rig = createClearRig();
    rig.insert('::/0', PEER);
    rig.insert('fd00::3/128', OTHER);
    assert.equal(rig.clear(frame, FROM_PEER, VXLAN_PORT), []);
    assert.equal(rig.drops(), { [reason]: 1 });
    assert.is(rig.counters().neighbour_answers, undefined);
  });
}

inbound('clear inbound: a solicitation to us that is not valid is a packet like others', () => {
  const rig = createClearRig();
  const frame = solicitation({ hops: 254 }, { destination: OUR_MAC });
  const out = rig.clear(frame, FROM_PEER, VXLAN_PORT);
  assert.is(packets(out).length, 1, 'the kernel judges it');
  assert.equal(datagrams(out), []);
});

inbound('clear inbound: addresses that are ours no more are not answered for', () => {
  const rig = createClearRig();
  rig.write({ kind: 'setOwnAddresses', addresses: [address('10.0.0.8')] });
  assert.equal(rig.clear(question(), FROM_PEER, VXLAN_PORT), []);
  assert.is(rig.clear(question({ target: '10.0.0.8' }), FROM_PEER, VXLAN_PORT).length, 1);
});

inbound('clear inbound: says when it received last, and raises nothing', () => {
  const rig = createClearRig();
  rig.now = at(3);
  rig.clear(frameFromPeer(PACKET), FROM_PEER, VXLAN_PORT);
  const [read] = rig.write({ kind: 'readActivity', peer: PEER });
  assert.ok(read?.kind === 'event' && read.event.kind === 'activity');
  const { lastReceived, unansweredReceive } = read.event.activity;
  assert.equal([lastReceived, unansweredReceive], [at(3), 0]);
});

inbound.run();
