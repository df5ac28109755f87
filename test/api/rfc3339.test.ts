import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { formatRfc3339, parseRfc3339 } from '../../src/api/rfc3339.js';
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

test('rfc 3339: what was written is read again, to the millisecond', () => {
  for (const ms of EDGES.filter((each) => each >= 0)) {
    assert.is(parseRfc3339(formatRfc3339(wallTime(ms * 1000))), ms * 1000);
  }
});

/** Text, and what the platform reads; a reason where it is refused. */
const TEXTS: readonly (readonly [string, string | undefined])[] = [
  ['2027-01-31', '2027-01-31T00:00:00.000Z'],
  ['2028-02-29', '2028-02-29T00:00:00.000Z'],
  ['2027-01-31T18:00:00+01:00', '2027-01-31T17:00:00.000Z'],
  ['2027-01-01T00:30-01:45', '2027-01-01T02:15:00.000Z'],
  ['2027-01-01t00:30:00.25z', '2027-01-01T00:30:00.250Z'],
  ['2027-02-29', undefined], // no such day
  ['2027-13-01', undefined], // no such month
  ['2027-00-10', undefined],
  ['2027-01-00', undefined],
  ['1969-12-31', undefined], // before all wall time
  ['2027-01-01T24:00Z', undefined],
  ['2027-01-01T10:60Z', undefined],
  ['2027-01-01T10:00:60Z', undefined], // a leap second
  ['2027-01-01T10:00:00', undefined], // whose clock?
  ['2027-01-01T10:00+24:00', undefined],
  ['2027-1-1', undefined],
  ['tomorrow', undefined],
];

for (const [text, expected] of TEXTS) {
  test(`rfc 3339: "${text}" is ${expected ?? 'refused'}`, () => {
    const read = parseRfc3339(text);
    assert.is(read === undefined ? undefined : formatRfc3339(read), expected);
  });
}

test.run();
