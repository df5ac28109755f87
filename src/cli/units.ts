/** Quantities in the words of a person. */

import type { Count } from '../api/status.js';

const DAY = 86_400;
const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'] as const;

/** The two largest units of a span: `3 s`, `1 m 3 s`, `2 h 5 m`, `40 d 1 h`. */
export function formatSpan(seconds: number): string {
  const units: readonly [number, string][] = [
    [DAY, 'd'],
    [3_600, 'h'],
    [60, 'm'],
    [1, 's'],
  ];
  const at = Math.max(
    0,
    units.findIndex(([length]) => seconds >= length),
  );
  if (seconds < 1) return '0 s';
  let left = Math.floor(seconds);
  const words: string[] = [];
  for (const [length, unit] of units.slice(at, at + 2)) {
    const amount = Math.floor(left / length);
    left -= amount * length;
    if (amount > 0) words.push(`${amount} ${unit}`);
  }
  return words.join(' ');
}

/** As `wg show` says it: `1 minute, 3 seconds ago`. */
export function formatAgo(seconds: number): string {
  if (seconds < 1) return 'now';
  const units: readonly [number, string][] = [
    [DAY, 'day'],
    [3_600, 'hour'],
    [60, 'minute'],
    [1, 'second'],
  ];
  let left = Math.floor(seconds);
  const words: string[] = [];
  for (const [length, unit] of units) {
    const amount = Math.floor(left / length);
    left -= amount * length;
    if (amount > 0) words.push(`${amount} ${unit}${amount === 1 ? '' : 's'}`);
  }
  return `${words.join(', ')} ago`;
}

/** Powers of 1024 with three digits or so: `92 B`, `1.21 KiB`, `348 MiB`. */
export function formatBytes(bytes: Count): string {
  let value = Number(bytes);
  let unit = 0;
  while (value >= 1024 && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const places = unit === 0 ? 0 : value < 10 ? 2 : value < 100 ? 1 : 0;
  return `${value.toFixed(places)} ${BYTE_UNITS[unit] ?? ''}`;
}
