/**
 * The body of a lease record: that its author has a prefix for its own. Little endian:
 *
 *   0         6 or 18      +8      +1
 *   +---------+------------+-------+----------------------------+
 *   | prefix  | claimed at | count | count x (holder, claimed)  |
 *   +---------+------------+-------+----------------------------+
 *
 * The prefix as in prefix_field.ts. `claimed at` is in microseconds since 1970, below 2^53.
 * What follows names leases that ended without their holders saying so, 16 bytes each (the holder's
 * id, and when it claimed): this lease goes before those, though it is younger. At most
 * RECLAIMED_LIMIT.
 *
 * A single byte of 0 instead: the author gives back what it had.
 *
 * Source: heddle's protocol, version 1.
 */

import type { Prefix } from '../base/address.js';
import { assert } from '../base/assert.js';
import { Reader, Writer } from '../base/cursor.js';
import type { NodeId } from '../base/identifiers.js';
import { type WallTime, wallTime } from '../base/time.js';
import { readPrefix, writePrefix } from './prefix_field.js';

export const RECLAIMED_LIMIT = 8;

const RELEASED = 0;

/** A lease that ended, so that somebody else could claim what it was for. */
export interface Reclaimed {
  readonly holder: NodeId;
  /** As its record has it. */
  readonly claimedAt: WallTime;
}

export type LeaseStatement =
  | {
      readonly kind: 'held';
      readonly prefix: Prefix;
      readonly claimedAt: WallTime;
      readonly reclaimed: readonly Reclaimed[];
    }
  | { readonly kind: 'released' };

/** Undefined when it is malformed. */
export function parseLease(body: Uint8Array): LeaseStatement | undefined {
  if (body.length === 1 && body[0] === RELEASED) return { kind: 'released' };
  const reader = new Reader(body);
  const prefix = readPrefix(reader);
  const claimedAt = wallTime(reader.u64());
  const count = reader.u8();
  if (!prefix || !reader.isSound || count > RECLAIMED_LIMIT) return undefined;
  const reclaimed: Reclaimed[] = [];
  for (let i = 0; i < count; i++) {
    reclaimed.push({ holder: reader.nodeId(), claimedAt: wallTime(reader.u64()) });
  }
  return reader.isWhole ? { kind: 'held', prefix, claimedAt, reclaimed } : undefined;
}

export function emitLease(statement: LeaseStatement): Uint8Array {
  if (statement.kind === 'released') return Uint8Array.of(RELEASED);
  const { prefix, claimedAt, reclaimed } = statement;
  assert(reclaimed.length <= RECLAIMED_LIMIT, 'a lease names few that it takes the place of');
  const writer = new Writer();
  writePrefix(writer, prefix);
  writer.u64(claimedAt).u8(reclaimed.length);
  for (const each of reclaimed) writer.nodeId(each.holder).u64(each.claimedAt);
  return writer.finish();
}

export function formatLease(statement: LeaseStatement): string {
  if (statement.kind === 'released') return 'lease released';
  const { prefix, claimedAt, reclaimed } = statement;
  const from = reclaimed.map(({ holder }) => holder).join(',');
  return `lease ${prefix.text} claimed ${claimedAt}${from === '' ? '' : ` reclaimed from ${from}`}`;
}
