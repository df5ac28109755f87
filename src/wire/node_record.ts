/**
 * The body of a node record: what a member says of itself. The record's version is its incarnation
 * (SWIM §4.2). Little endian:
 *
 *   0        1           9             17            49       50          82
 *   +--------+-----------+-------------+-------------+--------+-----------+-----------------+
 *   | status | instance  | started at  | static key  | flags  | other key | endpoints       |
 *   +--------+-----------+-------------+-------------+--------+-----------+-----------------+
 *
 * `status`: 1 alive, 2 left. `instance` is random for each start. `started at` is in microseconds
 * since 1970. Of the flags, bit 0 says that the other key is there: the static key to come, or the
 * one before; without it the endpoints begin at 50. An endpoint is a byte 4 or 6, the address, and
 * the port (16 bits); at most 6 of them stand until the end. Source: heddle's protocol, version 1.
 */

import { addressFromBytes, type Endpoint, endpointOf } from '../base/address.js';
import { assert } from '../base/assert.js';
import { fromHex, pack, shared, toHex, unpack } from '../base/bytes.js';
import { Reader, Writer } from '../base/cursor.js';
import { type WallTime, wallTime } from '../base/time.js';

export const NODE_ENDPOINTS = 6;

const STATUSES = ['alive', 'left'] as const;
const KEY_BYTES = 32;
const INSTANCE_BYTES = 8;
const HAS_OTHER_KEY = 1;

export interface NodeStatement {
  readonly status: 'alive' | 'left';
  /** 16 hexadecimal digits. */
  readonly instance: string;
  readonly startedAt: WallTime;
  /** X25519 public key, 32 bytes: handshakes go to it. May be a new array each time it is read. */
  readonly staticKey: Uint8Array;
  /** While the static key changes: the one to come, or the one before. */
  readonly nextStaticKey: Uint8Array | undefined;
  /** At most NODE_ENDPOINTS, the preferred first. */
  readonly endpoints: readonly Endpoint[];
}

/** Whether `body` is a whole statement. */
export function checkNodeRecord(body: Uint8Array): boolean {
  return parseNodeRecord(body) !== undefined;
}

/** As it is held of thousands of members. */
class HeldStatement implements NodeStatement {
  readonly status: NodeStatement['status'];
  readonly instance: string;
  readonly startedAt: WallTime;
  readonly packedKey: string;
  readonly packedNextKey: string | undefined;
  readonly endpoints: readonly Endpoint[];

  constructor({ status, instance, startedAt, staticKey, nextStaticKey, endpoints }: NodeStatement) {
    this.status = status;
    this.instance = instance;
    this.startedAt = startedAt;
    this.packedKey = shared(pack(staticKey));
    this.packedNextKey = nextStaticKey && shared(pack(nextStaticKey));
    // A copy of an array has room for what is in it, one that grew for more.
    this.endpoints = endpoints.slice();
  }

  get staticKey(): Uint8Array {
    return unpack(this.packedKey);
  }

  get nextStaticKey(): Uint8Array | undefined {
    return this.packedNextKey === undefined ? undefined : unpack(this.packedNextKey);
  }
}

/** Undefined when it is malformed. */
export function parseNodeRecord(body: Uint8Array): NodeStatement | undefined {
  const reader = new Reader(body);
  const status = STATUSES[reader.u8() - 1];
  const instance = toHex(reader.bytes(INSTANCE_BYTES));
  const startedAt = wallTime(reader.u64());
  const staticKey = reader.bytes(KEY_BYTES);
  const flags = reader.u8();
  if (!status || !reader.isSound || flags > HAS_OTHER_KEY) return undefined;
  const nextStaticKey = flags === HAS_OTHER_KEY ? reader.bytes(KEY_BYTES) : undefined;
  const endpoints: Endpoint[] = [];
  while (reader.isSound && reader.left > 0) {
    const endpoint = parseOneEndpoint(reader);
    if (!endpoint || endpoints.length === NODE_ENDPOINTS) return undefined;
    endpoints.push(endpoint);
  }
  if (!reader.isWhole) return undefined;
  const statement = { status, instance, startedAt, staticKey, nextStaticKey, endpoints };
  return new HeldStatement(statement);
}

export function emitNodeRecord(statement: NodeStatement): Uint8Array {
  const { status, instance, startedAt, staticKey, nextStaticKey, endpoints } = statement;
  const random = fromHex(instance);
  assert(random?.length === INSTANCE_BYTES, 'an instance is 16 hexadecimal digits');
  for (const key of [staticKey, nextStaticKey ?? staticKey]) {
    assert(key.length === KEY_BYTES, 'a key has 32 bytes');
  }
  assert(endpoints.length <= NODE_ENDPOINTS, 'a node names 6 endpoints at most');
  const writer = new Writer()
    .u8(STATUSES.indexOf(status) + 1)
    .bytes(random)
    .u64(startedAt);
  writer.bytes(staticKey).u8(nextStaticKey ? HAS_OTHER_KEY : 0);
  if (nextStaticKey) writer.bytes(nextStaticKey);
  for (const { address, port } of endpoints) {
    writer.u8(address.family).bytes(address.bytes).u16(port);
  }
  return writer.finish();
}

export function formatNodeRecord({ status, instance, endpoints }: NodeStatement): string {
  return `node ${status} instance ${instance} at ${endpoints.map(({ text }) => text).join(' ')}`;
}

/** Port 0 is no place to send to. */
function parseOneEndpoint(reader: Reader): Endpoint | undefined {
  const family = reader.u8();
  if (family !== 4 && family !== 6) return undefined;
  const address = addressFromBytes(reader.bytes(family === 4 ? 4 : 16), 0, family);
  const port = reader.u16();
  if (!reader.isSound || port === 0 || address.family !== family) return undefined;
  return endpointOf(address, port);
}
