import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { wallTime } from '../../src/base/time.js';
import { compareTai64n, TIMESTAMP_BYTES, tai64n } from '../../src/crypto/tai64n.js';
import { equalBytes } from '../support/bytes.js';
import { withSeed } from '../support/seed.js';
import { hex } from '../support/vectors.js';

const test = suite('crypto/tai64n');

const STAMPS: readonly [microseconds: number, stamp: string, reason: string][] = [
  [0, '400000000000000a00000000', '1970 begins ten seconds into TAI'],
  [1_000_000, '400000000000000b00000000', 'a second'],
  [16_777, '400000000000000a00000000', 'the last whole microsecond below 2^24 ns'],
  [16_778, '400000000000000a01000000', 'the first above 2^24 ns'],
  [999_999, '400000000000000a3b000000', 'the last of a second: 59 * 2^24 ns'],
  [1_700_000_000_000_000, '400000006553f10a00000000', 'in 2023'],
  [(2 ** 32 - 11) * 1_000_000, '40000000ffffffff00000000', 'the last second of 32 bits'],
  [(2 ** 32 - 10) * 1_000_000, '400000010000000000000000', 'the first beyond'],
];

for (const [microseconds, stamp, reason] of STAMPS) {
  test(`tai64n: stamps ${microseconds}: ${reason}`, () => {
    equalBytes(tai64n(wallTime(microseconds)), hex(stamp));
  });
}

test('tai64n: byte order is time order, and never finer than 2^24 ns', () => {
  withSeed('tai64n', (random) => {
    let at = 1_700_000_000_000_000;
    for (let round = 0; round < 500; round++) {
      const next = at + random.below(3_000_000);
      const [a, b] = [tai64n(wallTime(at)), tai64n(wallTime(next))];
      assert.is(a.length, TIMESTAMP_BYTES);
      assert.equal([b[9], b[10], b[11]], [0, 0, 0]);
      assert.ok(compareTai64n(a, b) <= 0, `${at} is not after ${next}`);
      if (next - at >= 16_778) assert.ok(compareTai64n(a, b) < 0, `${at} is before ${next}`);
      at = next;
    }
  });
});

test('compare: looks at every byte, the first ones first, unsigned', () => {
  for (let at = 0; at < TIMESTAMP_BYTES; at++) {
    const [a, b] = [new Uint8Array(TIMESTAMP_BYTES), new Uint8Array(TIMESTAMP_BYTES)];
    a[at] = 0x7f;
    b[at] = 0x80;
    a.fill(0xff, at + 1);
    assert.ok(compareTai64n(a, b) < 0, `byte ${at}, less`);
    assert.ok(compareTai64n(b, a) > 0, `byte ${at}, more`);
    assert.is(compareTai64n(a, a.slice()), 0, `byte ${at}, the same`);
  }
});

test.run();
