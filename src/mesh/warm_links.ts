/**
 * With which members there is a session that needs no handshake, as far as the mesh can tell: from
 * when one was made until REKEY_AFTER_TIME, when its next use makes another. All last equally long,
 * so the oldest is the next to end. Limit: one entry a session that was made; a later one of the
 * same member makes the earlier one void.
 *
 * Deadline: the next end.
 */

import type { NodeId } from '../base/identifiers.js';
import { after, type Instant, NEVER } from '../base/time.js';
import { REKEY_AFTER_TIME } from '../session/constants.js';

export class WarmLinks {
  /** By member, in the order of their ends. */
  readonly #until = new Map<NodeId, Instant>();

  isWarm(id: NodeId): boolean {
    return this.#until.has(id);
  }

  /** A session with it was made. */
  made(id: NodeId, now: Instant): void {
    this.#until.delete(id);
    this.#until.set(id, after(now, REKEY_AFTER_TIME));
  }

  forget(id: NodeId): void {
    this.#until.delete(id);
  }

  /** Those that ended by now. */
  takeEnded(now: Instant): NodeId[] {
    const ended: NodeId[] = [];
    for (const [id, until] of this.#until) {
      if (until > now) break;
      ended.push(id);
    }
    for (const id of ended) this.#until.delete(id);
    return ended;
  }

  deadline(): Instant {
    for (const until of this.#until.values()) return until;
    return NEVER;
  }
}
