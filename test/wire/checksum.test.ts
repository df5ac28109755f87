import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat, loadBe16, storeBe16 } from '../../src/base/bytes.js';
import {
  checksumOf,
  foldSum,
  isSumRight,
  sumBytes,
  sumPseudoHeader,
  updateChecksum,
} from '../../src/wire/checksum.js';
import { flipBit } from '../support/bytes.js';
import { withSeed } from '../support/seed.js';
import { hex } from '../support/vectors.js';

const test = suite('wire/checksum');

test('checksum: sums the example of RFC 1071 §3', () => {
  const bytes = hex('0001f203f4f5f6f7');
  assert.is(foldSum(sumBytes(bytes, 0, 8)), 0xddf2);
  assert.is(checksumOf(sumBytes(bytes, 0, 8)), 0x220d);
});

test('checksum: an odd last byte counts as if a zero byte followed', () => {
  const bytes = hex('0102030405');
  assert.is(sumBytes(bytes, 0, 5), 0x0102 + 0x0304 + 0x0500);
  assert.is(sumBytes(bytes, 1, 3), 0x0203 + 0x0400);
  assert.is(sumBytes(bytes, 0, 0), 0);
});

const FOLDED: readonly [sum: number, folded: number, reason: string][] = [
  [0, 0, 'nothing'],
  [0xffff, 0xffff, 'the largest that needs no folding'],
  [0x1_0000, 1, 'a carry'],
  [0x1_ffff, 1, 'a carry that carries'],
  [0xffff_ffff, 0xffff, '32 bits'],
  [0x1_0000_0000, 1, 'beyond 32 bits'],
  [32_768 * 65_535, 0xffff, 'as many words as the longest packet has, all ones'],
];

for (const [sum, folded, reason] of FOLDED) {
  test(`checksum: folds ${sum}: ${reason}`, () => assert.is(foldSum(sum), folded));
}

test('checksum: with it in place the sum is right, with any bit flipped it is not', () => {
  withSeed('checksum', (random) => {
    const bytes = random.bytes(60);
    storeBe16(bytes, 10, 0);
    storeBe16(bytes, 10, checksumOf(sumBytes(bytes, 0, 60)));
    assert.ok(isSumRight(sumBytes(bytes, 0, 60)));
    for (let bit = 0; bit < 480; bit++) {
      const flipped = flipBit(bytes, bit);
      assert.not.ok(isSumRight(sumBytes(flipped, 0, 60)), `bit ${bit}`);
    }
  });
});

test('checksum: updating agrees with computing anew', () => {
  withSeed('checksum update', (random) => {
    for (let round = 0; round < 2000; round++) {
      const bytes = random.bytes(20);
      bytes[0] = 0x45;
      const at = 2 * random.below(10);
      const before = loadBe16(bytes, at);
      const checksum = checksumOf(sumBytes(bytes, 0, 20));
      const after = [0, 0xffff, random.below(0x1_0000)][round % 3] ?? 0;
      if (at === 0) continue;
      storeBe16(bytes, at, after);
      const expected = checksumOf(sumBytes(bytes, 0, 20));
      assert.is(updateChecksum(checksum, { before, after }), expected, `round ${round}`);
    }
  });
});

test('checksum: updates the example of RFC 1624 §4', () => {
  assert.is(updateChecksum(0xdd2f, { before: 0x5555, after: 0x3285 }), 0x0000);
});

test('checksum: the pseudo-header of IPv4 is addresses, protocol and length', () => {
  const packet = concat(new Uint8Array(3), hex('45000000000000004011123401020304f1f2f3f4ffff'));
  const sum = sumPseudoHeader(packet, 3, { protocol: 17, length: 9 });
  assert.is(sum, 0x0102 + 0x0304 + 0xf1f2 + 0xf3f4 + 17 + 9);
});

test('checksum: the pseudo-header of IPv6 has a length of 32 bits', () => {
  const packet = concat(hex('6000000000000000'), new Uint8Array(16).fill(1), hex('ff'.repeat(17)));
  const sum = sumPseudoHeader(packet, 0, { protocol: 6, length: 0x1_0005 });
  assert.is(sum, 8 * 0x0101 + 8 * 0xffff + 6 + 1 + 5);
});

test('checksum: what is computed over a UDP datagram in IPv6 verifies', () => {
  const packet = hex(
    '60000000000c1140' +
      '20010db8000000000000000000000001' +
      '20010db8000000000000000000000002' +
      '1f90003500 0c0000 61626364'.replaceAll(' ', ''),
  );
  const upper = { protocol: 17, length: 12 };
  const checksum = checksumOf(sumPseudoHeader(packet, 0, upper) + sumBytes(packet, 40, 12));
  storeBe16(packet, 46, checksum);
  assert.ok(isSumRight(sumPseudoHeader(packet, 0, upper) + sumBytes(packet, 40, 12)));
});

test.run();
