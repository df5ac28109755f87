/** Values of the control plane's formats, chosen and random, for the tests of their decoders. */

import { addressFromBytes, type Endpoint, endpointOf } from '../../src/base/address.js';
import { toHex } from '../../src/base/bytes.js';
import { type NodeId, nodeId } from '../../src/base/identifiers.js';
import type { SeededRandom } from '../../src/base/random.js';
import { wallTime } from '../../src/base/time.js';
import { type GossipMessage, gossipRoom } from '../../src/wire/gossip.js';
import { JOIN_REFUSALS, JOIN_USES, type JoinMessage } from '../../src/wire/join.js';
import { emitNodeRecord, type NodeStatement } from '../../src/wire/node_record.js';
import {
  emitRecord,
  placeOf,
  RECORD_BODY_LIMIT,
  type RecordFields,
  type SignedRecord,
} from '../../src/wire/record.js';
import {
  BUCKET_HASH_BYTES,
  SYNC_BUCKETS,
  type SyncMessage,
  syncRoom,
} from '../../src/wire/sync.js';

export const NETWORK = nodeId('a1a2a3a4a5a6a7a8');
export const AUTHOR = nodeId('0102030405060708');
export const KEY = '1112131415161718';
export const SIGNATURE = new Uint8Array(64).fill(0x5a);

/** Signed by nobody: its signature is 64 times 0x5a. */
export function sampleRecord(fields: Partial<RecordFields> = {}): SignedRecord {
  const body = Uint8Array.of(0xb0, 0xb1, 0xb2);
  const whole = { kind: 'lease', version: 7, author: AUTHOR, key: KEY, body, ...fields } as const;
  return emitRecord(whole, NETWORK, () => SIGNATURE);
}

export const KINDS = [
  'network',
  'delegation',
  'certificate',
  'revocation',
  'node',
  'suspicion',
  'lease',
  'announcement',
  'invitation',
  'rootChange',
] as const;

export function randomId(random: SeededRandom): NodeId {
  return nodeId(toHex(random.bytes(8)));
}

/** Small, large and in between, up to the largest that the formats hold. */
export function randomU64(random: SeededRandom): number {
  const choices = [0, 1, 255, 65_536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER];
  return choices[random.below(choices.length + 3)] ?? random.u32() * 2 ** random.below(21);
}

export function oneOf<T>(random: SeededRandom, from: readonly T[]): T {
  const chosen = from[random.below(from.length)];
  if (chosen === undefined) throw new Error('Chose from nothing');
  return chosen;
}

export function randomRecord(random: SeededRandom, bodyLimit = RECORD_BODY_LIMIT): SignedRecord {
  const lengths = [0, 1, random.below(40), bodyLimit];
  const length = Math.min(bodyLimit, oneOf(random, lengths));
  const signature = random.bytes(64);
  const [kind, version] = [oneOf(random, KINDS), randomU64(random)];
  const [author, key, body] = [randomId(random), randomId(random), random.bytes(length)];
  return emitRecord({ kind, version, author, key, body }, NETWORK, () => signature);
}

/** As many as fit, or fewer. */
export function randomRecords(random: SeededRandom, room: number): Uint8Array[] {
  const records: Uint8Array[] = [];
  let left = room;
  for (let count = random.below(7); count > 0; count--) {
    const { bytes } = randomRecord(random, Math.min(RECORD_BODY_LIMIT, Math.max(0, left - 92)));
    if (bytes.length > left) break;
    records.push(bytes);
    left -= bytes.length;
  }
  return records;
}

export function randomGossip(random: SeededRandom): GossipMessage {
  const kinds = ['ping', 'ack', 'pingRequest', 'nack', 'spread'] as const;
  const kind = oneOf(random, kinds);
  const [sequence, target] = [random.u32(), randomId(random)];
  const [digest, records] = [random.bytes(8), randomRecords(random, gossipRoom(kind))];
  if (kind === 'ping') return { kind, sequence, target, digest, records };
  if (kind === 'ack') return { kind, sequence, digest, records };
  if (kind === 'pingRequest') return { kind, sequence, target, records };
  return kind === 'nack' ? { kind, sequence } : { kind, records };
}

export function randomPlace(random: SeededRandom): string {
  return placeOf(oneOf(random, KINDS), randomId(random), randomId(random));
}

export function randomSync(random: SeededRandom): SyncMessage {
  const kind = oneOf(random, ['buckets', 'list', 'want', 'records'] as const);
  if (kind === 'buckets') return { kind, hashes: random.bytes(SYNC_BUCKETS * BUCKET_HASH_BYTES) };
  if (kind === 'records') return { kind, records: randomRecords(random, syncRoom(kind)) };
  const count = oneOf(random, [0, 1, random.below(8), syncRoom(kind)]);
  const places = Array.from({ length: count }, () => randomPlace(random));
  if (kind === 'want') return { kind, places };
  const entries = places.map((place) => ({ place, version: randomU64(random) }));
  const from = random.below(2) === 0 ? undefined : randomPlace(random);
  const to = random.below(2) === 0 ? undefined : randomPlace(random);
  return { kind, bucket: random.below(SYNC_BUCKETS), from, to, entries };
}

export function randomEndpoint(random: SeededRandom): Endpoint {
  const family = random.below(2) === 0 ? 4 : 6;
  const bytes = random.bytes(family === 4 ? 4 : 16);
  if (family === 6) bytes[0] = 0xfd;
  return endpointOf(addressFromBytes(bytes, 0, family), 1 + random.below(65_535));
}

export function randomStatement(random: SeededRandom): NodeStatement {
  return {
    status: oneOf(random, ['alive', 'left'] as const),
    instance: toHex(random.bytes(8)),
    startedAt: wallTime(randomU64(random)),
    staticKey: random.bytes(32),
    nextStaticKey: random.below(2) === 0 ? undefined : random.bytes(32),
    endpoints: Array.from({ length: random.below(7) }, () => randomEndpoint(random)),
  };
}

export function randomName(random: SeededRandom): string {
  const names = ['a', '0', 'web-1', 'x'.repeat(63), 'n-0-n'];
  return oneOf(random, names);
}

export function randomJoin(random: SeededRandom): JoinMessage {
  const kinds = ['request', 'forward', 'refused', 'waiting', 'granted'] as const;
  const kind = oneOf(random, kinds);
  const number = random.u32();
  if (kind === 'refused') return { kind, number, why: oneOf(random, JOIN_REFUSALS) };
  if (kind === 'waiting') return { kind, admin: randomId(random) };
  if (kind === 'granted') return { kind, number, record: randomRecord(random).bytes };
  const body = emitNodeRecord(randomStatement(random));
  const fields = { kind: 'node', version: 1, author: randomId(random), key: NO_KEY, body } as const;
  const record = sampleRecord(fields).bytes;
  const request = { identityKey: random.bytes(32), name: randomName(random), record };
  if (kind === 'request') return { kind, request };
  const [invitation, use]: [string, number] = [randomId(random), random.below(JOIN_USES)];
  return { kind, number, invitation, use, request };
}

const NO_KEY = '0000000000000000';
