import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { present } from '../../src/base/assert.js';
import type { SeededRandom } from '../../src/base/random.js';
import { classify } from '../../src/datapath/classify.js';
import { type CoalesceOptions, coalesce } from '../../src/datapath/coalesce.js';
import { segment } from '../../src/datapath/segment.js';
import { parseVirtioNet, VIRTIO_NET_BYTES } from '../../src/wire/virtio_net.js';
import { changed, equalBytes } from '../support/bytes.js';
import { ipv4, ipv6, sum16, tcp, udp } from '../support/inner_packets.js';
import { withSeed } from '../support/seed.js';

const coalescing = suite('coalesce');

const BOTH: CoalesceOptions = { tcp: true, udp: true };
const [FIN, SYN, RST, PSH, ACK, URG, ECE, CWR] = [1, 2, 4, 8, 16, 32, 64, 128];
const DONT_FRAGMENT = 0x4000;

/** The packets that a frame stands for. */
function cut(frame: Uint8Array): Uint8Array[] {
  const header = present(parseVirtioNet(frame, 0), 'a virtio-net header');
  return present(segment(header, frame.subarray(VIRTIO_NET_BYTES)), 'a frame that can be cut');
}

/** How many packets each frame holds. */
function counts(packets: readonly Uint8Array[], options = BOTH): number[] {
  return coalesce(packets, options).map((frame) => cut(frame).length);
}

/** The `i`th segment of 100 bytes of a TCP stream. */
function stream(i: number, changes: Partial<Parameters<typeof tcp>[0]> = {}): Uint8Array {
  return tcp({ family: 4, sequence: 1000 + 100 * i, identifier: i, payload: 100, ...changes });
}

function datagram(i: number, changes: Partial<Parameters<typeof udp>[0]> = {}): Uint8Array {
  return udp({ family: 4, identifier: i, payload: 100, ...changes });
}

for (const family of [4, 6] as const) {
  coalescing(`coalesce: makes one super-packet of TCP over IPv${family}`, () => {
    const packets = [0, 1, 2].map((i) => stream(i, { family }));
    const [frame, ...others] = coalesce(packets, BOTH);
    assert.equal(others, []);
    const at = family === 4 ? 20 : 40;
    const header = parseVirtioNet(present(frame, 'a frame'), 0);
    assert.equal(header, {
      flags: 1,
      gsoType: family === 4 ? 1 : 4,
      headerLength: at + 20,
      gsoSize: 100,
      checksumStart: at,
      checksumOffset: 16,
    });
    const whole = present(frame, 'a frame').subarray(VIRTIO_NET_BYTES);
    const expected = tcp({ family, sequence: 1000, identifier: 0, payload: payloads(packets) });
    equalBytes(withoutSum(whole, at + 16), withoutSum(expected, at + 16));
  });

  coalescing(`coalesce: makes one super-packet of UDP over IPv${family}`, () => {
    const packets = [0, 1, 2].map((i) => datagram(i, { family }));
    const [frame, ...others] = coalesce(packets, BOTH);
    assert.equal(others, []);
    const at = family === 4 ? 20 : 40;
    const header = parseVirtioNet(present(frame, 'a frame'), 0);
    assert.equal(header, {
      flags: 1,
      gsoType: 5,
      headerLength: at + 8,
      gsoSize: 100,
      checksumStart: at,
      checksumOffset: 6,
    });
    const whole = present(frame, 'a frame').subarray(VIRTIO_NET_BYTES);
    const expected = udp({ family, identifier: 0, payload: payloads(packets) });
    equalBytes(withoutSum(whole, at + 6), withoutSum(expected, at + 6));
  });
}

function payloads(packets: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(
    packets.flatMap((packet) => [...packet.subarray(classify(packet).transport?.payloadAt)]),
  );
}

function withoutSum(packet: Uint8Array, at: number): Uint8Array {
  return changed(changed(packet, at, 0), at + 1, 0);
}

coalescing('coalesce: writes a packet alone as it is, behind an empty header', () => {
  for (const packet of [ipv4(), ipv6(), stream(0), datagram(0)]) {
    const [frame, ...others] = coalesce([packet], BOTH);
    assert.equal(others, []);
    equalBytes(frame?.subarray(0, VIRTIO_NET_BYTES), new Uint8Array(VIRTIO_NET_BYTES));
    equalBytes(frame?.subarray(VIRTIO_NET_BYTES), packet);
  }
});

