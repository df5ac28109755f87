/**
 * What this node takes each member for, and why that changes:
 *
 *   alive ----> suspect   we accuse it (a probe of ours failed), or another does
 *   suspect --> alive     it refutes: a node record with a higher incarnation; or it acks a ping of
 *                         ours directly; or its time is over and we heard anything of it meanwhile
 *   suspect --> failed    its time is over
 *   failed ---> alive     it sends anything authentic, or a node record with a higher incarnation
 *   any <-----> left      its own node record says so
 *
 * That somebody failed is never spread: each node has its own proof, which is why a direct ack
 * clears a suspicion here and nowhere else. An accusation at an incarnation that its subject never
 * published counts as one at that which is known, so that no number binds the subject but its own.
 *
 * Deadlines: of the suspicions, and of the failed members that are tried again.
 */

import type { NodeId } from '../base/identifiers.js';
import { type Duration, earliest, type Instant, latest } from '../base/time.js';
import { placeOf } from '../wire/record.js';
import type { MemberStatus } from './action.js';
import { Allowance } from './allowance.js';
import type { GossipInput } from './input.js';
import type { GossipParts } from './parts.js';
import { Retries } from './retries.js';
import type { Spreader } from './spreader.js';
import { suspicionTimes } from './suspicion.js';
import { Suspicions } from './suspicions.js';

type NodeNews = Extract<GossipInput, { readonly kind: 'member' }>;

export class Standing {
  readonly #parts: GossipParts;
  readonly #spreader: Spreader;
  readonly #suspicions: Suspicions;
  readonly #retries: Retries;
  /** Pings to failed and suspected members, outside of the round. */
  readonly #strayPings: Allowance;

  constructor(parts: GossipParts, spreader: Spreader) {
    const { lastQuestionLead, retryFirst, retryLimit, healWindow } = parts.config;
    const perSecond = parts.config.retriesPerSecond;
    this.#parts = parts;
    this.#spreader = spreader;
    this.#suspicions = new Suspicions(lastQuestionLead);
    this.#retries = new Retries(parts.random, { first: retryFirst, limit: retryLimit, healWindow });
    this.#strayPings = new Allowance({ perSecond, burst: perSecond });
  }

  /** The slot of a new member; undefined when it was known, or there is no room. */
  hearNews({ id, incarnation, status, isFresh }: NodeNews, now: Instant): number | undefined {
    const { table, counters } = this.#parts;
    const slot = table.slotOf(id);
    if (slot === undefined) {
      const added = table.insert(id, incarnation);
      if (added === undefined) counters.add('drop_table_full');
      else this.#change(added, status, now);
      return added;
    }
    if (incarnation <= table.incarnationOf(slot)) return undefined;
    table.setIncarnation(slot, incarnation);
    const before = table.statusOf(slot);
    // What our own disk knew is no sign of life.
    if (before !== 'alive' && status === 'alive' && !isFresh) return undefined;
    this.#clear(slot);
    if (status !== before) this.#change(slot, status, now);
    return undefined;
  }

  /** Somebody, perhaps ourselves, accuses it. */
  suspect(slot: number, accuser: NodeId, now: Instant): void {
    const { table, config } = this.#parts;
    const status = table.statusOf(slot);
    if (status === 'suspect') {
      this.#suspicions.confirm(slot, accuser, now);
      return;
    }
    if (status !== 'alive') return;
    const times = suspicionTimes(table.living + 1, config);
    this.#suspicions.begin(slot, accuser, times, now);
    this.#change(slot, 'suspect', now);
  }

  /** Whether it is under suspicion by this accuser, among those that count. */
  isAccused(slot: number, accuser: NodeId): boolean {
    return this.#suspicions.accusersOf(slot).includes(accuser);
  }

  /** What an accuser signed of it; undefined where nobody did. */
  accusationOf(slot: number): Uint8Array | undefined {
    return this.#suspicions.recordOf(slot);
  }

  keepAccusation(slot: number, record: Uint8Array): void {
    this.#suspicions.keepRecord(slot, record);
  }

  /** It answered us directly. */
  answered(slot: number, now: Instant): void {
    if (this.#parts.table.statusOf(slot) === 'suspect') this.#acquit(slot, now);
  }

  /** Anything authentic came from it. True when it had failed. */
  heard(slot: number, now: Instant): boolean {
    const { table, counters } = this.#parts;
    table.setHeard(slot, now);
    if (table.statusOf(slot) !== 'failed') return false;
    counters.add('returns');
    this.#change(slot, 'alive', now);
    this.#retries.hurry(now);
    return true;
  }

  forget(slot: number): void {
    this.#clear(slot);
    this.#retries.remove(slot);
    this.#parts.table.remove(slot);
  }

  /** We were away for so long: nobody had the time to answer us. */
  postpone(pause: Duration): void {
    this.#suspicions.postpone(pause);
  }

  /** Carries out what is due; members to ping go to `ping`. */
  advance(now: Instant, ping: (slot: number) => void): void {
    const { counters } = this.#parts;
    for (let due = this.#suspicions.takeDue(now); due; due = this.#suspicions.takeDue(now)) {
      if (due.step === 'end') this.#end(due.slot, now);
      else if (this.#strayPings.take(1, now)) {
        counters.add('last_questions');
        ping(due.slot);
      }
    }
    while (this.#retries.deadline() <= now && this.#strayPings.take(1, now)) {
      const slot = this.#retries.takeDue(now);
      if (slot === undefined) continue;
      counters.add('retries');
      ping(slot);
    }
  }

  deadline(): Instant {
    const retry = latest(this.#retries.deadline(), this.#strayPings.readyAt(1));
    return earliest(this.#suspicions.deadline(), retry);
  }

  /** The only place where a standing changes. */
  #change(slot: number, status: MemberStatus, now: Instant): void {
    const { table, actions } = this.#parts;
    table.setStatus(slot, status);
    if (status === 'failed') this.#retries.add(slot, now);
    else this.#retries.remove(slot);
    actions.push({ kind: 'changed', id: table.idOf(slot), status });
  }

  #end(slot: number, now: Instant): void {
    const { table, counters } = this.#parts;
    const startedAt = this.#suspicions.startedAt(slot);
    if (startedAt !== undefined && table.heardAt(slot) > startedAt) {
      counters.add('acquittals');
      return this.#acquit(slot, now);
    }
    counters.add('failures');
    this.#clear(slot);
    this.#change(slot, 'failed', now);
  }

  #acquit(slot: number, now: Instant): void {
    this.#clear(slot);
    this.#change(slot, 'alive', now);
  }

  /** Suspicions of it are void, and spread no more. */
  #clear(slot: number): void {
    const id = this.#parts.table.idOf(slot);
    for (const accuser of this.#suspicions.accusersOf(slot)) {
      this.#spreader.withdraw(placeOf('suspicion', accuser, id));
    }
    this.#suspicions.remove(slot);
  }
}
