/**
 * The body of a revocation, signed by an admin key or the root key: an identity and every key that
 * it certified, so that no other name or encoding brings it back. The record's key is the id of
 * what is revoked: a member, or an admin key. Identity key (32 bytes), keep until (64 bits), fate
 * of what it signed as an admin (1 keep, 2 void), static keys (a count, 32 bytes each).
 */

import { Reader, Writer } from '../base/cursor.js';
import type { NodeId } from '../base/identifiers.js';
import { type WallTime, wallTime } from '../base/time.js';
import { readList } from './fields.js';
import { nodeIdOf } from './node_id.js';

export interface Revocation {
  /** The id of the identity key. */
  readonly subject: NodeId;
  /** Ed25519 public key, 32 bytes. */
  readonly identityKey: Uint8Array;
  /** X25519 public keys. */
  readonly staticKeys: readonly Uint8Array[];
  /** When all that it could have shown has expired. */
  readonly keepUntil: WallTime;
  /** What becomes of what a revoked admin signed. */
  readonly fate: 'keep' | 'void';
}

const FATES = ['keep', 'void'] as const;

/** Undefined when it is malformed. */
export function parseRevocation(body: Uint8Array): Revocation | undefined {
  const reader = new Reader(body);
  const identityKey = reader.bytes(32).slice();
  const keepUntil = wallTime(reader.u64());
  const fate = FATES[reader.u8() - 1];
  const staticKeys = readList(reader, (each) => each.bytes(32).slice());
  if (!fate || !reader.isWhole) return undefined;
  return { subject: nodeIdOf(identityKey), identityKey, staticKeys, keepUntil, fate };
}

/** The subject follows from the identity key. */
export function emitRevocation(
  revocation: Omit<Revocation, 'subject'> & Partial<Pick<Revocation, 'subject'>>,
): Uint8Array {
  const { identityKey, staticKeys, keepUntil, fate } = revocation;
  const writer = new Writer()
    .bytes(identityKey)
    .u64(keepUntil)
    .u8(FATES.indexOf(fate) + 1);
  writer.u8(staticKeys.length);
  for (const key of staticKeys) writer.bytes(key);
  return writer.finish();
}
