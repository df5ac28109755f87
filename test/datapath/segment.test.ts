import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { completeChecksum, segment } from '../../src/datapath/segment.js';
import type { VirtioNetHeader } from '../../src/wire/virtio_net.js';
import { equalBytes } from '../support/bytes.js';
import { fold, innerIpv4, innerIpv6, ipv4, pseudoSum, tcp, udp } from '../support/inner_packets.js';
import { withSeed } from '../support/seed.js';

const segmenting = suite('segment');

const [TCP4, TCP6, UDP, ECN] = [1, 4, 5, 0x80];
const [FIN, PSH, ACK, ECE, CWR] = [1, 8, 16, 64, 128];

function headerOf(changes: Partial<VirtioNetHeader>): VirtioNetHeader {
  return {
    flags: 0,
    gsoType: 0,
    headerLength: 0,
    gsoSize: 0,
    checksumStart: 0,
    checksumOffset: 0,
    ...changes,
  };
}

function bytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i ^ (i >> 8));
}

function sameAll(actual: readonly Uint8Array[] | undefined, expected: readonly Uint8Array[]): void {
  assert.is(actual?.length, expected.length);
  for (const [i, packet] of expected.entries()) equalBytes(actual?.[i], packet, `packet ${i}`);
}

for (const family of [4, 6] as const) {
  const gsoType = family === 4 ? TCP4 : TCP6;

  segmenting(`segment: cuts TCP over IPv${family} as a network card would`, () => {
    const payload = bytes(2500);
    const shared = { family, identifier: 0xfffe, options: 12, tos: 2 };
    const flags = FIN | PSH | ACK | ECE | CWR;
    const sequence = 0xfffffc00;
    const packet = tcp({ ...shared, flags, sequence, payload });
    sameAll(segment(headerOf({ gsoType: gsoType | ECN, gsoSize: 1000 }), packet), [
      tcp({ ...shared, flags: ACK | ECE | CWR, sequence, payload: payload.slice(0, 1000) }),
      tcp({
        ...shared,
        flags: ACK | ECE,
        sequence: 0xffffffe8,
        identifier: 0xffff,
        payload: payload.slice(1000, 2000),
      }),
      tcp({
        ...shared,
        flags: FIN | PSH | ACK | ECE,
        sequence: 0x3d0,
        identifier: 0,
        payload: payload.slice(2000),
      }),
    ]);
  });

  segmenting(`segment: cuts UDP over IPv${family} into whole datagrams`, () => {
    const payload = bytes(2101);
    const packet = udp({ family, identifier: 5, payload });
    sameAll(
      segment(headerOf({ gsoType: UDP, gsoSize: 700 }), packet),
      [0, 1, 2, 3].map((i) => {
        const slice = payload.slice(700 * i, 700 * i + 700);
        return udp({ family, identifier: 5 + i, payload: slice });
      }),
    );
  });

  for (const [payload, gsoSize, count] of [
    [0, 100, 1],
    [1, 100, 1],
    [99, 100, 1],
    [100, 100, 1],
    [101, 100, 2],
    [200, 100, 2],
    [64_000, 1, 64_000],
    [100, 65_535, 1],
  ] as const) {
    segmenting(`segment: IPv${family}, ${payload} bytes by ${gsoSize} are ${count} packets`, () => {
      const packet = tcp({ family, payload });
      const cut = segment(headerOf({ gsoType, gsoSize }), packet) ?? [];
      assert.is(cut.length, count);
      const header = packet.length - payload;
      const lengths = cut.map((each) => each.length - header);
      assert.is(
        lengths.reduce((sum, length) => sum + length, 0),
        payload,
      );
      assert.ok(lengths.slice(0, -1).every((length) => length === gsoSize));
    });
  }
}

segmenting('segment: a UDP checksum that sums to zero is sent as 0xffff', () => {
  withSeed('segment zero', (random) => {
    const plain = udp({ family: 4, payload: 2 });
    for (let i = 0; i < 65_536; i++) {
      const payload = Uint8Array.of(i >> 8, i);
      const packet = udp({ family: 4, payload });
      if (((packet[26] ?? 0) & (packet[27] ?? 0)) !== 0xff) continue;
      plain.set(payload, 28);
      plain[26] = random.below(256);
      const [cut] = segment(headerOf({ gsoType: UDP, gsoSize: 2 }), plain) ?? [];
      equalBytes(cut, packet);
      return;
    }
    assert.unreachable('some payload sums to zero');
  });
});

segmenting('segment: finds TCP behind IPv6 extension headers where the kernel says it is', () => {
  const inner = tcp({ family: 6, payload: 30 }).subarray(40);
  const extension = Uint8Array.of(6, 0, 1, 4, 0, 0, 0, 0);
  const packet = innerIpv6(60, Uint8Array.from([...extension, ...inner]));
  const header = headerOf({ gsoType: TCP6, gsoSize: 20 });
  assert.is(segment(header, packet), undefined);
  const stated = { ...header, flags: 1, checksumStart: 48, checksumOffset: 16 };
  const cut = segment(stated, packet) ?? [];
  assert.equal(
    cut.map((each) => each.length),
    [48 + 20 + 20, 48 + 20 + 10],
  );
  for (const each of cut) {
    assert.is(fold(pseudoSum(each, 6, each.length - 48) + sumFrom(each, 48)), 0xffff);
  }
});

function sumFrom(packet: Uint8Array, at: number): number {
  let sum = 0;
  for (let i = at; i < packet.length; i++) sum += (packet[i] ?? 0) << ((i - at) % 2 === 0 ? 8 : 0);
  return sum;
}

