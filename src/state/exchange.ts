/**
 * Anti-entropy: two stores that differ become equal. One sends the hashes of its buckets; the other
 * answers with lists of what it holds in those that differ; for each entry of a list the first
 * sends what it has newer and asks for what it has not.
 *
 *   A                               B
 *   buckets          ->             compares
 *                    <- lists       (a list a bucket that differs, in parts where it is long)
 *   records, want    ->             has what it lacked
 *                    <- records
 *
 * Nothing is remembered of an exchange but when it began, so nothing has to end: what is lost is
 * found again by the next comparison. A part of a list covers the places between its bounds: what
 * is held between them and not in the list, the other lacks.
 *
 * Lists tell versions and not bytes. Where an author signed two records of one version, two lists
 * are the same and their buckets are not: when that is so twice, with nothing changed between, all
 * records of the list are sent and asked for, and the order of their bytes decides.
 *
 * Limits: BYTES a second sent, with a BURST, and beyond that nothing is looked at; a partner is
 * begun with no more often than PAUSE; PARTNERS are remembered, and RIDDLES lists that were the
 * same.
 */

import { toHex } from '../base/bytes.js';
import type { NodeId } from '../base/identifiers.js';
import { elapsed, type Instant, seconds, toSeconds } from '../base/time.js';
import {
  BUCKET_HASH_BYTES,
  emitSync,
  SYNC_BUCKETS,
  type SyncMessage,
  syncRoom,
} from '../wire/sync.js';
import { bucketOf, type Store } from './store.js';

const BYTES = 256 * 1024;
const BURST = 512 * 1024;
const PAUSE = seconds(1);
const PARTNERS = 1_024;
const RIDDLES = 1_024;

export interface ExchangeAction {
  readonly kind: 'send';
  readonly to: NodeId;
  readonly message: SyncMessage;
}

type List = Extract<SyncMessage, { kind: 'list' }>;

export class Exchange {
  readonly #store: Store;
  readonly #begunAt = new Map<NodeId, Instant>();
  /** Lists that were the same as ours: by partner and bounds, our hash of the bucket. */
  readonly #riddles = new Map<string, string>();
  #actions: ExchangeAction[] = [];
  #budget = BURST;
  #refilledAt: Instant | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Our store and that of this member differ, or may. */
  begin(partner: NodeId, now: Instant): void {
    const before = this.#begunAt.get(partner);
    if (before !== undefined && elapsed(before, now) < PAUSE) return;
    this.#note(partner, now);
    this.#send(partner, { kind: 'buckets', hashes: this.#store.bucketHashes() }, now);
  }

  /** `records` are the caller's: it alone can verify them. */
  receive(from: NodeId, message: SyncMessage, now: Instant): void {
    if (message.kind === 'buckets') this.#compare(from, message.hashes, now);
    else if (message.kind === 'list') this.#answerList(from, message, now);
    else if (message.kind === 'want') this.#sendRecords(from, message.places, now);
  }

