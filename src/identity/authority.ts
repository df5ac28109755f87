/**
 * Who may say what in a network: the chain from the root key over admin keys to members, as the
 * records of identity that are in force tell it. `judge` says whether a record is genuine and its
 * author may say it; `adopt` is told of every record of identity that came into force.
 *
 *   root key      network, delegation of admin keys, its own successor, revocation
 *   admin key     certificate, revocation, invitation
 *   member        node, suspicion, lease, announcement
 *
 * What cannot be judged yet, because the author's own record has not come, is `unknown_author`: it
 * is to be asked again. What is in force follows from the set of records that were adopted, in
 * whatever order they came; root_chain.ts and revocation_list.ts say how keys follow each other and
 * end. A certificate counts no longer than the delegation of the key that signed it.
 *
 * Whether a record is still to be held is a question of the group's time, which is the latest
 * moment at which an admin certified somebody: it follows from the records as everything else here
 * does, so that nodes whose clocks differ hold the same. Whether somebody is a member now is a
 * question of wall time, which is given, as far as it can be trusted.
 *
 * A certificate of somebody who is revoked, or by an admin key that has expired, is held as any
 * other, and grants nothing: were it refused by those alone that knew before, they would not hold
 * the same.
 *
 * Limits: those of the store, which holds the records that are adopted.
 */

import { type NodeId, nodeId } from '../base/identifiers.js';
import { type WallTime, wallTime } from '../base/time.js';
import type { SignatureSuite } from '../crypto/signature.js';
import { parseNodeRecord } from '../wire/node_record.js';
import { NO_KEY, recordMessage, recordSignature, type SignedRecord } from '../wire/record.js';
import { type Certificate, isLaterCertificate } from './certificate.js';
import type { Delegation } from './delegation.js';
import {
  endOf,
  type IdentityBody,
  isAbout,
  isIdentityKind,
  parseIdentityBody,
} from './identity_body.js';
import type { Invitation } from './invitation.js';
import type { NetworkStatement } from './network.js';
import { nodeIdOf } from './node_id.js';
import type { RecordRefusal } from './record_refusal.js';
import { RevocationList } from './revocation_list.js';
import { RootChain } from './root_chain.js';
import { type Statement, Statements } from './statements.js';
import { CLOCK_SKEW, isOver, isPremature, isValidAt, VERSION_LEAD } from './validity.js';

export type Verdict = 'accepted' | 'unknown_author' | RecordRefusal;
type Refused = Exclude<Verdict, 'accepted'>;

export interface AuthorityParts {
  readonly suite: SignatureSuite;
  readonly network: NodeId;
  /** Ed25519, 32 bytes: trusted from the first moment. */
  readonly rootKey: Uint8Array;
}

const NETWORK = 'network';

export class Authority {
  readonly #suite: SignatureSuite;
  readonly #network: NodeId;
  readonly #roots: RootChain;
  readonly #revocations: RevocationList;
  readonly #networks = new Statements<NetworkStatement>();
  readonly #delegations = new Statements<Delegation>();
  readonly #certificates = new Statements<Certificate>();
  readonly #invitations = new Statements<Invitation>();
  #groupTime: WallTime = wallTime(0);

  constructor({ suite, network, rootKey }: AuthorityParts) {
    this.#suite = suite;
    this.#network = network;
    this.#roots = new RootChain(rootKey);
    const holderOf = (id: NodeId) => this.#heldDelegation(id)?.holder;
    this.#revocations = new RevocationList({ roots: this.#roots, holderOf });
  }

  /** The root key whose id the network's is. */
  get firstRootKey(): Uint8Array {
    return this.#roots.first;
  }

  /** The root key in force. */
  get rootKey(): Uint8Array {
    return this.#roots.current;
  }

  /** Of the root key in force: what its change said, or 0. */
  rootEpoch(): number {
    return this.#roots.epoch;
  }

  network(): NetworkStatement | undefined {
    return this.#newestByRoot(this.#networks.about(NETWORK))?.value;
  }

