/**
 * What is between hosts: delay, loss by itself and in bursts (Gilbert), duplication, reordering, a
 * clog that lets nothing out for a while; and partitions: whole, one-way, or bridged by hosts that
 * both sides reach.
 */

import { unreachable } from '../../src/base/assert.js';
import type { SeededRandom } from '../../src/base/random.js';
import {
  after,
  type Duration,
  type Instant,
  instant,
  latest,
  micros,
  millis,
} from '../../src/base/time.js';

export interface LinkSettings {
  /** 0 to 1. */
  readonly loss: number;
  readonly delayMs: number;
  readonly jitterMs: number;
  /** Of a message: to come a second time, or to come late. */
  readonly duplicate: number;
  readonly reorder: number;
  /** Of a message: to begin a burst in which nine of ten are lost; of one in it: to end it. */
  readonly burstBegins: number;
  readonly burstEnds: number;
}

export const CALM: LinkSettings = {
  loss: 0,
  delayMs: 5,
  jitterMs: 10,
  duplicate: 0,
  reorder: 0,
  burstBegins: 0,
  burstEnds: 0.3,
};

/** What parts hosts; undefined: nothing. Hosts are told apart by their indices. */
export type Partition =
  /** Those below `border` and the others; one way: only those below are heard by the others. */
  | { readonly kind: 'whole' | 'oneWay'; readonly border: number }
  /** Hosts below `bridges` reach everybody. */
  | { readonly kind: 'bridged'; readonly border: number; readonly bridges: number }
  /** Each reaches those near it on a ring of `count`: most, and not the same most. */
  | { readonly kind: 'ring'; readonly count: number }
  /** One that reaches nobody. */
  | { readonly kind: 'alone'; readonly host: number }
  /** Two that do not reach each other; all else is as before. */
  | { readonly kind: 'pair'; readonly hosts: readonly [number, number] };

const BURST_LOSS = 0.9;
const LATE = millis(300);

export class Links {
  settings: LinkSettings;
  #partition: Partition | undefined;
  #partedUntil: Instant = instant(0);
  readonly #random: SeededRandom;
  readonly #bursts = new Set<string>();
  readonly #clogs = new Map<number, Instant>();
  lost = 0;

  constructor(settings: LinkSettings, random: SeededRandom) {
    this.settings = settings;
    this.#random = random;
  }

  get partition(): Partition | undefined {
    return this.#partition;
  }

  /** When the last partition ended. */
  get partedUntil(): Instant {
    return this.#partedUntil;
  }

  part(partition: Partition): void {
    this.#partition = partition;
  }

  heal(now: Instant): void {
    if (this.#partition) this.#partedUntil = now;
    this.#partition = undefined;
  }

  /** Nothing of this host's comes through for so long, and all of it then. */
  clog(host: number, duration: Duration, now: Instant): void {
    this.#clogs.set(host, after(now, duration));
  }

  isOpen(from: number, to: number): boolean {
    const partition = this.#partition;
    if (!partition) return true;
    switch (partition.kind) {
      case 'ring': {
        const apart = Math.abs(from - to);
        return Math.min(apart, partition.count - apart) <= Math.ceil(partition.count / 3);
      }
      case 'alone':
        return from !== partition.host && to !== partition.host;
      case 'pair':
        return !(partition.hosts.includes(from) && partition.hosts.includes(to));
      case 'oneWay':
        return from < partition.border || to >= partition.border;
      case 'bridged':
        if (Math.min(from, to) < partition.bridges) return true;
        return from < partition.border === to < partition.border;
      case 'whole':
        return from < partition.border === to < partition.border;
      default:
        return unreachable(partition);
    }
  }

  /** When a message that is sent now arrives: never, once, or twice. */
  arrivals(from: number, to: number, now: Instant): readonly Instant[] {
    if (!this.isOpen(from, to) || this.#isLost(from, to)) {
      this.lost++;
      return [];
    }
    const { duplicate, reorder } = this.settings;
    const count = this.#happens(duplicate) ? 2 : 1;
    return Array.from({ length: count }, () => {
      const late = this.#happens(reorder) ? LATE : 0;
      return latest(after(now, micros(this.#delay() + late)), this.#clogs.get(from) ?? now);
    });
  }

  #isLost(from: number, to: number): boolean {
    const { loss, burstBegins, burstEnds } = this.settings;
    const way = `${from} ${to}`;
    if (this.#bursts.has(way)) {
      if (this.#happens(burstEnds)) this.#bursts.delete(way);
      return this.#happens(BURST_LOSS);
    }
    if (burstBegins > 0 && this.#happens(burstBegins)) this.#bursts.add(way);
    return this.#happens(loss);
  }

  #delay(): number {
    const { delayMs, jitterMs } = this.settings;
    return 1_000 * delayMs + this.#random.below(Math.max(1, 1_000 * jitterMs));
  }

  #happens(chance: number): boolean {
    return chance > 0 && this.#random.below(1_000_000) < chance * 1_000_000;
  }
}
