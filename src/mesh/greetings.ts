/**
 * Who is told at once that we are back: a node that starts is taken for silent by those who still
 * hold its last sessions, until it speaks. The members known from disk are greeted in random
 * order, PER_TURN every GAP after a random delay, so that a mesh that starts as a whole does not
 * do it in one instant. Limit: GREETED; the others learn it by gossip.
 *
 * Deadline: the next turn.
 */

import type { NodeId } from '../base/identifiers.js';
import type { Random } from '../base/random.js';
import { after, type Instant, millis, NEVER } from '../base/time.js';

const GREETED = 24;
const PER_TURN = 8;
const GAP = millis(100);
const JITTER_MS = 300;

export class Greetings {
  #waiting: NodeId[] = [];
  #dueAt: Instant = NEVER;

  start(known: readonly NodeId[], random: Random, now: Instant): void {
    const shuffled = [...known];
    for (let i = shuffled.length - 1; i > 0; i--) {
      const other = random.below(i + 1);
      const [a, b] = [shuffled[i], shuffled[other]];
      if (a === undefined || b === undefined) continue;
      shuffled[i] = b;
      shuffled[other] = a;
    }
    this.#waiting = shuffled.slice(0, GREETED);
    if (this.#waiting.length > 0) this.#dueAt = after(now, millis(random.below(JITTER_MS)));
  }

  /** Whom to greet now. */
  take(now: Instant): readonly NodeId[] {
    if (now < this.#dueAt) return [];
    const taken = this.#waiting.splice(0, PER_TURN);
    this.#dueAt = this.#waiting.length > 0 ? after(now, GAP) : NEVER;
    return taken;
  }

  deadline(): Instant {
    return this.#dueAt;
  }
}
