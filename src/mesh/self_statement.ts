/**
 * What this node says of itself: its node record, and the incarnation that is the record's version.
 *
 * Incarnations never repeat, over restarts either: a block of them is reserved on disk before any
 * of it is used (RESERVE), and a start begins above what was reserved before. Where the disk
 * refuses, the node goes on, for being heard matters more; should numbers repeat then, it finds a
 * record of its own that is newer than it is, and says what is so with a higher one.
 *
 * Such a record, by an instance that is not ours, is what a life of ours before this one said, or
 * another host with a copy of our identity. A dead life does not answer; one that goes on raising
 * above us (ANSWERS times) lives. Of two that live the one that started later yields.
 *
 * Deadline: the next statement, GAP after the last.
 */

import { after, type Instant, latest, millis, NEVER, type WallTime } from '../base/time.js';
import type { Endpoint } from '../base/address.js';
import type { NodeStatement } from '../wire/node_record.js';

/** Nobody says a higher one: with a raise a microsecond it is 142 years away. */
export const INCARNATION_LIMIT = 2 ** 52;
/** Incarnations reserved at once; half are left when more are asked for. */
const RESERVE = 1_024;
const GAP = millis(200);
/** Raises of the other instance above our own before it counts as alive. */
const ANSWERS = 3;

export interface SelfKeys {
  /** X25519 public keys, 32 bytes. */
  readonly staticKey: Uint8Array;
  readonly nextStaticKey: Uint8Array | undefined;
}

export interface SelfParts extends SelfKeys {
  /** 16 hexadecimal digits. */
  readonly instance: string;
  readonly startedAt: WallTime;
  readonly endpoints: readonly Endpoint[];
  /** Nothing above it was ever used. */
  readonly ceiling: number;
}

export type Rival = 'none' | 'yield' | 'stand';

export class SelfStatement {
  readonly #instance: string;
  readonly #startedAt: WallTime;
  #keys: SelfKeys;
  #endpoints: readonly Endpoint[];
  #status: 'alive' | 'left' = 'alive';
  #incarnation: number;
  /** Incarnations up to here may be used. */
  #safe: number;
  /** And up to here once the disk has it. */
  #reserved: number;
  #wantedAt: Instant = NEVER;
  #saidAt: Instant | undefined;
  #rival: { instance: string; startedAt: WallTime; answers: number; above: number } | undefined;

  constructor({ instance, startedAt, endpoints, ceiling, staticKey, nextStaticKey }: SelfParts) {
    this.#instance = instance;
    this.#startedAt = startedAt;
    this.#endpoints = endpoints;
    this.#keys = { staticKey, nextStaticKey };
    this.#incarnation = ceiling;
    this.#safe = ceiling;
    this.#reserved = ceiling + RESERVE;
  }

  /** Of the newest statement; the ceiling of old before there is one. */
  get incarnation(): number {
    return this.#incarnation;
  }

  /** What the disk is to hold. */
  get ceiling(): number {
    return this.#reserved;
  }

  get endpoints(): readonly Endpoint[] {
    return this.#endpoints;
  }

  /** Another host runs with our identity, and we stay. */
  get hasRival(): boolean {
    return this.#rival !== undefined && this.#rival.answers >= ANSWERS;
  }

  /** The disk holds `ceiling`, or will not take it. */
  allow(ceiling: number): void {
    this.#safe = Math.max(this.#safe, ceiling);
  }

  /** Something of it changed, or it must be said again. */
  want(now: Instant): void {
    if (this.#wantedAt !== NEVER) return;
    this.#wantedAt = this.#saidAt === undefined ? now : latest(now, after(this.#saidAt, GAP));
  }

  setEndpoints(endpoints: readonly Endpoint[], now: Instant): void {
    const text = (of: readonly Endpoint[]): string => of.map((each) => each.text).join(' ');
    if (text(endpoints) === text(this.#endpoints)) return;
    this.#endpoints = endpoints;
    this.want(now);
  }

  setKeys(keys: SelfKeys, now: Instant): void {
    this.#keys = keys;
    this.want(now);
  }

  leave(now: Instant): void {
    this.#status = 'left';
    this.want(now);
  }

  /** Somebody suspects us at this incarnation; at another than ours it is over, or made up. */
  refute(incarnation: number, now: Instant): void {
    if (incarnation === this.#incarnation) this.want(now);
  }

  /** A record of ours that came from others. */
  heard(statement: NodeStatement, version: number, now: Instant): Rival {
    if (version <= this.#incarnation) return 'none';
    if (statement.instance !== this.#instance) this.#count(statement, version);
    this.#incarnation = version;
    if (this.#rival) this.#rival.above = version;
    this.want(now);
    if (!this.hasRival || !this.#rival) return 'none';
    const { startedAt, instance } = this.#rival;
    const isLater =
      this.#startedAt > startedAt || (this.#startedAt === startedAt && this.#instance > instance);
    return isLater ? 'yield' : 'stand';
  }

  /**
   * What is to be said now, with its version; undefined: nothing, or the disk must reserve first
   * (`needsReserve`).
   */
  take(now: Instant): { statement: NodeStatement; version: number } | undefined {
    if (now < this.#wantedAt || this.needsReserve) return undefined;
    this.#wantedAt = NEVER;
    this.#saidAt = now;
    this.#incarnation++;
    const { staticKey, nextStaticKey } = this.#keys;
    const statement: NodeStatement = {
      status: this.#status,
      instance: this.#instance,
      startedAt: this.#startedAt,
      staticKey,
      nextStaticKey,
      endpoints: [...this.#endpoints],
    };
    return { statement, version: this.#incarnation };
  }

  /** Whether nothing can be said before the disk holds a higher ceiling. */
  get needsReserve(): boolean {
    return this.#incarnation + 1 > this.#safe;
  }

  /** Raises the ceiling where little is left; true when the disk must take it. */
  reserve(): boolean {
    const left = this.#reserved - this.#incarnation;
    if (left >= RESERVE / 2) return this.#safe < this.#reserved && this.needsReserve;
    this.#reserved = this.#incarnation + RESERVE;
    return true;
  }

  deadline(): Instant {
    return this.needsReserve ? NEVER : this.#wantedAt;
  }

  #count({ instance, startedAt }: NodeStatement, version: number): void {
    const rival = this.#rival;
    if (!rival || rival.instance !== instance) {
      this.#rival = { instance, startedAt, answers: 0, above: version };
    } else if (version > rival.above) rival.answers++;
  }
}