  judge(record: SignedRecord, wall: WallTime): Verdict {
    const key = this.#authorKey(record);
    if (typeof key === 'string') return key;
    const refusal = this.#refusalOf(record, wall);
    if (refusal) return refusal;
    const message = recordMessage(record, this.#network);
    return this.#suite.verify(key, message, recordSignature(record)) ? 'accepted' : 'forged';
  }

  /** A record of identity came into force; returns whose standing may be another now. */
  adopt(record: SignedRecord): readonly NodeId[] {
    const body = parseIdentityBody(record);
    if (!body) return [];
    const { author, version } = record;
    switch (body.kind) {
      case 'network':
        this.#networks.insert(NETWORK, { value: body.value, author, version });
        return [];
      case 'delegation':
        return this.#adoptDelegation({ value: body.value, author, version });
      case 'certificate':
        this.#certificates.insert(body.value.member, { value: body.value, author, version });
        this.#groupTime = wallTime(Math.max(this.#groupTime, body.value.notBefore));
        return [body.value.member];
      case 'revocation':
        this.#revocations.insert({ value: body.value, author, version });
        return this.#touchedBy(body.value.subject);
      case 'invitation':
        this.#invitations.insert(record.key, { value: body.value, author, version });
        return [];
      case 'rootChange':
        return this.#roots.adopt(author, body.value, version) ? [...this.members()] : [];
    }
  }

  /** A record of identity is held no more. */
  forget({ kind, author, key }: SignedRecord): void {
    if (kind === 'delegation') this.#delegations.remove(key, author);
    if (kind === 'certificate') this.#certificates.remove(key, author);
    if (kind === 'invitation') this.#invitations.remove(key, author);
    if (kind === 'revocation') this.#revocations.remove(nodeId(key), author);
  }

  /**
   * What it grants is over, or its author may not say it any more: it need not be held, and would
   * be refused by who hears of it now. Where an admin revoked the admin that signed a certificate
   * it is held, for a root key may undo that.
   */
  isObsolete(record: SignedRecord): boolean {
    const { kind, author, version, key } = record;
    // Certificates are as many as members: those that were adopted are not read anew.
    const held = kind === 'certificate' ? this.#certificates.find(key, record) : undefined;
    const body = held
      ? { kind: 'certificate' as const, value: held.value }
      : parseIdentityBody(record);
    if (!body) {
      if (this.isRevoked(author) || !this.#newestCertificate(author)) return true;
      return kind === 'node' && this.#bringsBack(record);
    }
    if (this.#isOver(endOf(body))) return true;
    if (body.kind === 'rootChange') return false;
    if (body.kind === 'certificate') {
      return !this.#heldDelegation(author) || !this.#revocations.mayRevoke(author, version);
    }
    if (body.kind === 'revocation' && !this.#mayBeRevoked(body.value.subject, author)) return true;
    return typeof this.#authorKey(record) === 'string';
  }

  /** In force, expired or not; undefined for those who have none, or are revoked. */
  certificateOf(id: NodeId): Certificate | undefined {
    return this.isRevoked(id) ? undefined : this.#newestCertificate(id)?.value;
  }

  /** The id of the admin key that signed the certificate in force. */
  signerOf(id: NodeId): NodeId | undefined {
    return this.#newestCertificate(id)?.author;
  }

  /** Until when the member is one: its certificate's end, or its signer's delegation's. */
  expiryOf(id: NodeId): WallTime | undefined {
    const held = this.isRevoked(id) ? undefined : this.#newestCertificate(id);
    const delegation = held && this.delegationOf(held.author);
    return delegation && wallTime(Math.min(held.value.notAfter, delegation.notAfter));
  }

  isMember(id: NodeId, wall: WallTime): boolean {
    const notAfter = this.expiryOf(id);
    const certificate = notAfter === undefined ? undefined : this.certificateOf(id);
    if (!certificate || notAfter === undefined) return false;
    return isValidAt({ notBefore: certificate.notBefore, notAfter }, wall);
  }

  isRevoked(id: NodeId): boolean {
    return this.#revocations.isRevoked(id);
  }

  /** Whether somebody who is revoked had this static key: nobody may bring it back. */
  isRevokedKey(staticKey: Uint8Array): boolean {
    return this.#revocations.isRevokedKey(staticKey);
  }

  /** Whether this is an admin key that is in force; with `wall`, by that time too. */
  isAdminKey(id: NodeId, wall?: WallTime): boolean {
    const delegation = this.delegationOf(id);
    if (!delegation || this.isRevoked(id) || this.isRevoked(delegation.holder)) return false;
    return wall === undefined || !isOver(delegation.notAfter, wall);
  }

  /** In force; undefined for a key that never was an admin's, or is one no longer. */
  delegationOf(adminKey: NodeId): Delegation | undefined {
    const held = this.#heldDelegation(adminKey);
    return this.#isOver(held?.notAfter) ? undefined : held;
  }

  /** Members that hold an admin key in force. */
  adminsOf(): NodeId[] {
    const holders = new Set<NodeId>();
    for (const key of this.#delegations.subjects()) {
      const delegation = this.delegationOf(nodeId(key));
      if (delegation && this.isAdminKey(nodeId(key))) holders.add(delegation.holder);
    }
    return [...holders];
  }

  /** Everybody certified, whether or not it has expired; not the revoked. */
  *members(): Iterable<NodeId> {
    for (const id of this.#certificates.subjects()) {
      if (this.certificateOf(nodeId(id))) yield nodeId(id);
    }
  }

  *invitations(): Iterable<{ id: string; admin: NodeId; invitation: Invitation }> {
    for (const id of this.#invitations.subjects()) {
      const held = this.invitation(id);
      if (held) yield { id, ...held };
    }
  }

  /** Of two admins that made one of the same id, the first by the ids of their keys. */
  invitation(id: string): { admin: NodeId; invitation: Invitation } | undefined {
    let first: Statement<Invitation> | undefined;
    for (const held of this.#invitations.about(id)) {
      if (this.isAdminKey(held.author) && !(first && first.author < held.author)) first = held;
    }
    return first && { admin: first.author, invitation: first.value };
  }

  /** Ids of what is revoked: members, admin keys, root keys. */
  revocations(): Iterable<NodeId> {
    return this.#revocations.subjects();
  }

  // Judging: first who signs, then what is said, and last the signature, which costs most.

  /** The key that must have signed it. */
  #authorKey(record: SignedRecord): Uint8Array | Refused {
    const { author, kind } = record;
    if (kind === 'network' || kind === 'delegation' || kind === 'rootChange') {
      return this.#rootKeyOf(record);
    }
    if (kind === 'revocation') {
      return this.#roots.has(author) ? this.#rootKeyOf(record) : this.#revokerKey(record);
    }
    if (kind === 'certificate' || kind === 'invitation') return this.#adminKey(record);
    if (this.isRevoked(author)) return 'revoked';
    const held = this.#newestCertificate(author);
    if (!held) return 'unknown_author';
    return this.#isOver(this.expiryOf(author)) ? 'expired' : held.value.identityKey;
  }

  #rootKeyOf({ author, version }: SignedRecord): Uint8Array | Refused {
    const key = this.#roots.keyOf(author);
    if (!key) return 'unknown_author';
    if (version > this.#revocations.limitOf(author)) return 'revoked';
    return this.#roots.speaks(author, version) ? key : 'not_entitled';
  }

  #adminKey({ author, version, kind }: SignedRecord): Uint8Array | Refused {
    const delegation = this.#heldDelegation(author);
    if (!delegation) return 'unknown_author';
    if (version > this.#revocations.limitOf(author)) return 'revoked';
    if (kind === 'certificate') return delegation.adminKey;
    if (this.#isOver(delegation.notAfter)) return 'expired';
    return this.isAdminKey(author) ? delegation.adminKey : 'revoked';
  }

  /** A revocation outlasts the delegation of whoever signed it. */
  #revokerKey({ author, version }: SignedRecord): Uint8Array | Refused {
    const delegation = this.#heldDelegation(author);
    if (!delegation) return 'unknown_author';
    if (!this.#revocations.mayRevoke(author, version)) return 'revoked';
    return version > delegation.notAfter + CLOCK_SKEW ? 'expired' : delegation.adminKey;
  }

  /** Whether what it says is well formed and may be said of whom it is about. */
  #refusalOf(record: SignedRecord, wall: WallTime): RecordRefusal | undefined {
    const { kind, key } = record;
    const isOnly = kind === 'network' || kind === 'rootChange' || kind === 'node';
    if (isOnly && key !== NO_KEY) return 'not_entitled';
    if (kind === 'node') return this.#bringsBack(record) ? 'revoked' : undefined;
    if (!isIdentityKind(kind)) return undefined;
    const body = parseIdentityBody(record);
    if (!body) return 'malformed_identity';
    if (!isAbout(body, key)) return 'not_entitled';
    return this.#refusalOfBody(record, body, wall);
  }

  #refusalOfBody(
    { author, version }: SignedRecord,
    body: IdentityBody,
    wall: WallTime,
  ): RecordRefusal | undefined {
    if (body.kind === 'rootChange' && !this.#roots.mayName(author, body.value)) {
      return 'not_entitled';
    }
    if (body.kind === 'revocation') {
      if (!this.#mayBeRevoked(body.value.subject, author)) return 'not_entitled';
    } else if (version > wall + VERSION_LEAD) return 'premature';
    if (body.kind === 'certificate' && isPremature(body.value.notBefore, wall)) return 'premature';
    return this.#isOver(endOf(body)) ? 'expired' : undefined;
  }

  /** By the group's time. */
  #isOver(end: WallTime | undefined): boolean {
    return end !== undefined && isOver(end, this.#groupTime);
  }

  /** Whether a node record names a static key that is revoked. */
  #bringsBack({ body }: SignedRecord): boolean {
    const keys = this.#revocations.hasKeys ? parseNodeRecord(body) : undefined;
    if (!keys) return false;
    const { staticKey, nextStaticKey } = keys;
    if (this.isRevokedKey(staticKey)) return true;
    return nextStaticKey !== undefined && this.isRevokedKey(nextStaticKey);
  }

  /** A root key is revoked by a later one alone. */
  #mayBeRevoked(subject: NodeId, author: NodeId): boolean {
    const rank = this.#roots.rankOf(subject);
    return rank < 0 || this.#roots.rankOf(author) > rank;
  }

  // What is in force.

  #adoptDelegation(statement: Statement<Delegation>): NodeId[] {
    const id = nodeIdOf(statement.value.adminKey);
    const before = this.delegationOf(id);
    this.#delegations.insert(id, statement);
    const holders = [statement.value.holder];
    if (!before) return holders;
    return [...holders, before.holder, ...this.#certifiedBy((author) => author === id)];
  }

  /** Itself; and where it is an admin, whomever it certified. */
  #touchedBy(subject: NodeId): NodeId[] {
    const isItsKey = (author: NodeId) =>
      author === subject || this.delegationOf(author)?.holder === subject;
    return [subject, ...this.#certifiedBy(isItsKey)];
  }

  *#certifiedBy(isWanted: (author: NodeId) => boolean): Iterable<NodeId> {
    for (const id of this.#certificates.subjects()) {
      if (this.#certificates.about(id).some(({ author }) => isWanted(author))) yield nodeId(id);
    }
  }

  /** Of those that count: the newest epoch, then version. */
  #newestCertificate(id: NodeId): Statement<Certificate> | undefined {
    let newest: Statement<Certificate> | undefined;
    for (const held of this.#certificates.about(id)) {
      if (held.version > this.#limitOf(held.author)) continue;
      if (!newest || isLaterCertificate(held, newest)) newest = held;
    }
    return newest;
  }

  /** What root keys said last of an admin key, whether or not it has expired. */
  #heldDelegation(adminKey: NodeId): Delegation | undefined {
    return this.#newestByRoot(this.#delegations.about(adminKey))?.value;
  }

  /** The last version of what an admin key signed that counts; below zero: it is none. */
  #limitOf(adminKey: NodeId): number {
    return this.delegationOf(adminKey) ? this.#revocations.limitOf(adminKey) : -1;
  }

  /** Of what root keys said while they might: the latest root key's. */
  #newestByRoot<T>(held: readonly Statement<T>[]): Statement<T> | undefined {
    let newest: Statement<T> | undefined;
    for (const each of held) {
      const { author, version } = each;
      if (!this.#roots.speaks(author, version)) continue;
      if (version > this.#revocations.limitOf(author)) continue;
      const isNewest = !newest || this.#roots.rankOf(author) > this.#roots.rankOf(newest.author);
      if (isNewest) newest = each;
    }
    return newest;
  }
}
