/** Wall time as people and programs write it: RFC 3339 in UTC with milliseconds. */

import type { WallTime } from '../base/time.js';

const US_PER_MS = 1_000;
const MS_PER_DAY = 86_400_000;

/** `2026-11-23T01:02:03.456Z`. */
export function formatRfc3339(wall: WallTime): string {
  const ms = Math.floor(wall / US_PER_MS);
  const days = Math.floor(ms / MS_PER_DAY);
  const rest = ms - days * MS_PER_DAY;
  const { year, month, day } = civilFromDays(days);
  const clock = [rest / 3_600_000, (rest / 60_000) % 60, (rest / 1_000) % 60];
  const time = clock.map((part) => digits(Math.floor(part), 2)).join(':');
  const date = `${digits(year, 4)}-${digits(month, 2)}-${digits(day, 2)}`;
  return `${date}T${time}.${digits(rest % 1_000, 3)}Z`;
}

/**
 * The Gregorian date of a day since 1970-01-01, by eras of 400 years whose years begin in March (H.
 * Hinnant, chrono).
 */
function civilFromDays(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const leaps =
    Math.floor(dayOfEra / 1_460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leaps) / 365);
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1;
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

function digits(value: number, count: number): string {
  return String(value).padStart(count, '0');
}
