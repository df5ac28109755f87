/**
 * The body of an invitation, signed by the admin key that redeems it: the public halves of the keys
 * that joiners make their first session by, and what becomes of a joiner. The record's key is the
 * invitation's id. Expires (64 bits), flags (bit 0: admin, bit 1: revoked, bit 2: a name follows),
 * name, groups, prefixes, keys (a count, 32 bytes each).
 */

import { Reader, Writer } from '../base/cursor.js';
import { type WallTime, wallTime } from '../base/time.js';
import { RECORD_BODY_LIMIT } from '../wire/record.js';
import { faultOfGrant, type Grant, readGrant, readList, readName, writeGrant } from './fields.js';

export interface Invitation extends Grant {
  /** X25519, one a use: 1 to 16. */
  readonly publicKeys: readonly Uint8Array[];
  readonly expires: WallTime;
  /** Undefined: as the joiner calls itself. */
  readonly name: string | undefined;
  readonly isAdmin: boolean;
  readonly isRevoked: boolean;
}

const ADMIN = 1;
const REVOKED = 2;
const NAMED = 4;

/** Undefined when it is malformed. */
export function parseInvitation(body: Uint8Array): Invitation | undefined {
  const reader = new Reader(body);
  const expires = wallTime(reader.u64());
  const flags = reader.u8();
  const name = (flags & NAMED) === 0 ? undefined : readName(reader);
  const { groups, prefixes } = readGrant(reader);
  const publicKeys = readList(reader, (each) => each.bytes(32).slice());
  if (!reader.isWhole || flags > (ADMIN | REVOKED | NAMED) || publicKeys.length === 0) {
    return undefined;
  }
  const [isAdmin, isRevoked] = [(flags & ADMIN) !== 0, (flags & REVOKED) !== 0];
  return { publicKeys, expires, name, groups, prefixes, isAdmin, isRevoked };
}

export function emitInvitation(invitation: Invitation): Uint8Array {
  const { publicKeys, expires, name, isAdmin, isRevoked } = invitation;
  const named = name === undefined ? 0 : NAMED;
  const flags = (isAdmin ? ADMIN : 0) | (isRevoked ? REVOKED : 0) | named;
  const writer = new Writer().u64(expires).u8(flags);
  if (name !== undefined) writer.text(name);
  writeGrant(writer, invitation);
  writer.u8(publicKeys.length);
  for (const key of publicKeys) writer.bytes(key);
  return writer.finish();
}

/** Why it cannot be made, as a sentence without its full stop; undefined: it can. */
export function faultOfInvitation(invitation: Invitation): string | undefined {
  const fault = faultOfGrant(invitation);
  if (fault) return fault;
  return emitInvitation(invitation).length > RECORD_BODY_LIMIT
    ? 'So many uses, groups and prefixes do not fit into one invitation; make several'
    : undefined;
}
