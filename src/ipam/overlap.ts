/** How prefixes lie to each other: two are nested, equal or apart, never anything else. */

import type { Prefix } from '../base/address.js';

/** Whether every address of `inner` is one of `outer`; a prefix covers itself. */
export function covers(outer: Prefix, inner: Prefix): boolean {
  if (outer.address.family !== inner.address.family || outer.length > inner.length) return false;
  const [a, b] = [outer.address.bytes, inner.address.bytes];
  for (let bit = 0; bit < outer.length; bit += 8) {
    const mask = 0xff00 >> Math.min(8, outer.length - bit);
    if ((((a[bit >> 3] ?? 0) ^ (b[bit >> 3] ?? 0)) & mask & 0xff) !== 0) return false;
  }
  return true;
}

/** Whether the two share an address. */
export function overlaps(a: Prefix, b: Prefix): boolean {
  return covers(a, b) || covers(b, a);
}

/** The first of `prefixes` that shares an address with `prefix`. */
export function firstOverlap(prefix: Prefix, prefixes: readonly Prefix[]): Prefix | undefined {
  return prefixes.find((other) => overlaps(prefix, other));
}