coalescing('coalesce: nothing is nothing', () => {
  assert.equal(coalesce([], BOTH), []);
});

const A = stream(0);
const D = datagram(0);
const PAIRS: readonly [why: string, first: Uint8Array, second: Uint8Array, joins: boolean][] = [
  ['the next of a TCP stream', A, stream(1), true],
  ['a repetition', A, stream(0), false],
  ['a gap', A, stream(2), false],
  ['an earlier one', stream(1), stream(0), false],
  ['over the end of sequence numbers', tcpAt(0xffffffc0), tcpAt(0x24), true],
  ['a shorter one', A, stream(1, { payload: 40 }), true],
  ['a longer one', A, stream(1, { payload: 101 }), false],
  ['a pure acknowledgement behind', A, stream(1, { payload: 0 }), false],
  ['a pure acknowledgement before', stream(0, { payload: 0 }), stream(0), false],
  ['another acknowledgement', A, stream(1, { acknowledgement: 8 }), false],
  ['another window', A, stream(1, { window: 501 }), false],
  ['another port', A, stream(1, { sourcePort: 1 }), false],
  ['another host', A, changed(stream(1), 15, 9), false],
  ['other options', stream(0, { options: 12 }), stream(1, { options: 8 }), false],
  ['the same options', stream(0, { options: 12 }), stream(1, { options: 12 }), true],
  ['PSH behind', A, stream(1, { flags: PSH | ACK }), true],
  ['PSH before', stream(0, { flags: PSH | ACK }), stream(1), false],
  ['FIN behind', A, stream(1, { flags: FIN | ACK }), false],
  ['SYN', stream(0, { flags: SYN }), stream(1), false],
  ['RST behind', A, stream(1, { flags: RST | ACK }), false],
  ['URG on both', stream(0, { flags: URG | ACK }), stream(1, { flags: URG | ACK }), false],
  ['ECE on both', stream(0, { flags: ECE | ACK }), stream(1, { flags: ECE | ACK }), true],
  ['ECE on one', A, stream(1, { flags: ECE | ACK }), false],
  ['CWR on both', stream(0, { flags: CWR | ACK }), stream(1, { flags: CWR | ACK }), false],
  ['CWR on the first', stream(0, { flags: CWR | ACK }), stream(1), false],
  ['no ACK', stream(0, { flags: 0 }), stream(1, { flags: 0 }), false],
  ['another ECN mark', stream(0, { tos: 2 }), stream(1, { tos: 3 }), false],
  ['another IPv6 class', tcp6(0, 2), tcp6(1, 3), false],
  ['another TTL', A, ttl(stream(1), 63), false],
  ['don’t-fragment on one', A, stream(1, { fragment: 0 }), false],
  ['identifiers that count up', may(0, 7), may(1, 8), true],
  ['identifiers that do not, and fragments allowed', may(0, 7), may(1, 7), false],
  ['identifiers over their end', may(0, 0xffff), may(1, 0), true],
  ['any identifiers where fragments are not', A, stream(1, { identifier: 77 }), true],
  ['a wrong TCP checksum behind', A, changed(stream(1), 60, 0xff), false],
  ['a wrong TCP checksum before', changed(A, 60, 0xff), stream(1), false],
  ['a wrong IPv4 checksum behind', A, changed(stream(1), 10, 0), false],
  ['a wrong IPv4 checksum before', changed(A, 10, 0), stream(1), false],
  ['fragments', stream(0, { fragment: 0x2000 }), stream(1, { fragment: 0x2000 }), false],
  ['UDP of one size', D, datagram(1), true],
  ['a shorter datagram', D, datagram(1, { payload: 1 }), true],
  ['a longer datagram', D, datagram(1, { payload: 101 }), false],
  ['an empty datagram', D, datagram(1, { payload: 0 }), false],
  ['no UDP checksum on both', bare(0), bare(1), true],
  ['no UDP checksum on one', D, bare(1), false],
  ['no UDP checksum over IPv6', bare(0, 6), bare(1, 6), false],
  ['a wrong UDP checksum', D, changed(datagram(1), 50, 0xff), false],
  ['VXLAN', to(4789, 0), to(4789, 1), false],
  ['VXLAN on Linux’s own port', to(8472, 0), to(8472, 1), false],
  ['Geneve', to(6081, 0), to(6081, 1), false],
  ['VXLAN’s answers', from(4789, 0), from(4789, 1), false],
  ['TCP and UDP of the same ports', A, D, false],
];

