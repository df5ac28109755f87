/**
 * Why a control message came to nothing: a closed list, one count each, nothing else done about it.
 * They are authenticated, so these are a peer's faults or its age, never a stranger's doing.
 */

export const CONTROL_DROPS = [
  'control_malformed', // no whole control message, or its body is not what its kind says
  'control_unknown', // of a kind that this version does not know
  'control_unsent', // waited for a session, and none came, or too many waited
  'control_stale', // about a session that is gone, or whose hellos are over
] as const;

export type ControlDrop = (typeof CONTROL_DROPS)[number];

/** One count a reason. */
export class ControlDropCounters {
  readonly #counts = new Map<ControlDrop, number>(CONTROL_DROPS.map((reason) => [reason, 0]));

  add(reason: ControlDrop): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
  }

  /** Every reason, those that never happened too. */
  read(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }
}
