/**
 * Who is revoked, and up to where what a revoked admin signed counts. The answers follow from the
 * set of revocations and not from the order in which they came, so that all nodes agree.
 *
 *   by a root key    counts always; of a root key: only by a later one
 *   by an admin key  counts unless the key was revoked before, by others than whom it revokes: two
 *                    admins that revoke each other are both revoked
 *
 * A revocation is final, with one way back: where a root key revokes an admin key with the fate
 * `void`, what the key signed counts no more, revocations included. Otherwise a thief of one admin
 * key could end the whole network by it.
 */

import { toHex } from '../base/bytes.js';
import type { NodeId } from '../base/identifiers.js';
import type { Revocation } from './revocation.js';
import type { RootChain } from './root_chain.js';
import { type Statement, Statements } from './statements.js';

/** Nothing it signed counts. */
const NOTHING = -1;
const EVERYTHING = Number.MAX_SAFE_INTEGER;

export interface RevocationListParts {
  readonly roots: RootChain;
  /** The member that has this admin key. */
  readonly holderOf: (adminKey: NodeId) => NodeId | undefined;
}

export class RevocationList {
  readonly #parts: RevocationListParts;
  readonly #held = new Statements<Revocation>();
  /** X25519 keys, and of whom what is held says that they had it. */
  readonly #staticKeys = new Map<string, ReadonlySet<NodeId>>();

  constructor(parts: RevocationListParts) {
    this.#parts = parts;
  }

  insert(statement: Statement<Revocation>): void {
    const { subject } = statement.value;
    this.#unlist(subject);
    this.#held.insert(subject, statement);
    this.#list(subject);
  }

  remove(subject: NodeId, author: NodeId): void {
    this.#unlist(subject);
    this.#held.remove(subject, author);
    this.#list(subject);
  }

  /** What is revoked: members, admin keys, root keys. */
  *subjects(): Iterable<NodeId> {
    for (const subject of this.#held.subjects()) {
      const first = this.#held.about(subject)[0];
      if (first && this.isRevoked(first.value.subject)) yield first.value.subject;
    }
  }

  isRevoked(id: NodeId): boolean {
    if (this.#held.size === 0) return false;
    return this.#held.about(id).some((statement) => this.#counts(statement));
  }

  /** Whether any static key may be revoked; if not, none need be looked at. */
  get hasKeys(): boolean {
    return this.#staticKeys.size > 0;
  }

  /** Whether a revocation that counts names this static key, in whatever encoding. */
  isRevokedKey(staticKey: Uint8Array): boolean {
    if (!this.hasKeys) return false;
    const key = textOf(staticKey);
    for (const subject of this.#staticKeys.get(key) ?? []) {
      const against = this.#held.about(subject);
      if (against.some((each) => namesKey(each, key) && this.#counts(each))) return true;
    }
    return false;
  }

  /** The last version of what this key signed that counts: an admin key's, or a root key's. */
  limitOf(id: NodeId): number {
    if (this.#held.size === 0) return EVERYTHING;
    let limit = EVERYTHING;
    for (const statement of this.#against(id)) {
      if (this.#counts(statement)) limit = Math.min(limit, limitBy(statement));
    }
    return limit;
  }

  /**
   * Whether the root keys leave it to this admin key to revoke, by a record of this version. What
   * they leave to it is to be held, whether or not it counts: it may, when more is known.
   */
  mayRevoke(author: NodeId, version: number): boolean {
    if (this.#held.size === 0) return true;
    for (const statement of this.#against(author)) {
      if (this.#isByRoot(statement) && version > limitBy(statement)) return false;
    }
    return true;
  }

  #list(subject: NodeId): void {
    for (const key of this.#keysOf(subject)) {
      this.#staticKeys.set(key, new Set([...(this.#staticKeys.get(key) ?? []), subject]));
    }
  }

  #unlist(subject: NodeId): void {
    for (const key of this.#keysOf(subject)) {
      const left = new Set(this.#staticKeys.get(key));
      left.delete(subject);
      if (left.size > 0) this.#staticKeys.set(key, left);
      else this.#staticKeys.delete(key);
    }
  }

  #keysOf(subject: NodeId): string[] {
    return this.#held.about(subject).flatMap(({ value }) => value.staticKeys.map(textOf));
  }

  #counts(statement: Statement<Revocation>): boolean {
    const { author, version, value } = statement;
    const { roots } = this.#parts;
    if (roots.has(value.subject)) return roots.rankOf(author) > roots.rankOf(value.subject);
    if (this.#isByRoot(statement)) return true;
    if (roots.has(author) || !this.mayRevoke(author, version)) return false;
    for (const other of this.#against(author)) {
      if (this.#isByRoot(other) || this.#isOf(other.author, value.subject)) continue;
      if (version > other.version && this.mayRevoke(other.author, other.version)) return false;
    }
    return true;
  }

  #isByRoot({ author, version }: Statement<Revocation>): boolean {
    return this.#parts.roots.speaks(author, version);
  }

  /** Revocations of a key, and of the member that has it. */
  *#against(id: NodeId): Iterable<Statement<Revocation>> {
    yield* this.#held.about(id);
    const holder = this.#parts.holderOf(id);
    if (holder !== undefined && holder !== id) yield* this.#held.about(holder);
  }

  /** Whether the admin key is this subject, or is the subject's. */
  #isOf(adminKey: NodeId, subject: NodeId): boolean {
    return adminKey === subject || this.#parts.holderOf(adminKey) === subject;
  }
}

function namesKey({ value }: Statement<Revocation>, key: string): boolean {
  return value.staticKeys.some((each) => textOf(each) === key);
}

function limitBy({ value, version }: Statement<Revocation>): number {
  return value.fate === 'void' ? NOTHING : version;
}

/** Of what RFC 7748 §5 takes for one key: without the highest bit, and less than 2^255 - 19. */
function textOf(key: Uint8Array): string {
  const bytes = key.slice();
  bytes[31] = (bytes[31] ?? 0) & 0x7f;
  const isLarge = bytes[31] === 0x7f && bytes.subarray(1, 31).every((byte) => byte === 0xff);
  if (isLarge && (bytes[0] ?? 0) >= 0xed) {
    const low = (bytes[0] ?? 0) - 0xed;
    bytes.fill(0);
    bytes[0] = low;
  }
  return toHex(bytes);
}
