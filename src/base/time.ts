/**
 * Time as heddle's cores see it: integer microseconds of CLOCK_BOOTTIME, so time spent suspended
 * counts. A bare number is never a time: instants and durations are branded and made only by the
 * functions below.
 */

declare const instantBrand: unique symbol;
declare const durationBrand: unique symbol;
declare const wallBrand: unique symbol;

/** Microseconds since boot, suspend included. */
export type Instant = number & { readonly [instantBrand]: true };

/** Microseconds between two instants. */
export type Duration = number & { readonly [durationBrand]: true };

/** Microseconds since 1970-01-01T00:00:00Z. Only TAI64N stamps and what a person reads use it. */
export type WallTime = number & { readonly [wallBrand]: true };

/** Later than every instant: the deadline of a core that wants nothing. */
export const NEVER = Number.MAX_SAFE_INTEGER as Instant;

export function instant(microsecondsSinceBoot: number): Instant {
  return Math.trunc(microsecondsSinceBoot) as Instant;
}

export function wallTime(microsecondsSinceEpoch: number): WallTime {
  return Math.trunc(microsecondsSinceEpoch) as WallTime;
}

export function seconds(count: number): Duration {
  return Math.round(count * 1_000_000) as Duration;
}

export function millis(count: number): Duration {
  return Math.round(count * 1_000) as Duration;
}

export function micros(count: number): Duration {
  return Math.round(count) as Duration;
}

/** The instant `duration` after `at`; NEVER stays NEVER. */
export function after(at: Instant, duration: Duration): Instant {
  return at === NEVER ? NEVER : ((at + duration) as Instant);
}

/** How long ago `earlier` was at `now`; negative when it lies ahead. */
export function elapsed(earlier: Instant, now: Instant): Duration {
  return (now - earlier) as Duration;
}

export function earliest(a: Instant, b: Instant): Instant {
  return a < b ? a : b;
}

export function latest(a: Instant, b: Instant): Instant {
  return a > b ? a : b;
}

export function toMillis(duration: Duration): number {
  return duration / 1_000;
}

export function toSeconds(duration: Duration): number {
  return duration / 1_000_000;
}
