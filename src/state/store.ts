/**
 * The store: every verified record in force, one a place, the newer one by wire/record.ts's order.
 * Merging is commutative, associative and idempotent, so that stores that have heard the same
 * records, in whatever order, are equal.
 *
 * Places lie in SYNC_BUCKETS buckets by a hash. A bucket's hash is the exclusive or of its records'
 * hashes, so that it follows every change at once; the digest is a hash of all of those. These
 * hashes are fast and not cryptographic: whoever makes two stores look equal that are not could as
 * well have kept silent, and every record is signed.
 *
 * What is removed is forgotten whole: that it does not come back is for who judges records, and is
 * judged by what is known then. Were it remembered here, who removed it and who never had it would
 * not take the same, should it be valid again.
 *
 * Limits: QUOTAS an author and kind.
 */

import { toHex } from '../base/bytes.js';
import type { NodeId } from '../base/identifiers.js';
import { isNewer, type RecordKind, type SignedRecord } from '../wire/record.js';
import { BUCKET_HASH_BYTES, SYNC_BUCKETS } from '../wire/sync.js';
import { QUOTAS } from './quotas.js';

/** Why a record is not taken: a closed list. */
export const STORE_REFUSALS = [
  'over_quota', // its author has as many of this kind as it may
] as const;

export type StoreRefusal = (typeof STORE_REFUSALS)[number];

const SEED = 0x9e3779b9;

export class Store {
  readonly #records = new Map<string, SignedRecord>();
  /** How many records of a kind an author has, if any. */
  readonly #counts = new Map<RecordKind, Map<NodeId, number>>();
  readonly #buckets: Set<string>[] = Array.from({ length: SYNC_BUCKETS }, () => new Set());
  readonly #hashes = new Uint32Array(2 * SYNC_BUCKETS);
  /** Undefined: something changed since. */
  #digest: Uint8Array | undefined;

  get size(): number {
    return this.#records.size;
  }

  get(place: string): SignedRecord | undefined {
    return this.#records.get(place);
  }

  records(): Iterable<SignedRecord> {
    return this.#records.values();
  }

  *ofKind(kind: RecordKind): Iterable<SignedRecord> {
    for (const record of this.#records.values()) if (record.kind === kind) yield record;
  }

  /** All that this author said. */
  *by(author: NodeId): Iterable<SignedRecord> {
    for (const record of this.#records.values()) if (record.author === author) yield record;
  }

  /** Keeps the record itself, not a copy. */
  merge(record: SignedRecord): 'new' | 'known' | 'older' | StoreRefusal {
    const { place } = record;
    const held = this.#records.get(place);
    if (held) {
      if (!isNewer(record, held)) return isNewer(held, record) ? 'older' : 'known';
      this.#toggle(held);
    } else {
      const counts = this.#countsOf(record.kind);
      const count = counts.get(record.author) ?? 0;
      if (count >= QUOTAS[record.kind]) return 'over_quota';
      counts.set(record.author, count + 1);
      this.#buckets[bucketOf(place)]?.add(place);
    }
    this.#records.set(place, record);
    this.#toggle(record);
    return 'new';
  }

  /** Nothing happens where there is none. */
  remove(place: string): void {
    const held = this.#records.get(place);
    if (!held) return;
    this.#toggle(held);
    this.#records.delete(place);
    this.#buckets[bucketOf(place)]?.delete(place);
    const counts = this.#countsOf(held.kind);
    const left = (counts.get(held.author) ?? 1) - 1;
    if (left > 0) counts.set(held.author, left);
    else counts.delete(held.author);
  }

  /** 8 bytes, equal for equal stores; the same array while nothing changes. */
  digest(): Uint8Array {
    this.#digest ??= this.#hashAll();
    return this.#digest;
  }

  #countsOf(kind: RecordKind): Map<NodeId, number> {
    const counts = this.#counts.get(kind) ?? new Map<NodeId, number>();
    this.#counts.set(kind, counts);
    return counts;
  }

  #hashAll(): Uint8Array {
    let low = SEED;
    let high = ~SEED;
    for (let i = 0; i < this.#hashes.length; i++) {
      const hash = this.#hashes[i] ?? 0;
      low = mix(low ^ hash, i);
      high = mix(high ^ hash, low);
    }
    const digest = new Uint8Array(8);
    const view = new DataView(digest.buffer);
    view.setUint32(0, low >>> 0, true);
    view.setUint32(4, high >>> 0, true);
    return digest;
  }

  digestText(): string {
    return toHex(this.digest());
  }

  /** As a `buckets` message has them. */
  bucketHashes(): Uint8Array {
    const hashes = new Uint8Array(SYNC_BUCKETS * BUCKET_HASH_BYTES);
    for (let bucket = 0; bucket < SYNC_BUCKETS; bucket++) {
      const folded = mix(this.#hashes[2 * bucket] ?? 0, this.#hashes[2 * bucket + 1] ?? 0);
      for (let i = 0; i < BUCKET_HASH_BYTES; i++) {
        hashes[bucket * BUCKET_HASH_BYTES + i] = (folded >>> (8 * i)) & 0xff;
      }
    }
    return hashes;
  }

  /** Places in this bucket, in the order of their text. */
  placesIn(bucket: number): string[] {
    return [...(this.#buckets[bucket] ?? [])].sort();
  }

  #toggle({ place, packed }: SignedRecord): void {
    this.#digest = undefined;
    const at = 2 * bucketOf(place);
    const [low, high] = hashEnd(packed);
    this.#hashes[at] = (this.#hashes[at] ?? 0) ^ low;
    this.#hashes[at + 1] = (this.#hashes[at + 1] ?? 0) ^ high;
  }
}

/** Which bucket a place lies in: the same on every node. */
export function bucketOf(place: string): number {
  let hash = SEED;
  for (let i = 0; i < place.length; i++) hash = Math.imul(hash ^ place.charCodeAt(i), 0x01000193);
  return mix(hash, place.length) & (SYNC_BUCKETS - 1);
}

/** The signature alone tells records apart: 64 bytes that follow from all the others. */
function hashEnd(packed: string): [number, number] {
  let low = SEED;
  let high = packed.length;
  for (let i = Math.max(0, packed.length - 64); i < packed.length; i++) {
    low = Math.imul(low ^ packed.charCodeAt(i), 0x01000193);
    high = Math.imul(high ^ low, 0x85ebca6b) ^ (high >>> 13);
  }
  return [mix(low, high), mix(high, low)];
}

/** The finalizer of MurmurHash3 (Appleby), over two words. */
function mix(a: number, b: number): number {
  let hash = (a ^ Math.imul(b, 0xcc9e2d51)) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
