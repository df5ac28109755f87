/**
 * Why something that came from the mesh came to nothing: a closed list, one count each. What is
 * among them was said by a peer that authenticated, and is never logged.
 */

import { JOIN_REFUSALS } from '../wire/join.js';
import { RECORD_REFUSALS } from '../identity/record_refusal.js';
import { STORE_REFUSALS } from '../state/store.js';

export const MESH_DROPS = [
  'not_a_member', // the key belongs to nobody who may say this
  'malformed_message',
  'malformed_record',
  'malformed_body', // of a record that is genuine
  'unfounded', // a suspicion of an incarnation that is not the subject's, as far as we know
  'busy', // more to verify than a second allows
  'parked_too_many', // waits for its author's certificate, and too many do
  ...RECORD_REFUSALS,
  ...STORE_REFUSALS,
  ...JOIN_REFUSALS,
] as const;

export type MeshDrop = (typeof MESH_DROPS)[number];

/** One count a reason. */
export class MeshDropCounters {
  readonly #counts = new Map<MeshDrop, number>(MESH_DROPS.map((reason) => [reason, 0]));

  add(reason: MeshDrop): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
  }

  /** Every reason, those that never happened too. */
  read(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }
}
