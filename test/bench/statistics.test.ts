import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { median, ratio, summarize } from '../../bench/statistics.js';

const test = suite('statistics');

const MEDIANS: readonly [string, readonly number[], number | undefined][] = [
  ['nothing has no middle', [], undefined],
  ['one value is its own middle', [7], 7],
  ['order does not matter', [9, 1, 5], 5],
  ['two in the middle are averaged', [4, 1, 3, 2], 2.5],
  ['one that is far off changes nothing', [1, 2, 1000], 2],
  ['numbers are compared as numbers', [10, 9, 100], 10],
];

for (const [why, samples, expected] of MEDIANS) {
  test(`median: ${why}`, () => assert.is(median(samples), expected));
}

test('median: leaves the samples in their order', () => {
  const samples = [3, 1, 2];
  median(samples);
  assert.equal(samples, [3, 1, 2]);
});

test('summary: has the median and the extremes', () => {
  assert.equal(summarize([3, 1, 8]), { median: 3, least: 1, greatest: 8 });
  assert.is(summarize([]), undefined);
});

test('ratio: is one of medians, and none where there is nothing to divide by', () => {
  assert.is(ratio([6, 1, 100], [2, 2, 50]), 3);
  assert.is(ratio([6], []), undefined);
  assert.is(ratio(undefined, [6]), undefined);
  assert.is(ratio([6], [0]), undefined);
});

test.run();
