import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { formatRfc3339 } from '../../src/api/rfc3339.js';
import { wallTime } from '../../src/base/time.js';

const test = suite('api/rfc3339');

const EDGES = [
  0,
  -1,
  951_782_399_999, // the last millisecond before 29 February 2000
  951_782_400_000,
  4_107_542_400_000, // 1 March 2100, no leap year
  1_795_395_723_456,
  253_402_300_799_999, // the end of the year 9999
];

test('rfc 3339: agrees with the platform at the edges of the calendar', () => {
  for (const ms of EDGES) {
    assert.is(formatRfc3339(wallTime(ms * 1000)), new Date(ms).toISOString());
  }
});

test('rfc 3339: agrees with the platform on every day of 160 years', () => {
  for (let ms = -3e11; ms < 5e12; ms += 86_400_000 + 12_345) {
    assert.is(formatRfc3339(wallTime(ms * 1000)), new Date(ms).toISOString());
  }
});

test.run();
