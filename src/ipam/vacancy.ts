/**
 * Where a member can claim a lease: what nobody has; and only where there is nothing of it left,
 * what members had that failed long ago. It looks first where the hash of its own id says, so that
 * a member that comes again finds its place again and two seldom look at the same; then from there
 * on through the whole half, leaping over what is taken: its cost is that of the leases at worst.
 */

import { bitsOf, type Prefix } from '../base/address.js';
import type { NodeId } from '../base/identifiers.js';
import { RECLAIMED_LIMIT } from './lease_body.js';
import type { Lease, LeaseTable } from './lease_table.js';
import { type Pool, prefixAt, type Slot, sizeOf } from './pool.js';

/** Before it looks at one after the other. */
const HASHED = 16;

export interface Wish {
  readonly node: NodeId;
  readonly slot: Slot;
  /** Of the prefix: 32 for an address. */
  readonly length: number;
  /** Whether the lease's holder failed so long ago that it has lapsed. */
  readonly isLapsed: (lease: Lease) => boolean;
}

export interface Vacancy {
  readonly prefix: Prefix;
  /** Leases that a claim of it takes the place of. */
  readonly reclaimed: readonly Lease[];
}

/** Undefined when there is none. */
export function findVacancy(pool: Pool, table: LeaseTable, wish: Wish): Vacancy | undefined {
  if (wish.length !== bitsOf(4) && !pool.hasSubnets(wish.length)) return undefined;
  return search(pool, table, wish, false) ?? search(pool, table, wish, true);
}

function search(
  pool: Pool,
  table: LeaseTable,
  wish: Wish,
  takesLapsed: boolean,
): Vacancy | undefined {
  const { node, slot, length } = wish;
  for (let attempt = 0; attempt < HASHED; attempt++) {
    const start = pool.candidate(node, slot, length, attempt);
    const found = look({ pool, table, wish, takesLapsed, start });
    if (typeof found !== 'number') return found;
  }
  const { start: first, end } = pool.half(slot);
  const from = pool.candidate(node, slot, length, HASHED);
  for (const part of [
    { start: from, end },
    { start: first, end: from },
  ]) {
    for (let start = part.start; start < part.end; ) {
      const found = look({ pool, table, wish, takesLapsed, start });
      if (typeof found !== 'number') return found;
      start = found;
    }
  }
  return undefined;
}

interface Look {
  readonly pool: Pool;
  readonly table: LeaseTable;
  readonly wish: Wish;
  readonly takesLapsed: boolean;
  /** Where the block would begin. */
  readonly start: number;
}

/** The vacancy at `start`, or where the next block begins that may be one. */
function look({ pool, table, wish, takesLapsed, start }: Look): Vacancy | number {
  const { node, slot, length, isLapsed } = wish;
  const size = sizeOf(length);
  const end = start + size;
  if (slot === 'address' && !pool.isUsable(start)) return end;
  const others = table.overlapping({ start, end }).filter(({ author }) => author !== node);
  let taken = start;
  for (const other of others) {
    const isFree = other.isVoid || (takesLapsed && isLapsed(other));
    if (!isFree) taken = Math.max(taken, other.end);
  }
  if (taken > start) return Math.max(end, Math.ceil(taken / size) * size);
  if (others.length > RECLAIMED_LIMIT) return end;
  return { prefix: prefixAt(start, length), reclaimed: others };
}