const SEGMENT = tcp({ family: 4, payload: 100 });
const REFUSED: readonly [why: string, header: Partial<VirtioNetHeader>, packet: Uint8Array][] = [
  ['a size of 0', { gsoType: TCP4, gsoSize: 0 }, SEGMENT],
  ['a kind that is never asked for', { gsoType: 3, gsoSize: 10 }, SEGMENT],
  ['ECN without a kind', { gsoType: ECN, gsoSize: 10 }, SEGMENT],
  ['TCP over IPv6 that is IPv4', { gsoType: TCP6, gsoSize: 10 }, SEGMENT],
  ['TCP over IPv4 that is IPv6', { gsoType: TCP4, gsoSize: 10 }, tcp({ family: 6 })],
  ['UDP that is TCP', { gsoType: UDP, gsoSize: 10 }, SEGMENT],
  ['TCP that is UDP', { gsoType: TCP4, gsoSize: 10 }, udp({ family: 4 })],
  ['a packet cut short', { gsoType: TCP4, gsoSize: 10 }, SEGMENT.slice(0, -1)],
  ['a packet with padding', { gsoType: TCP4, gsoSize: 10 }, Uint8Array.from([...SEGMENT, 0])],
  ['a fragment', { gsoType: TCP4, gsoSize: 10 }, tcp({ family: 4, fragment: 0x2000 })],
  ['a transport header cut short', { gsoType: TCP4, gsoSize: 9 }, innerIpv4(6, bytes(19))],
  ['a TCP header of 4 words', { gsoType: TCP4, gsoSize: 9 }, innerIpv4(6, new Uint8Array(40))],
  ['a TCP header that does not end', { gsoType: TCP4, gsoSize: 9 }, innerIpv4(6, longTcp())],
  ['nothing', { gsoType: TCP4, gsoSize: 10 }, new Uint8Array(0)],
];

function longTcp(): Uint8Array {
  const header = new Uint8Array(59);
  header[12] = 0xf0;
  return header;
}

for (const [why, header, packet] of REFUSED) {
  segmenting(`segment: refuses ${why}`, () => {
    assert.is(segment(headerOf(header), packet), undefined);
  });
}

segmenting('segment: any header before any packet gives whole packets, or nothing', () => {
  withSeed('segment any', (random) => {
    for (let i = 0; i < 20_000; i++) {
      const packet = random.below(2) ? tcp({ family: 4, payload: 60 }) : udp({ family: 6 });
      for (let hit = random.below(4); hit > 0; hit--) {
        packet[random.below(packet.length)] = random.below(256);
      }
      const header = headerOf({
        flags: random.below(2),
        gsoType: random.below(6) | (random.below(4) === 0 ? ECN : 0),
        gsoSize: random.below(100),
        checksumStart: random.below(80),
        checksumOffset: random.below(30),
      });
      const cut = segment(header, packet);
      if (header.gsoType === 0 || !cut) continue;
      const headers = (cut[0]?.length ?? 0) - Math.min(header.gsoSize, payloadOf(cut, packet));
      const joined = cut.flatMap((each) => [...each.subarray(headers)]);
      equalBytes(Uint8Array.from(joined), packet.subarray(headers));
    }
  });
});

/**
 * Payload bytes of the super-packet, from the lengths of what was cut: each repeats the headers.
 */
function payloadOf(cut: readonly Uint8Array[], packet: Uint8Array): number {
  const all = cut.reduce((sum, each) => sum + each.length, 0);
  if (cut.length === 1) return 0;
  const headers = (all - packet.length) / (cut.length - 1);
  return packet.length - headers;
}

segmenting('segment: hands on a packet that is none of many, as a copy', () => {
  const packet = ipv4();
  const [copy] = segment(headerOf({}), packet) ?? [];
  equalBytes(copy, ipv4());
  packet.fill(0);
  equalBytes(copy, ipv4());
});

for (const [name, whole, checksumAt] of [
  ['TCP over IPv4', tcp({ family: 4, payload: 77 }), 36],
  ['TCP over IPv6', tcp({ family: 6, payload: 78 }), 56],
  ['UDP over IPv4', udp({ family: 4, payload: 79 }), 26],
  ['UDP over IPv6', udp({ family: 6, payload: 80 }), 46],
] as const) {
  segmenting(`segment: finishes the checksum of ${name} that the kernel left out`, () => {
    const isTcp = name.startsWith('TCP');
    const checksumOffset = isTcp ? 16 : 6;
    const checksumStart = checksumAt - checksumOffset;
    const partial = whole.slice();
    const pseudo = fold(pseudoSum(whole, isTcp ? 6 : 17, whole.length - checksumStart));
    partial.set([pseudo >> 8, pseudo], checksumAt);
    const header = headerOf({ flags: 1, checksumStart, checksumOffset });
    equalBytes(completeChecksum(header, partial), whole);
    equalBytes(segment(header, partial)?.[0], whole);
  });
}

segmenting('segment: refuses a checksum field outside the packet', () => {
  const header = headerOf({ flags: 1, checksumStart: 20, checksumOffset: 6 });
  assert.ok(completeChecksum(header, new Uint8Array(28)));
  assert.is(completeChecksum(header, new Uint8Array(27)), undefined);
  const far = headerOf({ flags: 1, checksumStart: 65_535, checksumOffset: 65_535 });
  assert.is(completeChecksum(far, new Uint8Array(100)), undefined);
});

segmenting.run();
