import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat } from '../../src/base/bytes.js';
import type { Random } from '../../src/base/random.js';
import { isSumRight, sumBytes, sumPseudoHeader } from '../../src/wire/checksum.js';
import {
  checkTcp,
  emitTcpHeader,
  findTcpOption,
  parseTcpHeader,
  setTcpChecksum,
  setTcpFlags,
  setTcpSequence,
  TCP_ACK,
  TCP_CWR,
  TCP_ECE,
  TCP_FIN,
  TCP_OPTION_MSS,
  TCP_PSH,
  TCP_RST,
  TCP_SYN,
  TCP_URG,
  type TcpHeader,
  tcpMaximumSegmentSize,
} from '../../src/wire/tcp.js';
import { equalBytes, flipBit } from '../support/bytes.js';
import { withSeed } from '../support/seed.js';
import { hex } from '../support/vectors.js';

const test = suite('wire/tcp');

const HEADER: TcpHeader = {
  sourcePort: 0x1122,
  destinationPort: 0x3344,
  sequence: 0xf5667788,
  acknowledgement: 0x99aabbcc,
  flags: TCP_SYN | TCP_ACK,
  window: 0xddee,
  checksum: 0x1234,
  urgentPointer: 0x5678,
  options: hex('020405b4'),
};
const SEGMENT = hex('11223344f566778899aabbcc6012ddee12345678020405b4');

function withOptions(options: string): Uint8Array {
  const bytes = new Uint8Array(60);
  const length = emitTcpHeader(bytes, 0, { ...HEADER, options: hex(options) });
  return bytes.slice(0, length);
}

function randomHeader(random: Random): TcpHeader {
  return {
    sourcePort: random.below(0x1_0000),
    destinationPort: random.below(0x1_0000),
    sequence: random.u32(),
    acknowledgement: random.u32(),
    flags: random.below(256),
    window: random.below(0x1_0000),
    checksum: random.below(0x1_0000),
    urgentPointer: random.below(0x1_0000),
    options: random.bytes(4 * random.below(11)),
  };
}

test('tcp: each field stands where RFC 9293 §3.1 puts it', () => {
  const bytes = new Uint8Array(30).fill(0xa5);
  assert.is(emitTcpHeader(bytes, 3, HEADER), 24);
  equalBytes(bytes, concat(hex('a5a5a5'), SEGMENT, hex('a5a5a5')));
  assert.equal(parseTcpHeader(SEGMENT, 0, 24), HEADER);
});

test('tcp: random headers survive emitting and parsing', () => {
  withSeed('tcp', (random) => {
    for (let round = 0; round < 200; round++) {
      const header = randomHeader(random);
      const bytes = new Uint8Array(80).fill(0xa5);
      const length = emitTcpHeader(bytes, 5, header);
      assert.equal(parseTcpHeader(bytes, 5, 5 + length), header, `round ${round}`);
    }
  });
});

test('tcp: a header cut at any length is not whole, by its bytes or by its end', () => {
  for (let length = 0; length < 24; length++) {
    assert.not.ok(checkTcp(SEGMENT.slice(0, length), 0, 24), `${length} bytes`);
    assert.not.ok(checkTcp(SEGMENT, 0, length), `end ${length}`);
    assert.is(parseTcpHeader(SEGMENT, 0, length), undefined);
  }
  assert.ok(checkTcp(SEGMENT, 0, 24));
  const moved = concat(new Uint8Array(9), SEGMENT);
  assert.ok(checkTcp(moved, 9, 33));
  assert.not.ok(checkTcp(moved, 9, 32));
  assert.not.ok(checkTcp(moved.slice(0, 32), 9, 33));
});

test('tcp: with any bit flipped a header is refused, or comes out flipped', () => {
  for (let bit = 0; bit < 8 * SEGMENT.length; bit++) {
    const flipped = flipBit(SEGMENT, bit);
    const header = parseTcpHeader(flipped, 0, flipped.length);
    if (!header) continue;
    const bytes = new Uint8Array(60).fill(0xa5);
    const length = emitTcpHeader(bytes, 0, header);
    flipped[12] = (flipped[12] ?? 0) & 0xf0;
    equalBytes(bytes.slice(0, length), flipped.slice(0, length), `bit ${bit}`);
  }
});

