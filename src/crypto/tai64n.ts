/**
 * TAI64N stamps (https://cr.yp.to/libtai/tai64.html) as WireGuard puts them into initiations
 * (§5.1): 8 bytes of seconds and 4 of nanoseconds, both big-endian, so that byte order is time
 * order.
 *
 * Nanoseconds are rounded down to 2^24, as the kernel does: a stamp does not tell how fast the
 * machine's clock ticks between two initiations, of which 50 a second are the most.
 */

import { loadBe32, storeBe32 } from '../base/bytes.js';
import type { WallTime } from '../base/time.js';

export const TIMESTAMP_BYTES = 12;

/** 2^62, the label of 1970-01-01 TAI, in its upper 32 bits. */
const LABEL_HIGH = 0x4000_0000;
/**
 * TAI was ahead of UTC by 10 s in 1970; leap seconds after are not counted, as everywhere in
 * WireGuard.
 */
const TAI_OFFSET_SECONDS = 10;
const GRANULARITY_MASK = 0xff00_0000;

/** The stamp of an instant not before 1970. */
export function tai64n(wall: WallTime): Uint8Array {
  const unixSeconds = Math.floor(wall / 1_000_000);
  const nanoseconds = (wall - unixSeconds * 1_000_000) * 1_000;
  const taiSeconds = unixSeconds + TAI_OFFSET_SECONDS;
  const stamp = new Uint8Array(TIMESTAMP_BYTES);
  storeBe32(stamp, 0, LABEL_HIGH + Math.floor(taiSeconds / 0x1_0000_0000));
  storeBe32(stamp, 4, taiSeconds >>> 0);
  storeBe32(stamp, 8, (nanoseconds & GRANULARITY_MASK) >>> 0);
  return stamp;
}

/**
 * Negative when `a` is the earlier stamp, 0 when they are equal, positive when `a` is the later.
 */
export function compareTai64n(a: Uint8Array, b: Uint8Array): number {
  for (let at = 0; at < TIMESTAMP_BYTES; at += 4) {
    const difference = loadBe32(a, at) - loadBe32(b, at);
    if (difference !== 0) return difference;
  }
  return 0;
}
