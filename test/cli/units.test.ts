import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { formatAgo, formatBytes, formatSpan } from '../../src/cli/units.js';

const test = suite('cli/units');

test('span: the two largest units, zeros left out', () => {
  const rows: readonly (readonly [number, string])[] = [
    [0, '0 s'],
    [59, '59 s'],
    [60, '1 m'],
    [63, '1 m 3 s'],
    [3_600, '1 h'],
    [3_605, '1 h'],
    [7_500, '2 h 5 m'],
    [90_000, '1 d 1 h'],
  ];
  for (const [seconds, text] of rows) assert.is(formatSpan(seconds), text);
});

test('ago: as wg says it', () => {
  assert.is(formatAgo(0), 'now');
  assert.is(formatAgo(1), '1 second ago');
  assert.is(formatAgo(63), '1 minute, 3 seconds ago');
  assert.is(formatAgo(90_061), '1 day, 1 hour, 1 minute, 1 second ago');
});

test('bytes: powers of 1024, and counts beyond 2^53 given as text', () => {
  const rows: readonly (readonly [number | string, string])[] = [
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.00 KiB'],
    [12_390, '12.1 KiB'],
    [1024 ** 3 * 348, '348 GiB'],
    ['18446744073709551615', '16.0 EiB'],
  ];
  for (const [bytes, text] of rows) assert.is(formatBytes(bytes), text);
});

test.run();
