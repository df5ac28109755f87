/** The seeded generator repeats itself exactly, and spreads evenly enough for tests. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { toHex } from '../../src/base/bytes.js';
import { SeededRandom } from '../../src/base/random.js';

const test = suite('random');

test('random: one seed gives one sequence, for ever', () => {
  // Golden: a change here makes every recorded seed worthless.
  const random = new SeededRandom('heddle');
  const drawn = [random.u32(), random.u32(), random.below(1_000), toHex(random.bytes(8))];
  assert.equal(drawn, [3_626_792_242, 2_984_526_972, 24, '1efca6f69ac5cb2e']);
});

test('random: seeds that differ in one character share nothing', () => {
  const drawn = ['', '0', '1', '2', 'a', 'b', '11'].map((seed) => new SeededRandom(seed).u32());
  assert.is(new Set(drawn).size, drawn.length);
});

test('random: a fork depends on seed and label, not on what was drawn', () => {
  const fresh = new SeededRandom('seed').fork('node-1');
  const used = new SeededRandom('seed');
  used.bytes(100);
  assert.is(used.fork('node-1').u32(), fresh.u32());
  assert.is.not(used.fork('node-2').u32(), used.fork('node-1').u32());
});

test('random: drawing from a fork does not move its parent', () => {
  const alone = new SeededRandom('seed');
  const parent = new SeededRandom('seed');
  parent.fork('child').bytes(100);
  assert.is(parent.u32(), alone.u32());
});

test('random: below stays below, reaches both ends, and is even', () => {
  const random = new SeededRandom('below');
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < 10_000; i++) {
    const drawn = random.below(10);
    counts[drawn] = (counts[drawn] ?? 0) + 1;
  }
  assert.is(counts.length, 10);
  for (const count of counts) assert.ok(count > 850 && count < 1_150, `${counts}`);
  for (let i = 0; i < 100; i++) {
    assert.is(random.below(1), 0);
    const wide = random.below(0x1_0000_0000);
    assert.ok(Number.isInteger(wide) && wide >= 0 && wide < 0x1_0000_0000);
  }
});

test('random: every bit of every byte is set half of the time', () => {
  const bytes = new SeededRandom('bits').bytes(8_000);
  for (let bit = 0; bit < 8; bit++) {
    const set = bytes.filter((byte) => (byte & (1 << bit)) !== 0).length;
    assert.ok(set > 3_800 && set < 4_200, `bit ${bit} is set ${set} times of 8000`);
  }
});

test.run();