  drain(out: ExchangeAction[]): void {
    for (const action of this.#actions) out.push(action);
    this.#actions = [];
  }

  #compare(from: NodeId, theirs: Uint8Array, now: Instant): void {
    const ours = this.#store.bucketHashes();
    for (let bucket = 0; bucket < SYNC_BUCKETS; bucket++) {
      if (isSameHash(ours, theirs, bucket)) continue;
      if (!this.#sendLists(from, bucket, now)) return;
    }
  }

  /** False when the budget is spent. */
  #sendLists(partner: NodeId, bucket: number, now: Instant): boolean {
    const places = this.#store.placesIn(bucket);
    const room = syncRoom('list');
    for (let at = 0; at === 0 || at < places.length; at += room) {
      const part = places.slice(at, at + room);
      const entries = part.map((place) => ({
        place,
        version: this.#store.get(place)?.version ?? 0,
      }));
      const [from, to] = [at === 0 ? undefined : part[0], places[at + room]];
      if (!this.#send(partner, { kind: 'list', bucket, from, to, entries }, now)) return false;
    }
    return true;
  }

  #answerList(partner: NodeId, list: List, now: Instant): void {
    const theirs = new Map(list.entries.map(({ place, version }) => [place, version]));
    const wanted: string[] = [];
    for (const [place, version] of theirs) {
      if (bucketOf(place) !== list.bucket) continue;
      const ours = this.#store.get(place);
      if (!ours || ours.version < version) wanted.push(place);
    }
    const covered = this.#store.placesIn(list.bucket).filter((place) => isWithin(list, place));
    const newer = covered.filter((place) => {
      const version = theirs.get(place);
      return version === undefined || (this.#store.get(place)?.version ?? 0) > version;
    });
    const isSame = newer.length + wanted.length === 0;
    const isRiddle = isSame && this.#isRiddle(partner, list);
    if (!this.#sendRecords(partner, isRiddle ? covered : newer, now)) return;
    const asked = isRiddle ? covered : wanted;
    const room = syncRoom('want');
    for (let at = 0; at < asked.length; at += room) {
      const places = asked.slice(at, at + room);
      if (!this.#send(partner, { kind: 'want', places }, now)) return;
    }
  }

  /** Whether this list was the same as ours before, and our bucket has not changed since. */
  #isRiddle(partner: NodeId, { bucket, from = '', to = '' }: List): boolean {
    const key = `${partner} ${bucket} ${from} ${to}`;
    const at = bucket * BUCKET_HASH_BYTES;
    const hash = toHex(this.#store.bucketHashes().subarray(at, at + BUCKET_HASH_BYTES));
    const isKnown = this.#riddles.get(key) === hash;
    this.#riddles.delete(key);
    if (!isKnown) this.#riddles.set(key, hash);
    if (this.#riddles.size > RIDDLES) dropOldest(this.#riddles);
    return isKnown;
  }

  /** False when the budget is spent. */
  #sendRecords(to: NodeId, places: readonly string[], now: Instant): boolean {
    const room = syncRoom('records');
    let records: Uint8Array[] = [];
    let length = 0;
    for (const place of places) {
      const bytes = this.#store.get(place)?.bytes;
      if (!bytes) continue;
      if (length + bytes.length > room) {
        if (!this.#send(to, { kind: 'records', records }, now)) return false;
        records = [];
        length = 0;
      }
      records.push(bytes);
      length += bytes.length;
    }
    return records.length === 0 || this.#send(to, { kind: 'records', records }, now);
  }

  #send(to: NodeId, message: SyncMessage, now: Instant): boolean {
    const passed = this.#refilledAt === undefined ? 0 : toSeconds(elapsed(this.#refilledAt, now));
    this.#refilledAt = now;
    this.#budget = Math.min(BURST, this.#budget + passed * BYTES);
    const cost = emitSync(message).length;
    if (this.#budget < cost) return false;
    this.#budget -= cost;
    this.#actions.push({ kind: 'send', to, message });
    return true;
  }

  #note(partner: NodeId, now: Instant): void {
    this.#begunAt.delete(partner);
    this.#begunAt.set(partner, now);
    if (this.#begunAt.size > PARTNERS) dropOldest(this.#begunAt);
  }
}

function isWithin({ from, to }: List, place: string): boolean {
  return (from === undefined || place >= from) && (to === undefined || place < to);
}

/** A Map yields what was set longest ago first. */
function dropOldest(map: Map<string, unknown>): void {
  const first = map.keys().next();
  if (!first.done) map.delete(first.value);
}

function isSameHash(a: Uint8Array, b: Uint8Array, bucket: number): boolean {
  for (let i = 0; i < BUCKET_HASH_BYTES; i++) {
    if (a[bucket * BUCKET_HASH_BYTES + i] !== b[bucket * BUCKET_HASH_BYTES + i]) return false;
  }
  return true;
}
