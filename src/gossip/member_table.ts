/**
 * Who is in the mesh and what we take them for: columns of typed arrays by slot, a small integer
 * that is given again after its member is forgotten. Some 100 bytes a member. At the limit nobody
 * more is taken in.
 *
 *   alive <-> suspect -> failed -> alive        left: by its own word; comes back by it too
 *
 * What moves a member from one to another is decided in gossip.ts.
 */

import { assert, present } from '../base/assert.js';
import type { NodeId } from '../base/identifiers.js';
import type { Random } from '../base/random.js';
import { type Duration, type Instant, instant, micros, toMillis } from '../base/time.js';
import type { MemberStatus } from './action.js';
import { SlotSet } from './slot_set.js';

const STATUSES: readonly MemberStatus[] = ['alive', 'suspect', 'failed', 'left'];
const SUSPECT = 1;
const FIRST_CAPACITY = 16;
const LONGEST_TRIP_MS = 65_535;
/** Of a new measurement, this part goes into the mean. */
const TRIP_SHARE = 0.25;

export class MemberTable {
  readonly #limit: number;
  readonly #slots = new Map<NodeId, number>();
  readonly #ids: (NodeId | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #counts = new Uint32Array(STATUSES.length);
  /** Those alive or suspect, and those of them with whom there is a session. */
  readonly #living = new SlotSet();
  readonly #warm = new SlotSet();
  #status = new Uint8Array(FIRST_CAPACITY);
  #isWarm = new Uint8Array(FIRST_CAPACITY);
  /** Milliseconds; 0: not known. */
  #trip = new Uint16Array(FIRST_CAPACITY);
  #typicalTrip = 0;
  #incarnation = new Float64Array(FIRST_CAPACITY);
  #heardAt = new Float64Array(FIRST_CAPACITY);

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#slots.size;
  }

  /** How many are alive or suspect. */
  get living(): number {
    return this.#living.size;
  }

  count(status: MemberStatus): number {
    return this.#counts[STATUSES.indexOf(status)] ?? 0;
  }

  slotOf(id: NodeId): number | undefined {
    return this.#slots.get(id);
  }

  idOf(slot: number): NodeId {
    return present(this.#ids[slot], 'the slot has a member');
  }

  /** In the order in which they came. */
  slots(): Iterable<readonly [NodeId, number]> {
    return this.#slots;
  }

  /** A new member, alive; undefined when the table is full. */
  insert(id: NodeId, incarnation: number): number | undefined {
    if (this.#slots.size >= this.#limit) return undefined;
    assert(!this.#slots.has(id), 'a member has one slot');
    const slot = this.#free.pop() ?? this.#ids.length;
    if (slot >= this.#status.length) this.#grow();
    this.#slots.set(id, slot);
    this.#ids[slot] = id;
    this.#isWarm[slot] = 0;
    this.#trip[slot] = 0;
    this.#incarnation[slot] = incarnation;
    this.#heardAt[slot] = 0;
    this.#status[slot] = 0;
    this.#tally(slot, 1);
    this.#sort(slot);
    return slot;
  }

  remove(slot: number): void {
    this.#slots.delete(this.idOf(slot));
    this.#ids[slot] = undefined;
    this.#tally(slot, -1);
    this.#living.remove(slot);
    this.#warm.remove(slot);
    this.#free.push(slot);
  }

  statusOf(slot: number): MemberStatus {
    return STATUSES[this.#status[slot] ?? 0] ?? 'alive';
  }

  setStatus(slot: number, status: MemberStatus): void {
    this.#tally(slot, -1);
    this.#status[slot] = STATUSES.indexOf(status);
    this.#tally(slot, 1);
    this.#sort(slot);
  }

  incarnationOf(slot: number): number {
    return this.#incarnation[slot] ?? 0;
  }

  setIncarnation(slot: number, incarnation: number): void {
    this.#incarnation[slot] = incarnation;
  }

  isWarm(slot: number): boolean {
    return this.#isWarm[slot] === 1;
  }

  setWarm(slot: number, isWarm: boolean): void {
    this.#isWarm[slot] = isWarm ? 1 : 0;
    this.#sort(slot);
  }

  /** When anything authentic of it came last. */
  heardAt(slot: number): Instant {
    return instant(this.#heardAt[slot] ?? 0);
  }

  setHeard(slot: number, at: Instant): void {
    this.#heardAt[slot] = at;
  }

  /**
   * How long an answer of it takes, or of others where none of it was measured; undefined where
   * none was at all.
   */
  tripOf(slot: number): Duration | undefined {
    const mean = this.#trip[slot] || this.#typicalTrip;
    return mean === 0 ? undefined : micros(mean * 1_000);
  }

  addTrip(slot: number, trip: Duration): void {
    this.#trip[slot] = meanTrip(this.#trip[slot] ?? 0, trip);
    this.#typicalTrip = meanTrip(this.#typicalTrip, trip);
  }

  /**
   * Up to `wanted` members that are alive or suspect, at random; those with whom there is a session
   * first, since a message to any other costs a handshake.
   */
  choose(wanted: number, random: Random, isFit: (slot: number) => boolean): number[] {
    const found: number[] = [];
    this.#warm.draw(found, wanted, random, isFit);
    if (found.length < wanted) {
      this.#living.draw(found, wanted, random, (slot) => !this.isWarm(slot) && isFit(slot));
    }
    return found;
  }

  #tally(slot: number, change: number): void {
    const code = this.#status[slot] ?? 0;
    this.#counts[code] = (this.#counts[code] ?? 0) + change;
  }

  /** Puts the slot into the sets that it belongs to. */
  #sort(slot: number): void {
    const isLiving = (this.#status[slot] ?? 0) <= SUSPECT;
    if (isLiving) this.#living.add(slot);
    else this.#living.remove(slot);
    if (isLiving && this.isWarm(slot)) this.#warm.add(slot);
    else this.#warm.remove(slot);
  }

  #grow(): void {
    const capacity = this.#status.length * 2;
    const grown = <T extends { set(from: T): void }>(to: T, from: T): T => {
      to.set(from);
      return to;
    };
    this.#status = grown(new Uint8Array(capacity), this.#status);
    this.#isWarm = grown(new Uint8Array(capacity), this.#isWarm);
    this.#trip = grown(new Uint16Array(capacity), this.#trip);
    this.#incarnation = grown(new Float64Array(capacity), this.#incarnation);
    this.#heardAt = grown(new Float64Array(capacity), this.#heardAt);
  }
}

/** Milliseconds; `before` is 0 where there was none. */
function meanTrip(before: number, trip: Duration): number {
  const measured = Math.max(1, toMillis(trip));
  const mean = before === 0 ? measured : before + (measured - before) * TRIP_SHARE;
  return Math.min(LONGEST_TRIP_MS, Math.ceil(mean));
}
