/**
 * How long a member that somebody accuses has to answer: Lifeguard's suspicion time, from the
 * number of members and of distinct accusers. It begins long and shrinks with each accuser, since
 * one that is slow itself seldom finds others that agree:
 *
 *   least = factor * max(1, log10 N) * interval        most = maxFactor * least
 *   time  = most - (most - least) * log(c + 1) / log(k + 1), with c further accusers, at most k
 *
 * Logarithms come from tables, so that every machine computes the same. Source: Lifeguard §IV.B.
 */

import { type Duration, micros } from '../base/time.js';
import type { GossipConfig } from './config.js';

/** 10^(i / 20). */
const POWERS = [
  1, 1.122018, 1.258925, 1.412538, 1.584893, 1.778279, 1.995262, 2.238721, 2.511886, 2.818383,
  3.162278, 3.548134, 3.981072, 4.466836, 5.011872, 5.623413, 6.309573, 7.079458, 7.943282,
  8.912509, 10,
];
const STEPS = POWERS.length - 1;

/** log2(i + 1); the base does not matter. */
const LOGARITHMS = [0, 1, 1.584963, 2, 2.321928, 2.584963, 2.807355, 3];

/** To three digits; `count` is at least 1. */
export function log10(count: number): number {
  let [decades, rest] = [0, count];
  for (; rest >= 10; rest /= 10) decades++;
  let step = 0;
  while (step < STEPS - 1 && (POWERS[step + 1] ?? 10) <= rest) step++;
  const [low = 1, high = 10] = [POWERS[step], POWERS[step + 1]];
  return decades + (step + (rest - low) / (high - low)) / STEPS;
}

/** Decimal digits: ceil(log10(count + 1)). */
export function digits(count: number): number {
  let found = 1;
  for (let rest = count; rest >= 10; rest /= 10) found++;
  return found;
}

export interface SuspicionTimes {
  readonly least: Duration;
  readonly most: Duration;
  /** How many further accusers bring it from most to least. */
  readonly confirmations: number;
}

/** `count`: members that are not known to have failed, ourselves among them. */
export function suspicionTimes(count: number, config: GossipConfig): SuspicionTimes {
  const { suspicionFactor, suspicionMaxFactor, probeInterval } = config;
  const least = suspicionFactor * Math.max(1, log10(Math.max(1, count))) * probeInterval;
  // Neither we nor the subject can be among them: where too few are left nobody waits for them.
  const isPossible = count - 2 >= config.confirmations;
  const confirmations = isPossible ? config.confirmations : 0;
  return { least: micros(least), most: micros(least * suspicionMaxFactor), confirmations };
}

/** How long a suspicion lasts in all, with so many accusers besides the first. */
export function suspicionTime(times: SuspicionTimes, further: number): Duration {
  const { least, most, confirmations } = times;
  if (further >= confirmations) return least;
  const share = (LOGARITHMS[further] ?? 0) / (LOGARITHMS[confirmations] ?? 1);
  return micros(most - share * (most - least));
}
