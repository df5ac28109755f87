/** Comparing bytes so that a difference can be read: both in hexadecimal, and where they part. */

import { equal, toHex } from '../../src/base/bytes.js';

const ROW_BYTES = 16;

/** Throws when `actual` is missing or differs from `expected`. */
export function equalBytes(
  actual: Uint8Array | undefined,
  expected: Uint8Array,
  message = 'bytes differ',
): void {
  if (actual === undefined) throw new Error(`${message}: nothing, expected ${toHex(expected)}`);
  if (equal(actual, expected)) return;
  throw new Error(`${message}\n${describe(actual, expected)}`);
}

/** A copy with `value` at `index`. */
export function changed(bytes: Uint8Array, index: number, value: number): Uint8Array {
  const copy = bytes.slice();
  copy[index] = value;
  return copy;
}

/** A copy with one bit flipped; bit 0 is the lowest of the first byte. */
export function flipBit(bytes: Uint8Array, bit: number): Uint8Array {
  const flipped = bytes.slice();
  flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return flipped;
}

function describe(actual: Uint8Array, expected: Uint8Array): string {
  const longer = Math.max(actual.length, expected.length);
  let first = 0;
  while (first < longer && actual[first] === expected[first]) first++;
  const row = first - (first % ROW_BYTES);
  return [
    `first difference at ${first}; ${actual.length} bytes, expected ${expected.length}`,
    `  at ${row}, actual   ${spaced(actual.subarray(row, row + ROW_BYTES))}`,
    `  at ${row}, expected ${spaced(expected.subarray(row, row + ROW_BYTES))}`,
    `  actual   ${toHex(actual)}`,
    `  expected ${toHex(expected)}`,
  ].join('\n');
}

function spaced(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}
