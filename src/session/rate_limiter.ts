/**
 * How many handshakes one source may ask for while we are under load (WireGuard §5.3; figures of
 * the kernel): 20 a second, 5 at once, for each IPv4 address and each IPv6 /64. It is asked only
 * after a valid cookie, so sources cannot be invented.
 *
 * A source's token bucket is kept as the one instant at which it will be full again: a message
 * moves that instant one cost further, and is refused where it would lie more than the burst ahead.
 * A source whose bucket is full is the same as one never seen, so its place is free for another.
 *
 * The table is fixed: LIMITER_SOURCES places behind open addressing, made when the first source is
 * asked for and swept at most once a second when it is full. When all places are in use, new
 * sources are refused; known ones are not affected.
 */

import type { Address } from '../base/address.js';
import { loadBe32 } from '../base/bytes.js';
import { after, type Duration, elapsed, type Instant, micros, seconds } from '../base/time.js';
import type { Random } from '../base/random.js';
import { HANDSHAKE_BURST, HANDSHAKES_PER_SECOND, LIMITER_SOURCES } from './constants.js';

/** What the bucket says to one message of one source. */
export type LimiterAnswer = 'allowed' | 'too_many' | 'limiter_full';

const COST: Duration = micros(1_000_000 / HANDSHAKES_PER_SECOND);
const BURST: Duration = micros(COST * HANDSHAKE_BURST);
const SWEEP_INTERVAL: Duration = seconds(1);
/** Twice the sources: a chain of probes stays short. A power of two. */
const PLACES = 2 * LIMITER_SOURCES;

/**
 * One place: family 0 is empty, 4 an IPv4 address in `low`, 6 the upper 64 bits of an IPv6 address.
 */
interface Places {
  readonly family: Uint8Array;
  readonly high: Uint32Array;
  readonly low: Uint32Array;
  readonly fullAt: Float64Array;
}

export class RateLimiter {
  readonly #hashSeed: number;
  #places: Places | undefined;
  #occupied = 0;
  #sweptAt: Instant | undefined;

  constructor(random: Random) {
    this.#hashSeed = random.u32();
  }

  /** How many places are taken, by sources still limited or not yet swept. */
  get size(): number {
    return this.#occupied;
  }

  /** Counts one message of `source` at `now`. Refused messages cost nothing, as in the kernel. */
  ask(source: Address, now: Instant): LimiterAnswer {
    this.#places ??= emptyPlaces();
    const high = source.family === 4 ? 0 : loadBe32(source.bytes, 0);
    const low = loadBe32(source.bytes, source.family === 4 ? 0 : 4);
    const place = this.#find(this.#places, source.family, high, low);
    if (this.#places.family[place] === 0) return this.#insert(source.family, high, low, now);
    const full = Math.max(this.#places.fullAt[place] ?? 0, now);
    if (full - now + COST > BURST) return 'too_many';
    this.#places.fullAt[place] = full + COST;
    return 'allowed';
  }

  #insert(family: number, high: number, low: number, now: Instant): LimiterAnswer {
    if (this.#occupied >= LIMITER_SOURCES) this.#sweep(now);
    if (this.#occupied >= LIMITER_SOURCES) return 'limiter_full';
    this.#store(this.#places ?? emptyPlaces(), { family, high, low, fullAt: after(now, COST) });
    return 'allowed';
  }

  /** Keeps the sources whose buckets are not full. */
  #sweep(now: Instant): void {
    const old = this.#places;
    if (!old) return;
    if (this.#sweptAt !== undefined && elapsed(this.#sweptAt, now) < SWEEP_INTERVAL) return;
    this.#sweptAt = now;
    const kept = emptyPlaces();
    this.#places = kept;
    this.#occupied = 0;
    for (let i = 0; i < PLACES; i++) {
      const family = old.family[i] ?? 0;
      const fullAt = old.fullAt[i] ?? 0;
      if (family === 0 || fullAt <= now) continue;
      this.#store(kept, { family, high: old.high[i] ?? 0, low: old.low[i] ?? 0, fullAt });
    }
  }

  #store(
    places: Places,
    source: { family: number; high: number; low: number; fullAt: number },
  ): void {
    const place = this.#find(places, source.family, source.high, source.low);
    places.family[place] = source.family;
    places.high[place] = source.high;
    places.low[place] = source.low;
    places.fullAt[place] = source.fullAt;
    this.#occupied++;
  }

  /**
   * The source's place, or the empty one where it would go. There always is one: half of the places
   * stay empty.
   */
  #find(places: Places, family: number, high: number, low: number): number {
    let place = this.#hash(family, high, low);
    while (places.family[place] !== 0) {
      const same = places.family[place] === family && places.low[place] === low;
      if (same && places.high[place] === high) break;
      place = (place + 1) & (PLACES - 1);
    }
    return place;
  }

  /** Seeded, so that nobody outside can choose sources that share a chain. */
  #hash(family: number, high: number, low: number): number {
    let hash = this.#hashSeed ^ family;
    for (const word of [high, low]) {
      hash = Math.imul(hash ^ word, 0x85ebca6b);
      hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
      hash ^= hash >>> 16;
    }
    return hash & (PLACES - 1);
  }
}

function emptyPlaces(): Places {
  return {
    family: new Uint8Array(PLACES),
    high: new Uint32Array(PLACES),
    low: new Uint32Array(PLACES),
    fullAt: new Float64Array(PLACES),
  };
}
