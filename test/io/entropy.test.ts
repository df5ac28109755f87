import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { equal } from '../../src/base/bytes.js';
import { SystemRandom } from '../../src/io/entropy.js';

const test = suite('io/entropy');
const random = new SystemRandom();

test('entropy: gives as many bytes as asked, in memory of their own', () => {
  for (const length of [0, 1, 32, 1000]) {
    const bytes = random.bytes(length);
    assert.is(bytes.length, length);
    assert.is(bytes.buffer.byteLength, length);
    assert.is(bytes.constructor, Uint8Array);
  }
});

test('entropy: never gives 32 bytes twice', () => {
  assert.not.ok(equal(random.bytes(32), random.bytes(32)));
});

test('entropy: u32 is an integer of 32 bits and uses all of them', () => {
  let [ones, zeros] = [0, 0xffff_ffff];
  for (let i = 0; i < 200; i++) {
    const value = random.u32();
    assert.ok(Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff);
    ones = (ones | value) >>> 0;
    zeros = (zeros & value) >>> 0;
  }
  assert.is(ones, 0xffff_ffff);
  assert.is(zeros, 0);
});

test('entropy: below stays below, reaches every value, and takes 2^32', () => {
  const seen = new Set<number>();
  for (let i = 0; i < 300; i++) seen.add(random.below(5));
  assert.equal([...seen].sort(), [0, 1, 2, 3, 4]);
  assert.is(random.below(1), 0);
  assert.ok(random.below(2 ** 32) < 2 ** 32);
});

test('entropy: below refuses limits that have no value below them, or too many', () => {
  for (const limit of [0, -1, 1.5, 2 ** 32 + 1]) {
    assert.throws(() => random.below(limit), /limit is 1 to 2\^32/);
  }
});

test.run();
