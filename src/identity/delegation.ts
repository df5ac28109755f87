/**
 * The body of a delegation, signed by the root key: an admin key, which may certify, invite and
 * revoke. The record's key is the admin key's id. Admin key (32 bytes), holder (8 bytes), not after
 * (64 bits), epoch (64 bits).
 */

import { Reader, Writer } from '../base/cursor.js';
import type { NodeId } from '../base/identifiers.js';
import { type WallTime, wallTime } from '../base/time.js';

export interface Delegation {
  /** Ed25519 public key, 32 bytes. */
  readonly adminKey: Uint8Array;
  /** The member that has it. */
  readonly holder: NodeId;
  readonly notAfter: WallTime;
  readonly epoch: number;
}

/** Undefined when it is malformed. */
export function parseDelegation(body: Uint8Array): Delegation | undefined {
  const reader = new Reader(body);
  const adminKey = reader.bytes(32).slice();
  const holder = reader.nodeId();
  const notAfter = wallTime(reader.u64());
  const epoch = reader.u64();
  return reader.isWhole ? { adminKey, holder, notAfter, epoch } : undefined;
}

export function emitDelegation({ adminKey, holder, notAfter, epoch }: Delegation): Uint8Array {
  return new Writer().bytes(adminKey).nodeId(holder).u64(notAfter).u64(epoch).finish();
}
