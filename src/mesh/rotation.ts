/**
 * The change of WireGuard's static key, so that no packet is lost: every member hears of the key to
 * come before it is used, takes handshakes by either, and keeps its sessions.
 *
 *   none -> announced   the key to come is on disk and in our node record
 *        -> used        it is the first one; the one before still answers
 *        -> none        the one before is gone
 *
 * Deadlines: SPREAD after the announcement, by when it has reached everybody who can be reached;
 * OVERLAP after the use began, by when those who were away for a short time have heard it.
 */

import {
  after,
  type Duration,
  elapsed,
  type Instant,
  NEVER,
  seconds,
  toSeconds,
} from '../base/time.js';

/** Twice what a rumour takes to all of a thousand with a quarter of the datagrams lost. */
const SPREAD = seconds(6);
const OVERLAP = seconds(180);

export type RotationStep = 'use' | 'finish';

export class Rotation {
  #step: RotationStep | undefined;
  #dueAt: Instant = NEVER;

  get isUnderWay(): boolean {
    return this.#step !== undefined;
  }

  /** The key to come is announced. */
  announced(now: Instant): void {
    this.#step = 'use';
    this.#dueAt = after(now, SPREAD);
  }

  /** What is due; the caller does it. */
  take(now: Instant): RotationStep | undefined {
    if (now < this.#dueAt) return undefined;
    const due = this.#step;
    this.#step = due === 'use' ? 'finish' : undefined;
    this.#dueAt = due === 'use' ? after(now, OVERLAP) : NEVER;
    return due;
  }

  deadline(): Instant {
    return this.#dueAt;
  }

  progress(now: Instant): string | undefined {
    if (this.#step === undefined) return undefined;
    const left = Math.max(0, Math.ceil(toSeconds(elapsed(now, this.#dueAt) as Duration)));
    if (this.#step === 'use') return `key: the new key is announced, and used in ${left} s`;
    return `key: the new key is in use, the old one answers for another ${left} s`;
  }
}
