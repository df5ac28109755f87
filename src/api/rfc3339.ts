/** Wall time as people and programs write it: RFC 3339, printed in UTC with milliseconds. */

import { type WallTime, wallTime } from '../base/time.js';

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

const TIME = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/i;
const US_PER_DAY = MS_PER_DAY * US_PER_MS;

/**
 * A date, which is its beginning in UTC, or a date and time with its zone, of the years 1970 to
 * 9999; seconds may be left out. Parts of a microsecond are cut off, leap seconds unknown.
 */
export function parseRfc3339(text: string): WallTime | undefined {
  const match = TIME.exec(text);
  if (!match) return undefined;
  const part = (at: number): number => Number(match[at] ?? 0);
  const [hour, minute, second, fraction] = [part(4), part(5), part(6), part(7)];
  const days = daysFromCivil(part(1), part(2), part(3));
  const east = zoneMinutes(match[8] ?? 'Z');
  if (days === undefined || east === undefined) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const seconds = (hour * 60 + minute - east) * 60 + second;
  return wallTime(days * US_PER_DAY + seconds * 1_000_000 + Math.floor(fraction * 1_000_000));
}

/** `+01:30` as minutes east of Greenwich. */
function zoneMinutes(zone: string): number | undefined {
  if (zone.toUpperCase() === 'Z') return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(4))];
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}

/** Days since 1970-01-01, the other way round; undefined for a date that no calendar has. */
function daysFromCivil(year: number, month: number, day: number): number | undefined {
  if (year < 1970) return undefined;
  const fromMarch = (month + 9) % 12;
  const shifted = month <= 2 ? year - 1 : year;
  const dayOfYear = Math.floor((153 * fromMarch + 2) / 5) + day - 1;
  const leaps = Math.floor(shifted / 4) - Math.floor(shifted / 100) + Math.floor(shifted / 400);
  const days = shifted * 365 + leaps + dayOfYear - 719_468;
  const there = civilFromDays(days);
  const isSame = there.year === year && there.month === month && there.day === day;
  return isSame ? days : undefined;
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
