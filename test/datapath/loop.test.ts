import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Endpoint, parsePrefix } from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import { concat, storeLe32 } from '../../src/base/bytes.js';
import { sessionIndex } from '../../src/base/identifiers.js';
import { hopsAround, isOwnDatagram, nestedIn, type OwnSession } from '../../src/datapath/loop.js';
import { createClearRig, UDP, VXLAN } from '../support/clear_rig.js';
import { changed } from '../support/bytes.js';
import { ipv4, outerPacket } from '../support/inner_packets.js';
import { endpoint } from '../support/parsed.js';
import {
  createConnectedRig,
  datagrams,
  ENDPOINT,
  keypair,
  OTHER,
  PEER,
} from '../support/walk_rig.js';

const loop = suite('loop');

const V4 = endpoint('192.0.2.1:51820');
const V6 = endpoint('[2001:db8::1]:51820');
const INDEX = sessionIndex(0x89abcdef);

function dataMessage(receiver = 0x89abcdef, type = 4): Uint8Array {
  const message = new Uint8Array(48);
  storeLe32(message, 0, type);
  storeLe32(message, 4, receiver);
  return message;
}

/** The message behind a VXLAN header. */
function inVxlan(vni: number, message = dataMessage()): Uint8Array {
  return concat(Uint8Array.of(8, 0, 0, 0, vni >> 16, vni >> 8, vni, 0), message);
}

const STOCK: OwnSession = { remoteIndex: INDEX, takesControl: false, lane: undefined };

function isOwn(packet: Uint8Array, to: Endpoint, session = STOCK): boolean {
  const nested = nestedIn(packet);
  return nested !== undefined && isOwnDatagram(packet, nested, to, session);
}

for (const to of [V4, V6]) {
  const rows: readonly [string, Uint8Array, boolean][] = [
    ['is ours', outerPacket(to, dataMessage()), true],
    ["is ours under heddle's type", outerPacket(to, dataMessage(INDEX, 0x48)), true],
    ['is ours with a partial checksum', outerPacket(to, dataMessage(INDEX, 0x01000048)), true],
    ['is ours in a first fragment', outerPacket(to, dataMessage(), { isFragment: true }), true],
    ['is not ours in a later fragment', outerPacket(to, dataMessage(), { offset: 1 }), false],
    ['is not ours for another session', outerPacket(to, dataMessage(1)), false],
    ['is not ours as a handshake', outerPacket(to, dataMessage(0x89abcdef, 2)), false],
    ['is not ours without a header', outerPacket(to, dataMessage().subarray(0, 15)), false],
    ['is not ours at another port', outerPacket({ ...to, port: 1 }, dataMessage()), false],
    ['is not ours at another address', outerPacket(other(to), dataMessage()), false],
    ['is not ours behind VXLAN', outerPacket(to, inVxlan(7)), false],
  ];
  for (const [rule, packet, expected] of rows) {
    loop(`loop: a datagram to an IPv${to.address.family} endpoint ${rule}`, () => {
      assert.is(isOwn(packet, to), expected);
    });
  }
}

for (const [index, isOfStock, isOfLanes] of [
  [0x89abcdef, true, true],
  [0x89abcde0, false, true],
  [0x89abcde8, false, true],
  [0x89abcdff, false, false],
  [0x09abcdef, false, false],
] as const) {
  loop(`loop: index ${index.toString(16)} is that of one session or the other`, () => {
    const packet = outerPacket(V4, dataMessage(index));
    assert.is(isOwn(packet, V4), isOfStock);
    assert.is(isOwn(packet, V4, { ...STOCK, takesControl: true }), isOfLanes);
    assert.is(isOwn(packet, V4, { ...STOCK, lane: 7 }), isOfLanes);
  });
}

for (const [rule, payload, expected] of [
  ['is ours with its VNI', inVxlan(7), true],
  ['is not ours with another', inVxlan(8), false],
  ['is not ours bare', dataMessage(), false],
  ['is not ours with other flags', inVxlan(7).fill(9, 0, 1), false],
] as const) {
  loop(`loop: a datagram to an endpoint behind VXLAN ${rule}`, () => {
    assert.is(isOwn(outerPacket(V4, payload), { ...V4, vni: 7 }), expected);
  });
}

const IN_UDP4 = outerPacket(V4, dataMessage());
const IN_UDP6 = outerPacket(V6, dataMessage());
for (const [what, payload, expected] of [
  ['a VXLAN frame', inVxlan(7, new Uint8Array(60)), true],
  ['a VXLAN frame with other flags', inVxlan(7, new Uint8Array(60)).fill(9, 0, 1), false],
  ['an IPv4 packet with UDP', IN_UDP4, true],
  ['an IPv6 packet with UDP', IN_UDP6, true],
  ['an IPv6 fragment', outerPacket(V6, dataMessage(), { isFragment: true }), true],
  ['the first packet of several', concat(IN_UDP4, IN_UDP4), true],
  ['an IPv4 packet with TCP', changed(IN_UDP4, 9, 6), false],
  ['an IPv6 packet with TCP', changed(IN_UDP6, 6, 6), false],
  ['an IPv4 packet that says it is longer', changed(IN_UDP4, 2, 1), false],
  ['an IPv6 packet that says it is longer', changed(IN_UDP6, 4, 1), false],
  ['an IPv4 packet whose header is too short', changed(IN_UDP4, 0, 0x44), false],
  ['half an IPv4 header', IN_UDP4.slice(0, 19), false],
  ['half an IPv6 header', IN_UDP6.slice(0, 39), false],
  ['a handshake message', dataMessage(1, 1), false],
  ['a question to a name server', changed(new Uint8Array(40), 0, 0x12), false],
] as const) {
  loop(`loop: ${what} in UDP is ${expected ? '' : 'no '}datagram of a tunnel`, () => {
    for (const to of [V4, V6])
      assert.is(nestedIn(outerPacket(to, payload)) !== undefined, expected);
  });
}