test('tcp: refuses a data offset below five words', () => {
  for (let words = 0; words < 5; words++) {
    const segment = SEGMENT.slice();
    segment[12] = words << 4;
    assert.not.ok(checkTcp(segment, 0, 24), `${words} words`);
  }
});

test('tcp: ignores the reserved bits beside the data offset', () => {
  const segment = SEGMENT.slice();
  segment[12] = 0x6f;
  assert.equal(parseTcpHeader(segment, 0, 24), HEADER);
});

const SIZES: readonly [options: string, size: number | undefined, reason: string][] = [
  ['', undefined, 'no options'],
  ['020405b4', 1460, 'the first option'],
  ['01010402020405dc', 1500, 'behind two no-operations and another option'],
  ['00000000020405b4', undefined, 'behind the end of the list'],
  ['03000000020405b4', undefined, 'behind an option of length 0'],
  ['03010101020405b4', undefined, 'behind an option of length 1'],
  ['0101010101010204', undefined, 'running past the header'],
  ['02030500', undefined, 'of a wrong length'],
  ['030c0000020405b4', undefined, 'inside an option that runs past the header'],
  ['080a0204ffff00000000020101020405', undefined, 'cut off at the end'],
];

for (const [options, size, reason] of SIZES) {
  test(`tcp: the maximum segment size in "${options}": ${reason}`, () => {
    assert.is(tcpMaximumSegmentSize(withOptions(options), 0), size);
  });
}

test('tcp: an option is found where it begins', () => {
  const segment = concat(new Uint8Array(2), withOptions('01010402020405dc'));
  assert.is(findTcpOption(segment, 2, TCP_OPTION_MSS), 2 + 20 + 4);
  assert.is(findTcpOption(segment, 2, 4), 2 + 20 + 2);
  assert.is(findTcpOption(segment, 2, 1), 2 + 20);
  assert.is(findTcpOption(segment, 2, 8), undefined);
});

test('tcp: an option that cannot be so short is not found either', () => {
  for (const options of ['0500fe10', '0501fe10', '01010105']) {
    assert.is(findTcpOption(withOptions(options), 0, 5), undefined, options);
  }
  assert.is(findTcpOption(withOptions('0502fe10'), 0, 5), 20);
});

test('tcp: the flags are those of RFC 9293 §3.1, from the lowest bit', () => {
  const flags = [TCP_FIN, TCP_SYN, TCP_RST, TCP_PSH, TCP_ACK, TCP_URG, TCP_ECE, TCP_CWR];
  assert.equal(flags, [1, 2, 4, 8, 16, 32, 64, 128]);
});

test('tcp: looking for an option ends for any bytes', () => {
  withSeed('tcp options', (random) => {
    for (let round = 0; round < 3000; round++) {
      const bytes = random.bytes(60).map((byte) => byte & 15);
      bytes[12] = 0xf0;
      const found = findTcpOption(bytes, 0, TCP_OPTION_MSS);
      if (found === undefined) continue;
      assert.is(bytes[found], TCP_OPTION_MSS);
      assert.ok(found + (bytes[found + 1] ?? 0) <= 60, `round ${round}`);
    }
  });
});

test('tcp: setters write their field alone', () => {
  const segment = SEGMENT.slice();
  setTcpSequence(segment, 0, 0xffff_ffff);
  setTcpFlags(segment, 0, 0xff);
  assert.equal(parseTcpHeader(segment, 0, 24), { ...HEADER, sequence: 0xffff_ffff, flags: 0xff });
});

test('tcp: the checksum that is set verifies over the pseudo-header, an odd length too', () => {
  for (const payload of ['', 'aa', 'aabb', 'aabbcc']) {
    const ip = hex('4500003000000000400600000a0000010a000002');
    const packet = concat(ip, SEGMENT, hex(payload));
    setTcpChecksum(packet, 20, { packetAt: 0, end: packet.length });
    const length = packet.length - 20;
    const pseudo = sumPseudoHeader(packet, 0, { protocol: 6, length });
    assert.ok(isSumRight(pseudo + sumBytes(packet, 20, length)), `payload "${payload}"`);
  }
});

test('tcp: refuses to emit options that are not whole words, or too many', () => {
  const bytes = new Uint8Array(100);
  const emit = (options: Uint8Array) => () => emitTcpHeader(bytes, 0, { ...HEADER, options });
  assert.throws(emit(new Uint8Array(2)), /whole words/);
  assert.throws(emit(new Uint8Array(44)), /40 bytes at most/);
});

test.run();
