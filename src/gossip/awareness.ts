/**
 * How far a node trusts its own judgement: Lifeguard's local health score, 0 (well) to a limit.
 * What goes wrong with us rather than with others raises it: a probe that fails, a relay that does
 * not even say no, a suspicion of ourselves, an event loop that runs late. A probe that succeeds
 * lowers it. All probe times are multiplied by it plus one. Source: Lifeguard §IV.A.
 */

import { type Duration, micros } from '../base/time.js';

export class Awareness {
  readonly #limit: number;
  #score = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get score(): number {
    return this.#score;
  }

  apply(change: number): void {
    this.#score = Math.min(this.#limit, Math.max(0, this.#score + change));
  }

  /** The time that something may take which takes `base` when all is well. */
  scale(base: Duration): Duration {
    return micros(base * (this.#score + 1));
  }
}
