/**
 * The body of a change of root keys, signed by the old one: the new root key (32 bytes), epoch (64
 * bits). What the old root signed stays in force until it expires or is signed again.
 */

import { Reader, Writer } from '../base/cursor.js';

export interface RootChange {
  /** Ed25519 public key, 32 bytes. */
  readonly rootKey: Uint8Array;
  readonly epoch: number;
}

/** Undefined when it is malformed. */
export function parseRootChange(body: Uint8Array): RootChange | undefined {
  const reader = new Reader(body);
  const rootKey = reader.bytes(32).slice();
  const epoch = reader.u64();
  return reader.isWhole ? { rootKey, epoch } : undefined;
}

export function emitRootChange({ rootKey, epoch }: RootChange): Uint8Array {
  return new Writer().bytes(rootKey).u64(epoch).finish();
}
