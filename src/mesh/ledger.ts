/**
 * What this node holds to be true: records that were verified, in the store. A record comes in as
 * bytes from anybody; what is not newer than what is held costs nothing but a comparison, what is
 * new is verified (authority), asked whether its body means anything, and merged (store). What
 * came into force waits in `takeAccepted`, in order.
 *
 * A record whose author is not certified yet is parked until a record of identity comes into
 * force. Limits: PARKED of them, the oldest goes; VERIFICATIONS a second, refilled as time passes.
 */

import type { NodeId } from '../base/identifiers.js';
import { elapsed, type Instant, toSeconds, type WallTime } from '../base/time.js';
import type { Authority } from '../identity/authority.js';
import type { Store } from '../state/store.js';
import { isNewer, type RecordKind, type SignedRecord } from '../wire/record.js';
import type { MeshDrop, MeshDropCounters } from './drop.js';

const PARKED = 1_024;
/** An Ed25519 verification takes about 60 us: at most a quarter of the thread. */
const VERIFICATIONS = 4_000;

/** What is decided by the chain of keys alone. */
const IDENTITY_KINDS: ReadonlySet<RecordKind> = new Set([
  'network',
  'delegation',
  'certificate',
  'revocation',
  'rootChange',
  'invitation',
]);

export interface LedgerParts {
  readonly authority: Authority;
  readonly store: Store;
  readonly drops: MeshDropCounters;
  /** Undefined unless the bytes are one whole record. */
  readonly parse: (bytes: Uint8Array) => SignedRecord | undefined;
  /** Why a genuine record means nothing to the part that it is for; undefined: it does. */
  readonly faultOf: (record: SignedRecord) => MeshDrop | undefined;
}

export interface Accepted {
  readonly record: SignedRecord;
  /** The member it came from; undefined: from our own disk, or of our own making. */
  readonly from: NodeId | undefined;
}

export class Ledger {
  readonly #parts: LedgerParts;
  #accepted: Accepted[] = [];
  readonly #parked = new Map<string, Accepted>();
  /** Places and versions of suspicions that were passed on, the oldest first. */
  readonly #suspicions = new Map<string, number>();
  #budget = VERIFICATIONS;
  #refilledAt: Instant | undefined;

  constructor(parts: LedgerParts) {
    this.#parts = parts;
  }

  /** `from` undefined: from our own disk, which no budget bounds. */
  receive(bytes: Uint8Array, from: NodeId | undefined, wall: WallTime, now: Instant): void {
    const record = this.#parts.parse(bytes);
    if (!record) return this.#parts.drops.add('malformed_record');
    if (this.#isKnown(record)) return;
    if (from !== undefined && !this.#spend(now)) return this.#parts.drops.add('busy');
    this.#consider({ record, from }, wall);
  }

  /** A record of our own making, and verified by that. */
  adopt(record: SignedRecord): void {
    this.#merge({ record, from: undefined });
  }

  /** What came into force since, in order. Suspicions are among it, and not in the store. */
  takeAccepted(): readonly Accepted[] {
    const taken = this.#accepted;
    this.#accepted = [];
    return taken;
  }

  /** Records of identity came into force: what waited for them is considered again. */
  retryParked(wall: WallTime): void {
    if (this.#parked.size === 0) return;
    const waiting = [...this.#parked.values()];
    this.#parked.clear();
    for (const each of waiting) this.#consider(each, wall);
  }

  #isKnown(record: SignedRecord): boolean {
    const held = this.#parts.store.get(record.place) ?? this.#parked.get(record.place)?.record;
    if (held) return !isNewer(record, held);
    return (this.#suspicions.get(record.place) ?? -1) >= record.version;
  }

  #consider(each: Accepted, wall: WallTime): void {
    const { authority, drops, faultOf } = this.#parts;
    const verdict = authority.judge(each.record, wall);
    if (verdict === 'unknown_author') return this.#park(each);
    if (verdict !== 'accepted') return drops.add(verdict);
    const fault = IDENTITY_KINDS.has(each.record.kind) ? undefined : faultOf(each.record);
    if (fault) return drops.add(fault);
    this.#merge(each);
  }

  #merge(each: Accepted): void {
    const { record } = each;
    if (record.kind === 'suspicion') {
      this.#suspicions.delete(record.place);
      this.#suspicions.set(record.place, record.version);
      if (this.#suspicions.size > PARKED) dropFirst(this.#suspicions);
      this.#accepted.push(each);
      return;
    }
    const outcome = this.#parts.store.merge(record);
    if (outcome === 'new') this.#accepted.push(each);
    else if (outcome !== 'known' && outcome !== 'older') this.#parts.drops.add(outcome);
  }

  #park(each: Accepted): void {
    this.#parked.delete(each.record.place);
    this.#parked.set(each.record.place, each);
    if (this.#parked.size <= PARKED) return;
    dropFirst(this.#parked);
    this.#parts.drops.add('parked_too_many');
  }

  #spend(now: Instant): boolean {
    const passed = this.#refilledAt === undefined ? 0 : elapsed(this.#refilledAt, now);
    const refill = toSeconds(passed as ReturnType<typeof elapsed>) * VERIFICATIONS;
    this.#budget = Math.min(VERIFICATIONS, this.#budget + refill);
    this.#refilledAt = now;
    if (this.#budget < 1) return false;
    this.#budget--;
    return true;
  }
}

/** A Map yields what was set longest ago first. */
function dropFirst(map: Map<string, unknown>): void {
  const first = map.keys().next();
  if (!first.done) map.delete(first.value);
}