for (const [inner, outer, why] of [
  [255, 56, 'no more than hosts send with'],
  [64, 56, 'eight fewer'],
  [9, 1, 'one is left'],
  [8, 0, 'none is left'],
  [1, 0, 'none is left'],
  [0, 0, 'none is left'],
] as const) {
  loop(`loop: around a datagram of ${inner} hops go ${outer}: ${why}`, () => {
    for (const to of [V4, V6]) {
      assert.is(hopsAround(outerPacket(to, dataMessage(), { hops: inner })), outer);
    }
  });
}

function other(to: typeof V4): typeof V4 {
  return to === V4 ? endpoint('192.0.2.2:51820') : endpoint('[2001:db8::2]:51820');
}

loop('loop: no cut of a packet is read past its end', () => {
  for (const to of [V4, V6]) {
    const packet = outerPacket(to, dataMessage(), { isFragment: to === V6 });
    const header = to === V4 ? 20 : 40;
    for (let length = header; length < packet.length; length++) {
      const isLong = length >= packet.length - 48 + 16;
      assert.is(isOwn(packet.slice(0, length), to), isLong, `${length} bytes`);
    }
    const wrapped = outerPacket(to, inVxlan(7));
    for (let length = header; length < wrapped.length; length++) {
      const isLong = length >= wrapped.length - 48 + 16;
      const cut = nestedIn(wrapped.slice(0, length));
      assert.is(cut?.receiver !== undefined, isLong, `${length} bytes behind VXLAN`);
    }
  }
});

loop('loop: what was sealed and comes back is dropped once, and the packet itself is not', () => {
  const rig = createConnectedRig();
  const prefix = present(parsePrefix('0.0.0.0/0'), 'a prefix');
  rig.write({ kind: 'insertPrefix', prefix, peer: PEER });
  const [first] = datagrams(rig.packet(ipv4()));
  const sent = present(first, 'a datagram');
  assert.is(datagrams(rig.packet(outerPacket(ENDPOINT, sent))).length, 0);
  assert.equal(rig.drops(), { loop: 1 });
  const elsewhere = endpoint('192.0.2.77:51820');
  assert.is(datagrams(rig.packet(outerPacket(elsewhere, sent))).length, 1);
  rig.use(PEER, keypair(2));
  const another = 'a session of somebody else, or of ours that is over, passes';
  assert.is(datagrams(rig.packet(outerPacket(ENDPOINT, sent))).length, 1, another);
});

loop('loop: a message in a message leaves with fewer hops, eight deep with none', () => {
  const rig = createConnectedRig();
  rig.insert('0.0.0.0/0', PEER);
  const nested = endpoint('198.51.100.7:51820');
  let sent = dataMessage();
  const seen: number[] = [];
  for (let hops = 64; ; hops = seen.at(-1) ?? 0) {
    const [out] = rig.packet(outerPacket(nested, sent, { hops }));
    if (out?.kind !== 'datagram') break;
    seen.push(out.hops);
    sent = out.datagram;
  }
  assert.equal(seen, [56, 48, 40, 32, 24, 16, 8]);
  assert.equal(rig.drops(PEER), { loop: 1 });
  const [usual] = rig.packet(ipv4());
  assert.is(usual?.kind === 'datagram' && usual.hops, 0);
});

for (const [kind, encapsulation] of [
  ['vxlan', VXLAN],
  ['udp', UDP],
] as const) {
  loop(`loop: a tunnel in a clear ${kind} one leaves with fewer hops, and some not at all`, () => {
    const rig = createClearRig();
    const peer = encapsulation === VXLAN ? PEER : OTHER;
    rig.insert('198.51.100.0/24', peer);
    const nested = endpoint('198.51.100.7:51820');
    const seen = [64, 9, 8].map((hops) => {
      const [out] = rig.packet(outerPacket(nested, IN_UDP4, { hops }));
      return out?.kind === 'datagram' ? out.hops : undefined;
    });
    assert.equal(seen, [56, 1, undefined]);
    assert.equal(rig.drops(peer), { loop: 1 });
  });
}

loop('loop: what was staged is judged when there is a session', () => {
  const rig = createConnectedRig();
  rig.insert('0.0.0.0/0', PEER);
  rig.write({ kind: 'removeKeypair', localIndex: keypair(1).localIndex });
  const nested = endpoint('198.51.100.7:51820');
  rig.packet(outerPacket(nested, dataMessage(), { hops: 8 }));
  rig.packet(outerPacket(nested, dataMessage(), { hops: 40 }));
  rig.use(PEER, keypair(2));
  const out = rig.write({ kind: 'flushStaged', peer: PEER, orKeepalive: false });
  assert.equal(
    out.flatMap((each) => (each.kind === 'datagram' ? [each.hops] : [])),
    [32],
  );
  assert.equal(rig.drops(), { loop: 1 });
});

loop.run();
