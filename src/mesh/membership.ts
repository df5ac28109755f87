/**
 * A node in its network, from the moment that it knows which one: the composition of identity,
 * store, gossip, anti-entropy, addresses and enrolment. It decides little itself; it carries what
 * one of them says to the others until nothing more follows.
 *
 *   bytes -> ledger (verified, merged) -> accept: who is who, who is alive, who has which address
 *   own statements -> disk where it must be -> ledger -> spread
 *
 * Phases: `joining` until our own certificate is in force; `member`; `left` when we left, were
 * revoked, or yielded to the one whose identity we copied: then nothing is said any more.
 *
 * Deadlines: those of its parts; SWEEP, for what changes by the passing of time alone.
 */

import type { Endpoint } from '../base/address.js';
import { equal } from '../base/bytes.js';
import { type NodeId, nodeId } from '../base/identifiers.js';
import { after, type Duration, earliest, type Instant, seconds } from '../base/time.js';
import type { GossipAction, MemberStatus } from '../gossip/action.js';
import { Gossip } from '../gossip/gossip.js';
import { Exchange, type ExchangeAction } from '../state/exchange.js';
import { CONTROL_GOSSIP, CONTROL_JOIN, CONTROL_SYNC } from '../wire/control.js';
import { emitGossip, parseGossip } from '../wire/gossip.js';
import { emitNodeRecord, parseNodeRecord } from '../wire/node_record.js';
import { NO_KEY, placeOf, type SignedRecord } from '../wire/record.js';
import { emitSync, parseSync } from '../wire/sync.js';
import { Greetings } from './greetings.js';
import { Doubters } from './doubters.js';
import { NOT_KEPT } from './keeper.js';
import type { Accepted } from './ledger.js';
import type { MembershipParts } from './membership_parts.js';
import type { Safe } from './parts.js';
import { Outbox } from './outbox.js';
import { Peering } from './peering.js';
import { WarmLinks } from './warm_links.js';

const SWEEP = seconds(10);
/** Rounds of consequences in one call. Each ends in fewer; what is left follows at the next. */
const ROUNDS = 64;

export type Phase = 'joining' | 'member' | 'left';

export class Membership {
  readonly parts: MembershipParts;
  readonly #gossip: Gossip;
  readonly #exchange: Exchange;
  readonly #greetings = new Greetings();
  readonly #links = new WarmLinks();
  readonly #doubters = new Doubters();
  readonly #peering: Peering;
  readonly #outbox: Outbox;
  #phase: Phase = 'joining';
  #sweepAt: Instant;
  /** What the gossip core was told last. */
  #digest: Uint8Array | undefined;
  /** Records come from our own disk: they are no news. */
  #isLoading = true;

