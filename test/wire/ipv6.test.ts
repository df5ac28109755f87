import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat } from '../../src/base/bytes.js';
import type { Random } from '../../src/base/random.js';
import {
  checkIpv6,
  EXTENSION_HEADERS_MAX,
  emitIpv6Header,
  findIpv6Upper,
  type Ipv6Header,
  parseIpv6Header,
  setIpv6PayloadLength,
} from '../../src/wire/ipv6.js';
import { equalBytes, flipBit } from '../support/bytes.js';
import { withSeed } from '../support/seed.js';
import { hex } from '../support/vectors.js';

const test = suite('wire/ipv6');

const KNOWN = hex(`6a5c1234${'0000'}3a40${'20010db8'.padEnd(31, '0')}1${'fe80'.padEnd(31, '0')}2`);
const KNOWN_HEADER: Ipv6Header = {
  trafficClass: 0xa5,
  flowLabel: 0xc1234,
  payloadLength: 0,
  nextHeader: 58,
  hopLimit: 64,
  source: hex(`${'20010db8'.padEnd(31, '0')}1`),
  destination: hex(`${'fe80'.padEnd(31, '0')}2`),
};

function randomHeader(random: Random): Ipv6Header {
  return {
    trafficClass: random.below(256),
    flowLabel: random.below(0x10_0000),
    payloadLength: random.below(100),
    nextHeader: random.below(256),
    hopLimit: random.below(256),
    source: random.bytes(16),
    destination: random.bytes(16),
  };
}

/** A packet whose payload is `payload`, of which `nextHeader` says what it begins with. */
function packetOf(nextHeader: number, payload: Uint8Array): Uint8Array {
  const packet = concat(new Uint8Array(40), payload);
  emitIpv6Header(packet, 0, { ...KNOWN_HEADER, nextHeader, payloadLength: payload.length });
  return packet;
}

test('ipv6: parses and emits a known header', () => {
  assert.equal(parseIpv6Header(KNOWN, 0), KNOWN_HEADER);
  const bytes = new Uint8Array(40).fill(0xa5);
  assert.is(emitIpv6Header(bytes, 0, KNOWN_HEADER), 40);
  equalBytes(bytes, KNOWN);
});

test('ipv6: emitting writes every byte of the header and none beside it', () => {
  withSeed('ipv6', (random) => {
    for (let round = 0; round < 300; round++) {
      const header = randomHeader(random);
      const bytes = new Uint8Array(160).fill(0xa5);
      emitIpv6Header(bytes, 3, header);
      assert.equal(parseIpv6Header(bytes, 3), header, `round ${round}`);
      equalBytes(bytes.slice(0, 3), new Uint8Array(3).fill(0xa5));
      equalBytes(bytes.slice(43), new Uint8Array(117).fill(0xa5));
      const other = new Uint8Array(160).fill(0x5a);
      emitIpv6Header(other, 3, header);
      equalBytes(other.slice(3, 43), bytes.slice(3, 43), `round ${round}`);
    }
  });
});

test('ipv6: a packet cut at any length is not whole', () => {
  const packet = packetOf(17, new Uint8Array(12));
  for (let length = 0; length < packet.length; length++) {
    assert.not.ok(checkIpv6(packet.slice(0, length), 0), `length ${length}`);
    assert.is(parseIpv6Header(packet.slice(0, length), 0), undefined);
  }
  assert.ok(checkIpv6(packet, 0));
  setIpv6PayloadLength(packet, 0, 13);
  assert.not.ok(checkIpv6(packet, 0), 'a payload longer than what is there');
  setIpv6PayloadLength(packet, 0, 12);
  const moved = concat(new Uint8Array(9), packet);
  assert.ok(checkIpv6(moved, 9));
  assert.not.ok(checkIpv6(moved.slice(0, moved.length - 1), 9));
  packet[0] = 0x40;
  assert.not.ok(checkIpv6(packet, 0), 'version 4');
});

test('ipv6: with any bit flipped a header is refused, or comes out flipped', () => {
  const whole = packetOf(17, new Uint8Array(12));
  for (let bit = 0; bit < 320; bit++) {
    const flipped = flipBit(whole, bit);
    const header = parseIpv6Header(flipped, 0);
    if (!header) continue;
    const bytes = new Uint8Array(40).fill(0xa5);
    emitIpv6Header(bytes, 0, header);
    equalBytes(bytes, flipped.slice(0, 40), `bit ${bit}`);
  }
});

const HEADERS: readonly [protocol: number, header: string, reason: string][] = [
  [0, '3c000000000000ff', 'hop-by-hop, the shortest'],
  [60, `2b01${'00'.repeat(14)}`, 'destination options of 16 bytes'],
  [43, '33000000000000ff', 'routing'],
  [51, `8704${'00'.repeat(22)}`, 'authentication, whose units are four bytes'],
  [135, '8b00000000000000', 'mobility'],
  [139, '8c00000000000000', 'host identity'],
  [140, '2c00000000000000', 'shim6'],
  [44, '11ff000100000007', 'the first fragment, whose second byte is reserved'],
];

test('ipv6: walks over every extension header to the upper protocol', () => {
  const headers = concat(...HEADERS.map(([, header]) => hex(header)));
  const packet = packetOf(0, concat(headers, new Uint8Array(8)));
  const upper = { protocol: 17, at: 40 + headers.length, fragmentOffset: 0 };
  assert.equal(findIpv6Upper(packet, 0), upper);
  assert.equal(findIpv6Upper(concat(new Uint8Array(5), packet), 5), { ...upper, at: upper.at + 5 });
});

for (const [protocol, header, reason] of HEADERS) {
  test(`ipv6: refuses an extension header that does not end inside: ${reason}`, () => {
    const whole = hex(`11${header.slice(2)}`);
    assert.ok(findIpv6Upper(packetOf(protocol, whole), 0));
    for (let length = 0; length < whole.length; length++) {
      const packet = packetOf(protocol, whole.slice(0, length));
      const padded = concat(packet, whole.slice(length));
      assert.is(findIpv6Upper(padded, 0), undefined, `length ${length}`);
    }
  });
}

test('ipv6: without extension headers the upper protocol follows at once', () => {
  for (const protocol of [6, 17, 50, 58, 59, 255]) {
    const found = findIpv6Upper(packetOf(protocol, new Uint8Array(0)), 0);
    assert.equal(found, { protocol, at: 40, fragmentOffset: 0 });
  }
});

test('ipv6: stops at a fragment that is not the first', () => {
  const fragment = hex('3c00054900000007');
  const found = findIpv6Upper(packetOf(44, concat(fragment, new Uint8Array(8).fill(0xff))), 0);
  assert.equal(found, { protocol: 60, at: 48, fragmentOffset: 0x548 });
});

test('ipv6: gives up on more extension headers than any honest packet has', () => {
  const chain = (count: number) =>
    packetOf(60, concat(...Array.from({ length: count }, (_, i) => option(i === count - 1))));
  const option = (isLast: boolean) => hex(`${isLast ? '11' : '3c'}00000000000000`);
  const most = findIpv6Upper(chain(EXTENSION_HEADERS_MAX), 0);
  assert.is(most?.protocol, 17);
  assert.is(findIpv6Upper(chain(EXTENSION_HEADERS_MAX + 1), 0), undefined);
});

test.run();
