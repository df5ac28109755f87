/**
 * Who brought an accusation of us, and is told by us that we live, besides whomever the news gets
 * to: it reaches us, and who else does not may be beyond a partition. One that is older than what
 * we say already is answered at once, by a member that has not heard it; the others when we have
 * said something newer. Source: the buddy system of Lifeguard (§4.3), the other way round.
 *
 * Limit: WAITING members; the others hear of it as everybody does.
 */

import type { NodeId } from '../base/identifiers.js';
import { isOfKind, parseRecord, type SignedRecord } from '../wire/record.js';

const WAITING = 64;

export class Doubters {
  readonly #waiting = new Set<NodeId>();

  /**
   * Records came from a member; `ours` is what we say of ourselves, if anything. True: it is to be
   * told that again.
   */
  heard(from: NodeId, records: readonly Uint8Array[], ours: SignedRecord | undefined): boolean {
    const doubted = ours && latestDoubt(records, ours.author);
    if (!ours || doubted === undefined) return false;
    if (doubted < ours.version) return true;
    if (this.#waiting.size < WAITING) this.#waiting.add(from);
    return false;
  }

  /** We say something newer: whom to tell. */
  take(): readonly NodeId[] {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    return waiting;
  }
}

/** The latest incarnation of `id` that one of them doubts; undefined: none is about it. */
function latestDoubt(records: readonly Uint8Array[], id: NodeId): number | undefined {
  let latest: number | undefined;
  for (const bytes of records) {
    const record = isOfKind(bytes, 'suspicion') ? parseRecord(bytes) : undefined;
    if (record?.key === id) latest = Math.max(latest ?? 0, record.version);
  }
  return latest;
}
