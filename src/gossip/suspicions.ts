/**
 * Which members are under suspicion, since when, by whom, and when each suspicion ends. A little
 * before it ends we ask the subject ourselves, QUESTIONS times, as any of them may be lost:
 *
 *   begun -> asked -> over: it failed, unless anything of it was heard since the suspicion began
 *
 * Deadline: the next question or end. Limit: one suspicion a member, a few accusers each.
 */

import type { NodeId } from '../base/identifiers.js';
import { after, type Duration, type Instant, instant, latest, NEVER } from '../base/time.js';
import { WakeQueue } from '../base/wake_queue.js';
import { type SuspicionTimes, suspicionTime } from './suspicion.js';

const QUESTIONS = 3;

interface Suspicion {
  startedAt: Instant;
  readonly times: SuspicionTimes;
  /** Distinct, the first first; at most one more than the confirmations that count. */
  readonly accusers: NodeId[];
  endsAt: Instant;
  /** The first question, and how many there were. */
  askedAt: Instant | undefined;
  questions: number;
  /** What the first accuser signed, to tell the subject whenever we talk to it. */
  record: Uint8Array | undefined;
}

export type SuspicionStep = 'ask' | 'end';

export class Suspicions {
  readonly #lead: Duration;
  readonly #bySlot = new Map<number, Suspicion>();
  readonly #wakes = new WakeQueue();

  /** `lead`: how long before the end the subject is asked first. */
  constructor(lead: Duration) {
    this.#lead = lead;
  }

  get size(): number {
    return this.#bySlot.size;
  }

  has(slot: number): boolean {
    return this.#bySlot.has(slot);
  }

  accusersOf(slot: number): readonly NodeId[] {
    return this.#bySlot.get(slot)?.accusers ?? [];
  }

  recordOf(slot: number): Uint8Array | undefined {
    return this.#bySlot.get(slot)?.record;
  }

  keepRecord(slot: number, record: Uint8Array): void {
    const held = this.#bySlot.get(slot);
    if (held && held.record === undefined) held.record = record;
  }

  startedAt(slot: number): Instant | undefined {
    return this.#bySlot.get(slot)?.startedAt;
  }

  begin(slot: number, accuser: NodeId, times: SuspicionTimes, now: Instant): void {
    const endsAt = after(now, suspicionTime(times, 0));
    const accusers = [accuser];
    const unasked = { askedAt: undefined, questions: 0, record: undefined };
    const fresh = { startedAt: now, times, accusers, endsAt, ...unasked };
    this.#bySlot.set(slot, fresh);
    this.#arm(slot, fresh);
  }

  /** One more that accuses; false when it brings nothing new. */
  confirm(slot: number, accuser: NodeId, now: Instant): boolean {
    const held = this.#bySlot.get(slot);
    if (!held || held.accusers.includes(accuser)) return false;
    if (held.accusers.length > held.times.confirmations) return false;
    held.accusers.push(accuser);
    const total = suspicionTime(held.times, held.accusers.length - 1);
    // Never at once: the subject has still to be asked, and to answer.
    held.endsAt = latest(after(held.startedAt, total), after(held.askedAt ?? now, this.#lead));
    this.#arm(slot, held);
    return true;
  }

  remove(slot: number): void {
    this.#bySlot.delete(slot);
    this.#wakes.set(slot, NEVER);
  }

  /** We were not there for so long: nobody had the time to answer us. */
  postpone(pause: Duration): void {
    for (const [slot, held] of this.#bySlot) {
      held.startedAt = after(held.startedAt, pause);
      held.endsAt = after(held.endsAt, pause);
      if (held.askedAt !== undefined) held.askedAt = after(held.askedAt, pause);
      this.#arm(slot, held);
    }
  }

  /** The next step that is due; the caller carries it out, and removes what ended. */
  takeDue(now: Instant): { readonly slot: number; readonly step: SuspicionStep } | undefined {
    const slot = this.#wakes.takeDue(now);
    const held = slot === undefined ? undefined : this.#bySlot.get(slot);
    if (slot === undefined || !held) return undefined;
    if (held.questions === QUESTIONS) return { slot, step: 'end' };
    held.questions++;
    held.askedAt ??= now;
    held.endsAt = latest(held.endsAt, after(held.askedAt, this.#lead));
    this.#arm(slot, held);
    return { slot, step: 'ask' };
  }

  deadline(): Instant {
    return this.#wakes.earliest();
  }

  #arm(slot: number, { askedAt, questions, endsAt }: Suspicion): void {
    if (askedAt === undefined) return this.#wakes.set(slot, instant(endsAt - this.#lead));
    const nextAt = instant(askedAt + Math.floor((questions * this.#lead) / QUESTIONS));
    this.#wakes.set(slot, questions < QUESTIONS ? nextAt : endsAt);
  }
}
