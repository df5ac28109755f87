/**
 * The body of a network record, signed by the root key: what all members have in common. Created
 * (64 bits, microseconds since 1970), name, prefix of the IPv4 pool.
 */

import type { Prefix } from '../base/address.js';
import { Reader, Writer } from '../base/cursor.js';
import { type WallTime, wallTime } from '../base/time.js';
import { readName, readPrefix, writePrefix } from './fields.js';

export interface NetworkStatement {
  readonly createdAt: WallTime;
  readonly name: string;
  /** Where members' IPv4 addresses and subnets are leased from. */
  readonly pool: Prefix;
}

/** Undefined when it is malformed. */
export function parseNetwork(body: Uint8Array): NetworkStatement | undefined {
  const reader = new Reader(body);
  const createdAt = wallTime(reader.u64());
  const name = readName(reader);
  const pool = readPrefix(reader);
  if (!pool || !reader.isWhole) return undefined;
  return pool.address.family === 4 && pool.length <= 24 ? { createdAt, name, pool } : undefined;
}

export function emitNetwork({ createdAt, name, pool }: NetworkStatement): Uint8Array {
  const writer = new Writer().u64(createdAt).text(name);
  writePrefix(writer, pool);
  return writer.finish();
}
