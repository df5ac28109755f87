/**
 * Which IPv4 prefix a new network takes for its pool: a private one (RFC 1918, then RFC 6598's)
 * that shares no address with what the host routes or has. Where in 10.0.0.0/8 is left to chance,
 * so that two networks that meet later seldom have the same; what other tools take by default
 * comes last there. Routes of length 0 and 1 go to everything, and stand in nobody's way.
 */

import type { Prefix } from '../base/address.js';
import { firstOverlap } from './overlap.js';
import { prefixAt, sizeOf } from './pool.js';

export type PoolChoice =
  | { readonly kind: 'chosen'; readonly pool: Prefix }
  /** What an operator should know, and do. */
  | { readonly kind: 'none'; readonly reason: string };

/** A place to look in: all blocks of `length` in the prefix that begins at `start`. */
interface Region {
  readonly start: number;
  readonly within: number;
  readonly length: number;
  readonly isPopular?: (second: number) => boolean;
}

const TEN = 0x0a00_0000;
const ONE_SEVENTY_TWO = 0xac10_0000;
const ONE_NINETY_TWO = 0xc0a8_0000;
const ONE_HUNDRED = 0x6440_0000;

/** 10.X.0.0/16 of clouds, homes, OpenVPN, Kubernetes and its networks. */
const POPULAR = [0, 1, 2, 8, 10, 42, 43, 88, 96, 100, 152, 244];

const REGIONS: readonly Region[] = [
  { start: TEN, within: 8, length: 16, isPopular: (second) => POPULAR.includes(second) },
  { start: ONE_SEVENTY_TWO, within: 12, length: 16 },
  { start: ONE_NINETY_TWO, within: 16, length: 16 },
  { start: ONE_HUNDRED, within: 10, length: 16 },
  { start: ONE_NINETY_TWO, within: 16, length: 20 },
];

const REGIONS_WITH_SUBNETS: readonly Region[] = [
  { start: TEN, within: 8, length: 12, isPopular: (second) => second === 0 },
  { start: TEN, within: 8, length: 13 },
  { start: ONE_SEVENTY_TWO, within: 12, length: 12 },
  { start: ONE_SEVENTY_TWO, within: 12, length: 13 },
  { start: ONE_HUNDRED, within: 10, length: 12 },
  { start: ONE_HUNDRED, within: 10, length: 13 },
  ...REGIONS,
];

/** `used`: the host's routes and addresses. `chance`: a random integer of 32 bits. */
export function choosePool(
  used: readonly Prefix[],
  chance: number,
  wantsSubnets: boolean,
): PoolChoice {
  const inTheWay = used.filter(({ length }) => length > 1);
  for (const region of wantsSubnets ? REGIONS_WITH_SUBNETS : REGIONS) {
    const pool = chooseIn(region, inTheWay, chance);
    if (pool) return { kind: 'chosen', pool };
  }
  const reason =
    'Every private IPv4 prefix shares addresses with a route or an address of this host; ' +
    'say which prefix the network may use';
  return { kind: 'none', reason };
}

/** The route or address of the host that `prefix` shares addresses with, if there is one. */
export function collisionOf(prefix: Prefix, used: readonly Prefix[]): Prefix | undefined {
  return firstOverlap(
    prefix,
    used.filter(({ length }) => length > 1),
  );
}

function chooseIn(region: Region, used: readonly Prefix[], chance: number): Prefix | undefined {
  const { start, within, length, isPopular } = region;
  const blocks = 2 ** (length - within);
  let last: Prefix | undefined;
  for (let i = 0; i < blocks; i++) {
    const at = start + ((chance + i) % blocks) * sizeOf(length);
    const pool = prefixAt(at, length);
    if (firstOverlap(pool, used)) continue;
    if (!isPopular?.(pool.address.bytes[1] ?? 0)) return pool;
    last ??= pool;
  }
  return last;
}
