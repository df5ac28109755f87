/**
 * All leases that are known, and which of them are in force. It is a function of the leases, of who
 * left or is revoked, and of the network's record alone, in whatever order those came: all nodes
 * that know the same agree.
 *
 * A lease is in force unless it is void (its author left, or is revoked), misplaced (the pool has
 * no such lease), or shares an address with another, not void, that goes before it: one that names
 * it as ended; else the one that was claimed earlier; else the one of the lower id. What was
 * claimed before there was a network was not: it comes last.
 *
 * Placed leases stand ordered by where they begin, so that those that share an address with a block
 * are found by a few binary searches. Limits: HOLDERS authors, with one lease of each slot;
 * prefixes of leases nest no deeper than the pool's lengths of subnets.
 */

import type { Prefix } from '../base/address.js';
import type { NodeId } from '../base/identifiers.js';
import type { WallTime } from '../base/time.js';
import type { Reclaimed } from './lease_body.js';
import {
  type Block,
  blockOf,
  LONGEST_SUBNET,
  type Pool,
  prefixAt,
  type Slot,
  sizeOf,
} from './pool.js';

/** Authors of leases, at most; leases of further ones are not taken. */
export const HOLDERS = 32_768;

export interface LeaseTerms {
  readonly author: NodeId;
  readonly slot: Slot;
  readonly prefix: Prefix;
  readonly claimedAt: WallTime;
  readonly reclaimed: readonly Reclaimed[];
}

export interface Lease extends LeaseTerms, Block {
  readonly isInForce: boolean;
  /** Its author left, or is revoked. */
  readonly isVoid: boolean;
}

/** Without the prefix itself, of which there would be thousands: it is made when asked for. */
class Entry implements Lease {
  readonly author: NodeId;
  readonly slot: Slot;
  readonly start: number;
  /** Of the prefix. */
  readonly length: number;
  readonly claimedAt: WallTime;
  readonly reclaimed: readonly Reclaimed[];
  isInForce = false;
  isVoid: boolean;
  /** It stands in the order. */
  isPlaced: boolean;

  constructor(terms: LeaseTerms, isVoid: boolean, isPlaced: boolean) {
    this.author = terms.author;
    this.slot = terms.slot;
    this.start = blockOf(terms.prefix).start;
    this.length = terms.prefix.length;
    this.claimedAt = terms.claimedAt;
    this.reclaimed = terms.reclaimed.length === 0 ? NOTHING : terms.reclaimed;
    this.isVoid = isVoid;
    this.isPlaced = isPlaced;
  }

  get end(): number {
    return this.start + sizeOf(this.length);
  }

  get prefix(): Prefix {
    return prefixAt(this.start, this.length);
  }
}

type Holder = Record<Slot, Entry | undefined>;

const NOTHING: readonly Reclaimed[] = [];

export class LeaseTable {
  readonly #holders = new Map<NodeId, Holder>();
  /** Left, or revoked: also of authors without a lease. */
  readonly #void = new Set<NodeId>();
  /** Those that are placed: by start, then the longer block, then author. */
  #order: Entry[] = [];
  #pool: Pool | undefined;
  #createdAt = 0;
  readonly #changed = new Set<NodeId>();

  get size(): number {
    return this.#order.length;
  }

