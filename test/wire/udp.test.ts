import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat } from '../../src/base/bytes.js';
import { isSumRight, sumBytes, sumPseudoHeader } from '../../src/wire/checksum.js';
import {
  checkUdp,
  emitUdpHeader,
  parseUdpHeader,
  setUdpChecksum,
  setUdpLength,
  udpChecksum,
} from '../../src/wire/udp.js';
import { equalBytes, flipBit } from '../support/bytes.js';
import { withSeed } from '../support/seed.js';
import { hex } from '../support/vectors.js';

const test = suite('wire/udp');

const HEADER = { sourcePort: 0x1122, destinationPort: 0x3344, length: 12, checksum: 0x5566 };
const DATAGRAM = hex('11223344000c5566aabbccdd');

/** An IPv4 header from 10.0.0.1 to 10.0.0.2, then the datagram. */
function packetOf(datagram: Uint8Array): Uint8Array {
  return concat(hex('4500002000000000401100000a0000010a000002'), datagram);
}

test('udp: each field stands where RFC 768 puts it', () => {
  const bytes = new Uint8Array(14).fill(0xa5);
  assert.is(emitUdpHeader(bytes, 3, HEADER), 8);
  equalBytes(bytes, hex('a5a5a511223344000c5566a5a5a5'));
  assert.equal(parseUdpHeader(DATAGRAM, 0, 12), HEADER);
});

test('udp: random headers survive emitting and parsing', () => {
  withSeed('udp', (random) => {
    for (let round = 0; round < 200; round++) {
      const header = {
        sourcePort: random.below(0x1_0000),
        destinationPort: random.below(0x1_0000),
        length: 8 + random.below(90),
        checksum: random.below(0x1_0000),
      };
      const bytes = new Uint8Array(100).fill(0xa5);
      emitUdpHeader(bytes, 2, header);
      assert.equal(parseUdpHeader(bytes, 2, 100), header, `round ${round}`);
    }
  });
});

test('udp: a datagram cut at any length is not whole, by its bytes or by its end', () => {
  for (let length = 0; length < 12; length++) {
    assert.not.ok(checkUdp(DATAGRAM.slice(0, length), 0, 12), `${length} bytes`);
    assert.not.ok(checkUdp(DATAGRAM, 0, length), `end ${length}`);
    assert.is(parseUdpHeader(DATAGRAM, 0, length), undefined);
  }
  assert.ok(checkUdp(DATAGRAM, 0, 12));
  assert.ok(checkUdp(concat(DATAGRAM, new Uint8Array(4)), 0, 16), 'padding may follow');
  assert.ok(checkUdp(hex('1122334400080000'), 0, 8), 'an empty datagram');
  const moved = concat(new Uint8Array(9), DATAGRAM);
  assert.ok(checkUdp(moved, 9, 21));
  assert.not.ok(checkUdp(moved, 9, 20));
  assert.not.ok(checkUdp(moved.slice(0, 20), 9, 21));
});

test('udp: with any bit flipped a header is refused, or comes out flipped', () => {
  for (let bit = 0; bit < 64; bit++) {
    const flipped = flipBit(DATAGRAM, bit);
    const header = parseUdpHeader(flipped, 0, flipped.length);
    if (!header) continue;
    const bytes = new Uint8Array(8).fill(0xa5);
    emitUdpHeader(bytes, 0, header);
    equalBytes(bytes, flipped.slice(0, 8), `bit ${bit}`);
  }
});

test('udp: refuses a length shorter than the header', () => {
  const datagram = DATAGRAM.slice();
  for (const length of [0, 7]) {
    setUdpLength(datagram, 0, length);
    assert.not.ok(checkUdp(datagram, 0, 12), `length ${length}`);
  }
});

test('udp: the checksum that is set verifies over the pseudo-header', () => {
  const packet = packetOf(DATAGRAM);
  setUdpChecksum(packet, 20, 0);
  const pseudo = sumPseudoHeader(packet, 0, { protocol: 17, length: 12 });
  assert.ok(isSumRight(pseudo + sumBytes(packet, 20, 12)));
  assert.is.not(udpChecksum(packet, 20), 0x5566);
});

test('udp: a checksum computed as zero is sent as ones', () => {
  const packet = packetOf(hex('00000000000a00000000'));
  setUdpChecksum(packet, 20, 0);
  const left = udpChecksum(packet, 20);
  packet[28] = left >> 8;
  packet[29] = left & 0xff;
  setUdpChecksum(packet, 20, 0);
  assert.is(udpChecksum(packet, 20), 0xffff);
});

test.run();