function tcpAt(sequence: number): Uint8Array {
  return tcp({ family: 4, sequence, payload: 100 });
}

function tcp6(i: number, tos: number): Uint8Array {
  return stream(i, { family: 6, tos });
}

function may(i: number, identifier: number): Uint8Array {
  return stream(i, { identifier, fragment: 0 });
}

function bare(i: number, family: 4 | 6 = 4): Uint8Array {
  return datagram(i, { family, isSummed: false });
}

function to(destinationPort: number, i: number): Uint8Array {
  return datagram(i, { destinationPort });
}

function from(sourcePort: number, i: number): Uint8Array {
  return datagram(i, { sourcePort });
}

function ttl(packet: Uint8Array, value: number): Uint8Array {
  const copy = changed(withoutSum(packet, 10), 8, value);
  const sum = sum16(copy.subarray(0, 20));
  const checksum = 0xffff - ((sum & 0xffff) + (sum >> 16));
  return changed(changed(copy, 10, checksum >> 8), 11, checksum);
}

for (const [why, first, second, joins] of PAIRS) {
  coalescing(`coalesce: ${why} ${joins ? 'joins' : 'stays apart'}`, () => {
    const frames = coalesce([first, second], BOTH);
    assert.is(frames.length, joins ? 1 : 2);
    if (joins) return;
    equalBytes(frames[0]?.subarray(VIRTIO_NET_BYTES), first);
    equalBytes(frames[1]?.subarray(VIRTIO_NET_BYTES), second);
  });
}

coalescing('coalesce: a shorter packet and a pushing one end a super-packet', () => {
  const short = stream(1, { payload: 40 });
  const next = tcp({ family: 4, sequence: 1140, payload: 40 });
  assert.equal(counts([A, short, next]), [2, 1]);
  assert.equal(counts([A, stream(1, { flags: PSH | ACK }), stream(2), stream(3)]), [2, 2]);
  const [frame] = coalesce([A, stream(1, { flags: PSH | ACK })], BOTH);
  assert.is(present(frame, 'a frame')[VIRTIO_NET_BYTES + 33], PSH | ACK);
});

coalescing('coalesce: each kind can be switched off', () => {
  const packets = [A, stream(1), D, datagram(1)];
  assert.equal(counts(packets), [2, 2]);
  assert.equal(counts(packets, { tcp: false, udp: true }), [1, 1, 2]);
  assert.equal(counts(packets, { tcp: true, udp: false }).sort(), [1, 1, 2]);
  assert.equal(counts(packets, { tcp: false, udp: false }), [1, 1, 1, 1]);
});

coalescing('coalesce: flows that take turns join each for itself', () => {
  const other = (i: number) => stream(i, { sourcePort: 7 });
  assert.equal(counts([A, other(0), stream(1), other(1), D, stream(2), datagram(1)]), [3, 2, 2]);
});

coalescing('coalesce: the oldest of eight open flows is written first', () => {
  const opened = Array.from({ length: 9 }, (_, i) => stream(0, { sourcePort: 100 + i }));
  const late = [0, 8].map((i) => stream(1, { sourcePort: 100 + i }));
  const frames = coalesce([...opened, ...late], BOTH);
  const ports = frames.map((frame) => (frame[30] ?? 0) * 256 + (frame[31] ?? 0));
  assert.equal(ports, [100, 101, 102, 103, 104, 105, 106, 107, 108, 100]);
  assert.equal(frames.map((frame) => cut(frame).length).indexOf(2), 8);
});

coalescing('coalesce: what is not joinable overtakes nothing of its flow', () => {
  const fin = stream(2, { flags: FIN | ACK });
  assert.equal(counts([A, stream(1), fin, stream(3)]), [2, 1, 1]);
  assert.equal(counts([A, D, ipv4({ source: '10.0.0.2', destination: '10.0.0.1' })]), [1, 1, 1]);
  const fragment = stream(9, { fragment: 0x2000 });
  const frames = coalesce([A, datagram(0), fragment, stream(1)], BOTH);
  equalBytes(frames[2]?.subarray(VIRTIO_NET_BYTES), fragment);
});