  /** Costs a walk over all. */
  setPool(pool: Pool, createdAt: WallTime): void {
    this.#pool = pool;
    this.#createdAt = createdAt;
    this.#order = [];
    const entries = [...this.#entries()];
    for (const entry of entries) {
      entry.isPlaced = pool.slotOf(entry.prefix) === entry.slot;
      if (entry.isPlaced) this.#order.push(entry);
    }
    this.#order.sort(compare);
    for (const entry of entries) this.#refresh(entry);
  }

  /** Takes the place of the author's lease of this slot; false where there are too many authors. */
  put(terms: LeaseTerms): boolean {
    const { author, slot } = terms;
    if (!this.#holders.has(author) && this.#holders.size >= HOLDERS) return false;
    this.remove(author, slot);
    const holder = this.#holders.get(author) ?? { address: undefined, subnet: undefined };
    this.#holders.set(author, holder);
    const isPlaced = this.#pool?.slotOf(terms.prefix) === slot;
    const entry = new Entry(terms, this.#void.has(author), isPlaced);
    holder[slot] = entry;
    this.#changed.add(author);
    if (!entry.isPlaced) return true;
    this.#order.splice(this.#firstNotBefore(entry), 0, entry);
    this.#refreshAround(entry);
    return true;
  }

  remove(author: NodeId, slot: Slot): void {
    const holder = this.#holders.get(author);
    const entry = holder?.[slot];
    if (!holder || !entry) return;
    holder[slot] = undefined;
    if (!holder.address && !holder.subnet) this.#holders.delete(author);
    this.#changed.add(author);
    if (!entry.isPlaced) return;
    this.#order.splice(this.#firstNotBefore(entry), 1);
    entry.isPlaced = false;
    this.#refreshAround(entry);
  }

  /** Whether the author left or is revoked. */
  setVoid(author: NodeId, isVoid: boolean): void {
    if (this.#void.has(author) === isVoid) return;
    if (isVoid) this.#void.add(author);
    else this.#void.delete(author);
    for (const entry of this.#entriesOf(author)) {
      entry.isVoid = isVoid;
      this.#refreshAround(entry);
    }
  }

  get(author: NodeId, slot: Slot): Lease | undefined {
    return this.#holders.get(author)?.[slot];
  }

  all(): Iterable<Lease> {
    return this.#entries();
  }

  /** Placed leases, void ones too, that share an address with the block. */
  overlapping(block: Block): readonly Lease[] {
    return this.#overlapping(block);
  }

  /** The lease before which this one had to give way; undefined where it had to before none. */
  winnerOver(lease: Lease): Lease | undefined {
    let winner: Entry | undefined;
    for (const other of this.#overlapping(lease)) {
      if (other === lease || other.isVoid || !this.#goesBefore(other, lease)) continue;
      if (!winner || this.#goesBefore(other, winner)) winner = other;
    }
    return winner;
  }

  /** Whose leases changed since it was asked last. */
  takeChanged(): NodeId[] {
    const changed = [...this.#changed];
    this.#changed.clear();
    return changed;
  }

  *#entries(): Generator<Entry> {
    for (const { address, subnet } of this.#holders.values()) {
      if (address) yield address;
      if (subnet) yield subnet;
    }
  }

  #entriesOf(author: NodeId): Entry[] {
    const holder = this.#holders.get(author);
    return [holder?.address, holder?.subnet].filter((entry) => entry !== undefined);
  }

  #refreshAround(entry: Entry): void {
    this.#refresh(entry);
    for (const other of this.#overlapping(entry)) if (other !== entry) this.#refresh(other);
  }

  #refresh(entry: Entry): void {
    const isInForce = entry.isPlaced && !entry.isVoid && this.winnerOver(entry) === undefined;
    if (isInForce === entry.isInForce) return;
    entry.isInForce = isInForce;
    this.#changed.add(entry.author);
  }

  #goesBefore(a: Lease, b: Lease): boolean {
    const isNamed = names(b, a);
    if (names(a, b) !== isNamed) return !isNamed;
    const [first, second] = [this.#stampOf(a), this.#stampOf(b)];
    return first === second ? a.author < b.author : first < second;
  }

  #stampOf({ claimedAt }: Lease): number {
    return claimedAt < this.#createdAt ? Number.POSITIVE_INFINITY : claimedAt;
  }

  #overlapping(block: Block): Entry[] {
    const found: Entry[] = [];
    this.#collectAround(block, found);
    for (let i = this.#firstAt(block.start); i < this.#order.length; i++) {
      const entry = this.#order[i];
      if (!entry || entry.start >= block.end) break;
      found.push(entry);
    }
    return found;
  }

  /** Those that begin before the block and reach into it: larger ones, and so subnets. */
  #collectAround(block: Block, found: Entry[]): void {
    const pool = this.#pool;
    if (!pool || block.start < pool.half('subnet').start) return;
    for (let length = pool.shortestSubnet; length < LONGEST_SUBNET; length++) {
      const size = sizeOf(length);
      const start = block.start - (block.start % size);
      if (size <= block.end - block.start) break;
      if (start === block.start) continue;
      for (let i = this.#firstAt(start); i < this.#order.length; i++) {
        const entry = this.#order[i];
        if (!entry || entry.start !== start || entry.length > length) break;
        if (entry.length === length) found.push(entry);
      }
    }
  }

  /** The index of the first entry that begins at `start` or later. */
  #firstAt(start: number): number {
    return this.#search((entry) => entry.start < start);
  }

  #firstNotBefore(wanted: Entry): number {
    return this.#search((entry) => compare(entry, wanted) < 0);
  }

  #search(isBefore: (entry: Entry) => boolean): number {
    let [low, high] = [0, this.#order.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const entry = this.#order[middle];
      if (entry && isBefore(entry)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Whether `lease` says that `other` ended before it. */
function names({ reclaimed }: Lease, { author, claimedAt }: Lease): boolean {
  return reclaimed.some((each) => each.holder === author && each.claimedAt === claimedAt);
}

/** Of two entries none is equal: an author has one address and one subnet, of different lengths. */
function compare(a: Entry, b: Entry): number {
  if (a.start !== b.start) return a.start - b.start;
  if (a.end !== b.end) return b.end - a.end;
  return a.author < b.author ? -1 : a.author > b.author ? 1 : 0;
}