  constructor(parts: MembershipParts, now: Instant) {
    this.parts = parts;
    const { random, log } = parts.dependencies;
    this.#gossip = new Gossip({ random, log });
    this.#peering = new Peering(parts, this.#gossip, this.#links);
    this.#outbox = new Outbox(parts);
    this.#exchange = new Exchange(parts.store);
    this.#gossip.handle({ kind: 'start', self: parts.self }, now);
    this.#sweepAt = after(now, SWEEP);
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Control messages of this core, and the bytes of their bodies. */
  get sent(): { readonly messages: number; readonly bytes: number } {
    return this.#outbox.sent;
  }

  statusOf(id: NodeId): MemberStatus | undefined {
    return this.#gossip.statusOf(id);
  }

  /** What the disk knew, and then the world: called once. The chain of keys is to come first. */
  start(records: readonly Uint8Array[], now: Instant): void {
    const { ledger, self, wallAt, dependencies, directory, statement } = this.parts;
    for (const bytes of records) {
      ledger.receive(bytes, undefined, wallAt(now), now);
      for (const each of ledger.takeAccepted()) this.#accept(each, now);
    }
    ledger.retryParked(wallAt(now));
    this.pump(now);
    this.#isLoading = false;
    statement.want(now);
    const known = Array.from(directory.all(), ({ id }) => id).filter((id) => id !== self);
    this.#greetings.start(known, dependencies.random, now);
    this.pump(now);
  }

  /** A control message of the peer with this key; the body is borrowed. */
  receive(publicKey: Uint8Array, kind: number, body: Uint8Array, now: Instant): void {
    if (this.#phase === 'left') return;
    const member = this.parts.directory.withKey(publicKey);
    const from = member && this.#peering.isMember(member.id, now) ? member.id : undefined;
    if (kind === CONTROL_JOIN) this.parts.enrolment.receive(publicKey, from, body, now);
    else if (from === undefined) this.parts.drops.add('not_a_member');
    else if (kind === CONTROL_GOSSIP) this.#receiveGossip(from, body, now);
    else if (kind === CONTROL_SYNC) this.#receiveSync(from, body, now);
    else this.parts.drops.add('malformed_message');
    this.pump(now);
  }

  session(publicKey: Uint8Array, isMade: boolean, now: Instant): void {
    if (this.#phase === 'left') return;
    const member = this.parts.directory.withKey(publicKey);
    this.parts.enrolment.session(publicKey, isMade, now);
    if (member && isMade) {
      this.#links.made(member.id, now);
      this.#gossip.handle({ kind: 'link', id: member.id, isWarm: true }, now);
      this.#gossip.handle({ kind: 'heard', from: member.id }, now);
    } else if (member) this.parts.directory.tryNext(member);
    this.pump(now);
  }

  endpoints(endpoints: readonly Endpoint[], now: Instant): void {
    this.parts.statement.setEndpoints(endpoints, now);
    this.pump(now);
  }

  lag(lag: Duration, now: Instant): void {
    this.#gossip.handle({ kind: 'lag', lag }, now);
    this.pump(now);
  }

  /** The answer to a `persist`. */
  persisted(request: number, isSafe: boolean, now: Instant): void {
    const done = this.parts.keeper.persisted(request, isSafe, now);
    if (!isSafe) this.#unsafe(now);
    else if (done.length > 0) this.#safe(done, now);
  }

  /** What waited for the disk, and is safe. */
  #safe(done: readonly Safe[], now: Instant): void {
    const { statement, ledger, addresses, enrolment, actions } = this.parts;
    for (const each of done) {
      if (each.kind === 'ceiling') statement.allow(each.ceiling);
      else if (each.kind === 'publish') ledger.adopt(each.record);
      else if (each.kind === 'redeemed') enrolment.redeemed(each.request, true, now);
      else if (each.kind === 'answer') actions.push(each);
      else {
        ledger.adopt(each.record);
        addresses.claimed(each.key, now);
      }
    }
    this.pump(now);
  }

  /** The disk refuses: what can go on without it goes on, and who waits for the rest is told. */
  #unsafe(now: Instant): void {
    const { statement, keeper, enrolment, actions } = this.parts;
    statement.allow(statement.ceiling);
    const isAsked = ({ kind }: Safe): boolean => kind === 'redeemed' || kind === 'answer';
    for (const each of keeper.giveUp('own', isAsked)) {
      if (each.kind === 'redeemed') enrolment.redeemed(each.request, false, now);
      else if (each.kind === 'answer') actions.push({ ...each, answer: NOT_KEPT });
    }
    this.pump(now);
  }

  /** Nothing is said and nobody is talked to any more. */
  end(): void {
    this.#phase = 'left';
    const { directory, enrolment, actions } = this.parts;
    for (const { id } of directory.all()) directory.refresh(id, undefined);
    enrolment.end();
    actions.push({ kind: 'addresses', addresses: [], prefixes: [] });
  }

  advance(now: Instant): void {
    this.parts.keeper.advance(now);
    if (this.#phase === 'left') return;
    this.#gossip.advance(now);
    this.parts.addresses.advance(now);
    this.parts.enrolment.advance(now);
    this.parts.affairs.advance(now);
    for (const id of this.#links.takeEnded(now)) {
      this.#gossip.handle({ kind: 'link', id, isWarm: false }, now);
    }
    for (const id of this.#greetings.take(now)) this.#greet(id);
    if (now >= this.#sweepAt) this.#sweep(now);
    this.pump(now);
  }

  deadline(): Instant {
    const { addresses, enrolment, statement, affairs, keeper } = this.parts;
    if (this.#phase === 'left') return keeper.deadline();
    let next = earliest(this.#sweepAt, this.#greetings.deadline());
    next = earliest(next, this.#links.deadline());
    for (const core of [this.#gossip, addresses, enrolment, statement, affairs, keeper]) {
      next = earliest(next, core.deadline());
    }
    return next;
  }

  /** Carries out all that follows, until nothing more does. */
  pump(now: Instant): void {
    if (this.#phase === 'left') return;
    for (let round = 0; round < ROUNDS; round++) {
      this.#speak(now);
      const accepted = this.parts.ledger.takeAccepted();
      for (const each of accepted) this.#accept(each, now);
      if (accepted.length > 0) this.parts.ledger.retryParked(this.parts.wallAt(now));
      this.#tellDigest(now);
      const isBusy = this.#carryOut(now);
      if (accepted.length === 0 && !isBusy) return;
    }
  }

  // What comes in.

  #receiveGossip(from: NodeId, body: Uint8Array, now: Instant): void {
    const message = parseGossip(body);
    if (!message) return this.parts.drops.add('malformed_message');
    if ('records' in message) this.#receiveRecords(from, message.records, now);
    if ('digest' in message && equal(message.digest, this.parts.store.digest())) {
      this.parts.addresses.synced(now);
    }
    this.#gossip.handle({ kind: 'message', from, message }, now);
  }

  #receiveSync(from: NodeId, body: Uint8Array, now: Instant): void {
    const message = parseSync(body);
    if (!message) return this.parts.drops.add('malformed_message');
    this.#gossip.handle({ kind: 'compared', from }, now);
    if (message.kind === 'records') this.#receiveRecords(from, message.records, now);
    this.#exchange.receive(from, message, now);
  }

  #receiveRecords(from: NodeId, records: readonly Uint8Array[], now: Instant): void {
    const wall = this.parts.wallAt(now);
    if (this.#doubters.heard(from, records, this.#ours)) this.#greet(from);
    for (const bytes of records) this.parts.ledger.receive(bytes, from, wall, now);
  }

  // What follows.

  /** Says what we have to say of ourselves, once the disk has its number. */
  #speak(now: Instant): void {
    const { statement, keeper, scribe, keys, ledger, enrolment } = this.parts;
    if (statement.reserve()) {
      keeper.keep('own', now, { kind: 'ceiling', ceiling: statement.ceiling });
    }
    const due = statement.take(now);
    if (!due) return;
    const body = emitNodeRecord(due.statement);
    const draft = { kind: 'node', key: NO_KEY, version: due.version, body } as const;
    const record = scribe.sign(draft, keys.identity);
    ledger.adopt(record);
    enrolment.said(record, now);
    for (const id of this.#doubters.take()) this.#greet(id);
  }

  #accept({ record, from }: Accepted, now: Instant): void {
    if (record.kind === 'node') this.#acceptNode(record, now);
    else if (record.kind === 'suspicion') this.#acceptSuspicion(record, now);
    else if (record.kind === 'lease' || record.kind === 'announcement') {
      this.parts.addresses.accept(record, now);
    } else this.#acceptIdentity(record, now);
    if (this.#isLoading && from === undefined) return;
    const { place, bytes } = record;
    this.#gossip.handle({ kind: 'spread', place, record: bytes }, now);
    if (record.kind !== 'suspicion') this.parts.keeper.keep('members', now);
  }

  #acceptNode(record: SignedRecord, now: Instant): void {
    const { directory, self, actions, drops, keeper } = this.parts;
    const statement = parseNodeRecord(record.body);
    if (!statement) return drops.add('malformed_body');
    if (record.author === self) {
      const rival = this.parts.statement.heard(statement, record.version, now);
      if (rival !== 'none') this.parts.affairs.meetRival(rival, now);
      return;
    }
    const before = directory.update(record.author, statement, record.version);
    const isOther = before !== undefined && before.instance !== statement.instance;
    const isNewKey = !before || !equal(before.staticKey, statement.staticKey);
    if (isNewKey && !this.#isLoading) {
      keeper.keep('members', now);
      keeper.hurry('members', now);
    }
    this.#peering.refresh(record.author, now);
    if (isOther && this.#links.isWarm(record.author)) {
      actions.push({ kind: 'restartSession', publicKey: statement.staticKey });
    }
    const { status } = statement;
    const news = { id: record.author, incarnation: record.version, status };
    this.#gossip.handle({ kind: 'member', ...news, isFresh: !this.#isLoading }, now);
  }

  #acceptSuspicion({ key, version, author }: SignedRecord, now: Instant): void {
    const suspicion = { id: nodeId(key), incarnation: version, accuser: author };
    this.#gossip.handle({ kind: 'suspicion', ...suspicion }, now);
  }

  #acceptIdentity(record: SignedRecord, now: Instant): void {
    const { authority, addresses, enrolment, clock, self } = this.parts;
    const affected = authority.adopt(record);
    if (record.kind === 'network') addresses.setNetwork(now);
    if (record.kind === 'rootChange' && !this.#isLoading) this.parts.affairs.rootChanged(now);
    // Who is revoked is told while it can be: nobody talks to it after this.
    const isWarm = record.kind === 'revocation' && this.#links.isWarm(nodeId(record.key));
    if (isWarm) this.#outbox.say(nodeId(record.key), record);
    for (const id of affected) {
      const certificate = authority.certificateOf(id);
      if (certificate) clock.heard(certificate.notBefore);
      addresses.permit(id);
      this.#peering.refresh(id, now);
    }
    if (record.kind === 'certificate' && !affected.includes(self)) return;
    this.#checkStanding(now);
    enrolment.identityChanged(now);
  }

  /** Our own certificate came, or went. */
  #checkStanding(now: Instant): void {
    const { authority, self, addresses, enrolment, statement, keys, keeper } = this.parts;
    if (authority.isRevoked(self)) return this.parts.affairs.revoked(now);
    if (!keys.admin && authority.isAdminKey(self)) keys.adoptAdmin(keys.identity);
    if (this.#phase !== 'joining' || !this.#peering.isMember(self, now)) return;
    this.#phase = 'member';
    addresses.certified(now);
    enrolment.certified(now);
    keeper.keep('own', now);
    if (!this.#isLoading) statement.want(now);
  }

  /** What we say of ourselves. */
  get #ours(): SignedRecord | undefined {
    return this.parts.store.get(placeOf('node', this.parts.self, NO_KEY));
  }

  #greet(id: NodeId): void {
    const ours = this.#ours;
    if (ours) this.#outbox.say(id, ours);
  }

  /** What changed by the passing of time. */
  #sweep(now: Instant): void {
    this.#sweepAt = after(now, SWEEP);
    this.#peering.sweep(now);
    this.parts.enrolment.identityChanged(now);
    this.#checkStanding(now);
  }

  #tellDigest(now: Instant): void {
    const digest = this.parts.store.digest();
    if (digest === this.#digest) return;
    this.#digest = digest;
    this.#gossip.handle({ kind: 'digest', digest }, now);
  }

  // What the parts want.

  /** True when one of them wanted something. */
  #carryOut(now: Instant): boolean {
    const wanted: GossipAction[] = [];
    this.#gossip.drain(wanted);
    for (const action of wanted) this.#carryOutGossip(action, now);
    const replies: ExchangeAction[] = [];
    this.#exchange.drain(replies);
    for (const { to, message } of replies) this.#outbox.send(to, CONTROL_SYNC, emitSync(message));
    const changed = this.parts.addresses.settle(now);
    for (const id of changed) this.#peering.refresh(id, now);
    const { enrolment, directory } = this.parts;
    if (this.#phase === 'member' && directory.peers > 0) enrolment.settled(now);
    const isEnrolling = enrolment.settle(now);
    return wanted.length + replies.length + changed.length > 0 || isEnrolling;
  }

  #carryOutGossip(action: GossipAction, now: Instant): void {
    const { scribe, keys, ledger, statement, addresses, dependencies } = this.parts;
    switch (action.kind) {
      case 'send':
        return this.#outbox.send(action.to, CONTROL_GOSSIP, emitGossip(action.message));
      case 'accuse': {
        const { id, incarnation } = action;
        const draft = { kind: 'suspicion', key: id, version: incarnation } as const;
        return ledger.adopt(scribe.sign({ ...draft, body: new Uint8Array(0) }, keys.identity));
      }
      case 'refute':
        return statement.refute(action.incarnation, now);
      case 'changed': {
        const { id, status } = action;
        dependencies.log.info('Member changed', { member: this.#peering.nameOf(id), status });
        return addresses.statusChanged(id, status, now);
      }
      default:
        return this.#exchange.begin(action.with, now);
    }
  }
}