coalescing('coalesce: stops at what one IP packet holds, and at 63 datagrams', () => {
  const long = Array.from({ length: 50 }, (_, i) =>
    tcp({ family: 4, sequence: 1400 * i, payload: 1400 }),
  );
  assert.equal(counts(long), [46, 4]);
  const halves = (payload: number) =>
    [0, 1].map((i) => tcp({ family: 4, sequence: payload * i, payload }));
  assert.equal(counts(halves(32_747)), [2], '65,534 bytes');
  assert.equal(counts(halves(32_748)), [1, 1], '65,536 bytes');
  const many = Array.from({ length: 130 }, (_, i) => datagram(i));
  assert.equal(counts(many), [63, 63, 4]);
});

/** Packets of a few flows, mostly going on, sometimes disturbed. */
function traffic(random: SeededRandom, length: number): Uint8Array[] {
  const flows = Array.from({ length: 1 + random.below(10) }, (_, i) => ({
    isTcp: random.below(3) > 0,
    family: random.below(2) === 0 ? (4 as const) : (6 as const),
    sourcePort: 1000 + i,
    payload: 1 + random.below(60),
    fragment: random.below(2) * DONT_FRAGMENT,
    identifier: random.below(65_536),
    sequence: random.u32(),
  }));
  return Array.from({ length }, () => {
    const flow = present(flows[random.below(flows.length)], 'a flow');
    const disturbance = random.below(30);
    const payload = disturbance === 0 ? random.below(80) : flow.payload;
    const shared = { ...flow, payload: random.bytes(payload) };
    flow.identifier = (flow.identifier + 1) & 0xffff;
    flow.sequence = (flow.sequence + (disturbance === 1 ? 5 : payload)) >>> 0;
    const flags = disturbance === 2 ? random.below(256) : ACK;
    const packet = flow.isTcp ? tcp({ ...shared, flags }) : udp(shared);
    if (disturbance === 3) packet[random.below(packet.length)] = random.below(256);
    const isWhole = packet.length === lengthOf(packet);
    return isWhole ? packet : ipv4();
  });
}

function lengthOf(packet: Uint8Array): number {
  if ((packet[0] ?? 0) >> 4 === 6) return 40 + (packet[4] ?? 0) * 256 + (packet[5] ?? 0);
  const header = ((packet[0] ?? 0) & 15) * 4;
  return (packet[0] ?? 0) >> 4 === 4 && header >= 20
    ? (packet[2] ?? 0) * 256 + (packet[3] ?? 0)
    : 0;
}

coalescing('coalesce: cutting what was joined gives every packet, once, in order (WG-22)', () => {
  withSeed('coalesce', (random) => {
    let [given, written] = [0, 0];
    for (let round = 0; round < 1500; round++) {
      const packets = traffic(random, 1 + random.below(60));
      const frames = coalesce(packets, BOTH);
      const byFlow = (list: readonly Uint8Array[]) => {
        const flows = new Map<string, string[]>();
        for (const packet of list) {
          const { hosts, transport } = classify(packet);
          const { protocol, sourcePort, destinationPort } = transport ?? {};
          const key = [hosts, protocol, sourcePort, destinationPort].join();
          flows.set(key, [...(flows.get(key) ?? []), withoutIdentifier(packet).join()]);
        }
        return [...flows].sort(([a], [b]) => (a < b ? -1 : 1));
      };
      assert.equal(byFlow(frames.flatMap(cut)), byFlow(packets), `round ${round}`);
      given += packets.length;
      written += frames.length;
    }
    assert.ok(written < given / 2, `${given} packets became ${written} frames`);
  });
});

/**
 * Where fragments are forbidden an IPv4 identifier says nothing (RFC 6864), and cutting counts them
 * anew.
 */
function withoutIdentifier(packet: Uint8Array): Uint8Array {
  const isFree = (packet[0] ?? 0) >> 4 === 4 && ((packet[6] ?? 0) & 0x40) !== 0;
  return isFree ? withoutSum(withoutSum(packet, 4), 10) : packet;
}

coalescing.run();
