/**
 * A sync message, in the body of a control message: two stores compare what they hold, and send
 * what the other lacks. Little endian:
 *
 *   0        1
 *   +--------+---------------------------------------------------------------+
 *   | type   | what the type has                                             |
 *   +--------+---------------------------------------------------------------+
 *
 * type  what it has
 * 1     buckets: 256 hashes of 3 bytes
 * 2     list: bucket (8 bits), flags (bit 0: `from` is there, bit 1: `to` is), `from` (17 bytes),
 *       `to` (17 bytes), then entries until the end: place (17 bytes), version (64 bits)
 * 3     want: places of 17 bytes until the end
 * 4     records: one behind the other until the end (record.ts)
 *
 * Source: heddle's protocol, version 1.
 */

import { assert } from '../base/assert.js';
import { Reader, Writer } from '../base/cursor.js';
import { CONTROL_BODY_LIMIT } from './control.js';
import type { RecordBytes } from './gossip.js';
import { emitPlace, parsePlace, PLACE_BYTES, splitRecords } from './record.js';

/** A store's records lie in this many buckets, by a hash of their places. */
export const SYNC_BUCKETS = 256;
/** Of one bucket's hash. */
export const BUCKET_HASH_BYTES = 3;

const TYPES = ['buckets', 'list', 'want', 'records'] as const;
const ENTRY_BYTES = PLACE_BYTES + 8;
const LIST_HEADER_BYTES = 3 + 2 * PLACE_BYTES;
const HAS_FROM = 1;
const HAS_TO = 2;

export type SyncMessage =
  /** SYNC_BUCKETS hashes of BUCKET_HASH_BYTES. */
  | { readonly kind: 'buckets'; readonly hashes: Uint8Array }
  /** All that the sender holds in this bucket, or a part: places from `from` up to before `to`. */
  | {
      readonly kind: 'list';
      readonly bucket: number;
      /** The part's bounds: bytes of places (wire/record.ts), in their order; undefined: open. */
      readonly from: string | undefined;
      readonly to: string | undefined;
      readonly entries: readonly { readonly place: string; readonly version: number }[];
    }
  | { readonly kind: 'want'; readonly places: readonly string[] }
  | { readonly kind: 'records'; readonly records: RecordBytes };

/** Entries of a list, places of a want, or bytes of records that fit into one message. */
export function syncRoom(kind: 'list' | 'want' | 'records'): number {
  if (kind === 'list') return Math.floor((CONTROL_BODY_LIMIT - LIST_HEADER_BYTES) / ENTRY_BYTES);
  if (kind === 'want') return Math.floor((CONTROL_BODY_LIMIT - 1) / PLACE_BYTES);
  return CONTROL_BODY_LIMIT - 1;
}

/** Whether `body` is a whole sync message. */
export function checkSync(body: Uint8Array): boolean {
  return parseSync(body) !== undefined;
}

/** Undefined when it is malformed; hashes and records are views of `body`. */
export function parseSync(body: Uint8Array): SyncMessage | undefined {
  if (body.length > CONTROL_BODY_LIMIT) return undefined;
  const reader = new Reader(body);
  switch (TYPES[reader.u8() - 1]) {
    case 'buckets': {
      const hashes = reader.bytes(SYNC_BUCKETS * BUCKET_HASH_BYTES);
      return reader.isWhole ? { kind: 'buckets', hashes } : undefined;
    }
    case 'list':
      return parseList(reader);
    case 'want': {
      const places = parsePlaces(reader);
      return places && { kind: 'want', places };
    }
    case 'records': {
      const records = splitRecords(reader.rest());
      return records && { kind: 'records', records };
    }
    default:
      return undefined;
  }
}

export function emitSync(message: SyncMessage): Uint8Array {
  const writer = new Writer().u8(TYPES.indexOf(message.kind) + 1);
  if (message.kind === 'buckets') {
    assert(message.hashes.length === SYNC_BUCKETS * BUCKET_HASH_BYTES, 'every bucket has a hash');
    writer.bytes(message.hashes);
  } else if (message.kind === 'list') emitList(writer, message);
  else if (message.kind === 'want') {
    for (const place of message.places) writer.bytes(emitPlace(place));
  } else for (const record of message.records) writer.bytes(record);
  assert(writer.length <= CONTROL_BODY_LIMIT, 'a sync message fits a control message');
  return writer.finish();
}

export function formatSync(message: SyncMessage): string {
  if (message.kind === 'buckets') return 'sync buckets';
  if (message.kind === 'want') return `sync want ${message.places.length} places`;
  if (message.kind === 'records') return `sync ${message.records.length} records`;
  return `sync list of bucket ${message.bucket} with ${message.entries.length} entries`;
}

function parseList(reader: Reader): SyncMessage | undefined {
  const bucket = reader.u8();
  const flags = reader.u8();
  if (flags > (HAS_FROM | HAS_TO)) return undefined;
  const from = (flags & HAS_FROM) === 0 ? undefined : parsePlace(reader.bytes(PLACE_BYTES));
  const to = (flags & HAS_TO) === 0 ? undefined : parsePlace(reader.bytes(PLACE_BYTES));
  if ((flags & HAS_FROM) !== 0 && from === undefined) return undefined;
  if ((flags & HAS_TO) !== 0 && to === undefined) return undefined;
  const entries: { place: string; version: number }[] = [];
  while (reader.isSound && reader.left > 0) {
    const place = parsePlace(reader.bytes(PLACE_BYTES));
    const version = reader.u64();
    if (place === undefined) return undefined;
    entries.push({ place, version });
  }
  return reader.isWhole ? { kind: 'list', bucket, from, to, entries } : undefined;
}

function emitList(writer: Writer, list: Extract<SyncMessage, { kind: 'list' }>): void {
  const { bucket, from, to, entries } = list;
  const flags = (from === undefined ? 0 : HAS_FROM) | (to === undefined ? 0 : HAS_TO);
  writer.u8(bucket).u8(flags);
  if (from !== undefined) writer.bytes(emitPlace(from));
  if (to !== undefined) writer.bytes(emitPlace(to));
  for (const { place, version } of entries) writer.bytes(emitPlace(place)).u64(version);
}

function parsePlaces(reader: Reader): string[] | undefined {
  const places: string[] = [];
  while (reader.isSound && reader.left > 0) {
    const place = parsePlace(reader.bytes(PLACE_BYTES));
    if (place === undefined) return undefined;
    places.push(place);
  }
  return reader.isWhole ? places : undefined;
}
