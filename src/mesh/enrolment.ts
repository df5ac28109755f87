/**
 * How hosts become members, from both sides: this node as a joiner, as an introducer and as the
 * admin that redeems. The machines are enrol/; here they meet keys, peers, disk and signatures.
 *
 * A peer by an invitation's key has no addresses and may say one thing: its request. Limit: INVITED
 * such peers; invitations beyond it are served by other members.
 *
 * Deadlines: those of the machines.
 */

import { toHex } from '../base/bytes.js';
import { type NodeId, nodeId } from '../base/identifiers.js';
import { after, earliest, type Instant, micros } from '../base/time.js';
import type { IntroducerAction, JoinerAction, RedeemerAction } from '../enrol/action.js';
import { Introducer } from '../enrol/introducer.js';
import { Joiner } from '../enrol/joiner.js';
import { Redeemer } from '../enrol/redeemer.js';
import { parseCertificate } from '../identity/certificate.js';
import type { JoinLine } from '../identity/join_line.js';
import { nodeIdOf } from '../identity/node_id.js';
import { CONTROL_JOIN } from '../wire/control.js';
import { emitJoin, type JoinMessage, parseJoin } from '../wire/join.js';
import {
  NO_KEY,
  parseRecord,
  placeOf,
  recordMessage,
  recordSignature,
  type SignedRecord,
} from '../wire/record.js';
import type { Office } from './office.js';
import type { OwnState } from './own_state.js';
import type { MeshParts } from './parts.js';

const INVITED = 1_024;

type ForwardMessage = Extract<JoinMessage, { kind: 'forward' }>;

interface Invited {
  readonly publicKey: Uint8Array;
  readonly invitation: string;
  readonly use: number;
  readonly admin: NodeId;
}

export interface EnrolmentParts extends MeshParts {
  readonly office: Office;
  readonly hostName: string;
  /** How we come to the network; undefined: we are in it. */
  readonly line: JoinLine | undefined;
  readonly redeemed: OwnState['redeemed'];
}

export class Enrolment {
  readonly #parts: EnrolmentParts;
  readonly #introducer: Introducer;
  readonly #redeemer: Redeemer;
  readonly #joiner: Joiner | undefined;
  readonly #invited = new Map<string, Invited>();
  #waiting: string | undefined;

  constructor(parts: EnrolmentParts, now: Instant) {
    this.#parts = parts;
    const { random } = parts.dependencies;
    this.#introducer = new Introducer(random.u32());
    this.#redeemer = new Redeemer(parts.redeemed);
    const { line, keys, hostName: name } = parts;
    if (!line) return;
    const left = Math.max(0, line.expires - parts.wallAt(now));
    const expiresAt = after(now, micros(left));
    const identityKey = keys.identity.publicKey;
    this.#joiner = new Joiner({ line, identityKey, name, expiresAt }, random);
    this.#waiting = 'an introducer to answer';
  }

  /** What for; undefined: nothing. */
  get waiting(): string | undefined {
    return this.#waiting;
  }

  get isRefused(): boolean {
    return this.#joiner?.phase === 'refused';
  }

  /** What must be on disk of what was redeemed. */
  redemptions(): OwnState['redeemed'] {
    return this.#redeemer.redemptions();
  }

  usesOf(invitation: string): number {
    return this.#redeemer.usesOf(invitation);
  }

  /** Our node record, signed: the joining begins with it. */
  said(record: SignedRecord, now: Instant): void {
    this.#joiner?.handle({ kind: 'record', record: record.bytes }, now);
  }

  session(publicKey: Uint8Array, isMade: boolean, now: Instant): void {
    this.#joiner?.handle({ kind: 'session', publicKey, isMade }, now);
  }

  /** A join message from whoever has this key. */
  receive(publicKey: Uint8Array, from: NodeId | undefined, body: Uint8Array, now: Instant): void {
    const { ledger, self, wallAt } = this.#parts;
    const message = parseJoin(body);
    if (!message) return this.#parts.drops.add('malformed_message');
    if (this.#joiner?.asks(publicKey)) {
      return this.#joiner.handle({ kind: 'message', publicKey, message }, now);
    }
    const invited = this.#invited.get(toHex(publicKey));
    if (invited && message.kind === 'request') {
      const { request } = message;
      ledger.receive(request.record, self, wallAt(now), now);
      return this.#introducer.handle({ kind: 'request', ...invited, request }, now);
    }
    if (from === undefined) return this.#parts.drops.add('not_a_member');
    if (message.kind === 'forward') return this.#redeem(from, message, now);
    if (message.kind === 'granted' || message.kind === 'refused') {
      if (message.kind === 'granted') ledger.receive(message.record, from, wallAt(now), now);
      const admins = this.#adminKeysOf(from);
      return this.#introducer.handle({ kind: 'answer', admins, message }, now);
    }
    this.#parts.drops.add('not_a_member');
  }

  /** The disk has, or has not, what `redeem` asked for. */
  redeemed(request: number, isSafe: boolean, now: Instant): void {
    this.#redeemer.handle({ kind: 'redeemed', request, isSafe }, now);
  }

  /** Our certificate is in force. */
  certified(now: Instant): void {
    this.#tellSelf(now);
  }

  /** Another member is there to talk to, and we are one. */
  settled(now: Instant): void {
    this.#joiner?.handle({ kind: 'certified' }, now);
  }

  /** Nobody may come in by us any more. */
  end(): void {
    for (const { publicKey } of this.#invited.values()) {
      this.#parts.actions.push({ kind: 'removePeer', publicKey });
    }
    this.#invited.clear();
  }

  /** Certificates, invitations or the time changed: who may come in by which key. */
  identityChanged(now: Instant): void {
    this.#tellSelf(now);
    const { authority, actions } = this.#parts;
    const wall = this.#parts.wallAt(now);
    const open = new Set<string>();
    for (const { id, admin, invitation } of authority.invitations()) {
      if (invitation.isRevoked || invitation.expires < wall) continue;
      for (const [use, publicKey] of invitation.publicKeys.entries()) {
        const text = toHex(publicKey);
        open.add(text);
        if (this.#invited.has(text) || this.#invited.size >= INVITED) continue;
        this.#invited.set(text, { publicKey, invitation: id, use, admin });
        const peer = { publicKey, alternateKey: undefined, name: `invitation-${id}-${use}` };
        actions.push({
          kind: 'upsertPeer',
          peer: { ...peer, endpoint: undefined, allowedIps: [] },
        });
      }
    }
    for (const [text, { publicKey }] of this.#invited) {
      if (open.has(text)) continue;
      this.#invited.delete(text);
      actions.push({ kind: 'removePeer', publicKey });
    }
  }

  advance(now: Instant): void {
    this.#joiner?.advance(now);
    this.#introducer.advance(now);
  }

  deadline(): Instant {
    const own = earliest(this.#introducer.deadline(), this.#redeemer.deadline());
    return this.#joiner ? earliest(own, this.#joiner.deadline()) : own;
  }

  /** Carries out what the machines want; true when they wanted something. */
  settle(now: Instant): boolean {
    const joining: JoinerAction[] = [];
    this.#joiner?.drain(joining);
    for (const action of joining) this.#carryOutJoiner(action, now);
    const introducing: IntroducerAction[] = [];
    this.#introducer.drain(introducing);
    for (const action of introducing) this.#carryOutIntroducer(action, now);
    const redeeming: RedeemerAction[] = [];
    this.#redeemer.drain(redeeming);
    for (const action of redeeming) this.#carryOutRedeemer(action, now);
    return joining.length + introducing.length + redeeming.length > 0;
  }

  // As a joiner.

  #carryOutJoiner(action: JoinerAction, now: Instant): void {
    const { actions, keys, directory, authority } = this.#parts;
    switch (action.kind) {
      case 'useKey': {
        const { privateKey } = action;
        const privateKeys = privateKey ? [privateKey] : keys.staticKeys();
        actions.push({ kind: 'staticKeys', privateKeys });
        return;
      }
      case 'addPeer': {
        const { publicKey, endpoint } = action;
        const peer = { publicKey, alternateKey: undefined, name: 'introducer', endpoint };
        actions.push({ kind: 'upsertPeer', peer: { ...peer, allowedIps: [] } });
        return;
      }
      case 'removePeer': {
        const { publicKey } = action;
        actions.push({ kind: 'removePeer', publicKey });
        const member = directory.withKey(publicKey);
        if (member?.peer) actions.push({ kind: 'upsertPeer', peer: member.peer });
        return;
      }
      case 'send':
        return this.#send(action.publicKey, action.message);
      case 'granted':
        return this.#takeGranted(action.record, now);
      case 'waiting': {
        const holder = authority.delegationOf(action.admin)?.holder;
        const name = (holder && authority.certificateOf(holder)?.name) ?? action.admin;
        this.#waiting = `the admin ${name} to answer; it must run for this host to join`;
        return;
      }
      case 'silent':
        this.#waiting = action.isExpired
          ? 'an introducer to answer; the join line has expired by the clock of this host'
          : 'an introducer to answer; is UDP to it open?';
        return;
      case 'refused':
        this.#waiting = `nothing more: the join line was refused (${action.why}); ask for another`;
        this.#tell('warn', 'The join line was refused', { why: action.why });
        return;
      default:
        this.#waiting = undefined;
        this.#tell('info', 'This host is a member now', {});
    }
  }

  /**
   * It came from whom the join line names: what time an admin signed our certificate at is what the
   * clock of this host is measured by, before the certificate is.
   */
  #takeGranted(bytes: Uint8Array, now: Instant): void {
    const { ledger, clock, self, wallAt } = this.#parts;
    const record = parseRecord(bytes);
    const certificate = record?.kind === 'certificate' ? parseCertificate(record.body) : undefined;
    if (certificate?.member === self) clock.heard(certificate.notBefore);
    ledger.receive(bytes, undefined, wallAt(now), now);
  }

  // As an introducer.

  #carryOutIntroducer(action: IntroducerAction, now: Instant): void {
    if (action.kind === 'send') return this.#send(action.publicKey, action.message);
    const { self, authority, directory } = this.#parts;
    const holder = authority.delegationOf(action.admin)?.holder;
    if (holder === self) return this.#redeem(self, action.message, now);
    const peer = holder && directory.get(holder)?.peer;
    if (peer) this.#send(peer.publicKey, action.message);
  }

  #tellSelf(now: Instant): void {
    const { store, authority, self } = this.#parts;
    const signer = authority.signerOf(self);
    const certificate = signer && store.get(placeOf('certificate', signer, self));
    const node = store.get(placeOf('node', self, NO_KEY));
    const records = [certificate, node].flatMap((record) => (record ? [record.bytes] : []));
    this.#introducer.handle({ kind: 'self', records }, now);
  }

  #adminKeysOf(holder: NodeId): NodeId[] {
    const { store, authority } = this.#parts;
    const keys: NodeId[] = [];
    for (const { key } of store.ofKind('delegation')) {
      const found = authority.delegationOf(nodeId(key));
      if (found?.holder === holder) keys.push(nodeIdOf(found.adminKey));
    }
    return keys;
  }

  // As the admin.

  #redeem(from: NodeId, message: ForwardMessage, now: Instant): void {
    const { authority, self } = this.#parts;
    const known = authority.invitation(message.invitation);
    const isOurs = known !== undefined && authority.delegationOf(known.admin)?.holder === self;
    const member = nodeIdOf(message.request.identityKey);
    const input = {
      kind: 'request',
      from,
      message,
      invitation: isOurs ? known.invitation : undefined,
      wall: this.#parts.wallAt(now),
      isGenuine: this.#isGenuine(message),
      isRevoked: authority.isRevoked(member),
    } as const;
    this.#redeemer.handle(input, now);
  }

  #isGenuine({ request }: ForwardMessage): boolean {
    const { network, dependencies } = this.#parts;
    const record = parseRecord(request.record);
    if (!record || record.author !== nodeIdOf(request.identityKey)) return false;
    const message = recordMessage(record, network);
    return dependencies.suite.verify(request.identityKey, message, recordSignature(record));
  }

  #carryOutRedeemer(action: RedeemerAction, now: Instant): void {
    const { keeper, self, directory, ledger } = this.#parts;
    switch (action.kind) {
      case 'redeem':
        return keeper.keep('own', now, { kind: 'redeemed', request: action.request });
      case 'grant': {
        const records = this.#grant(action, now);
        ledger.receive(action.record, self, this.#parts.wallAt(now), now);
        const { request } = action;
        const granted = records.map(({ bytes }) => bytes);
        if (granted.length > 0) {
          return this.#redeemer.handle({ kind: 'signed', request, records: granted }, now);
        }
        return this.#redeemer.handle({ kind: 'unsigned', request, why: 'busy' }, now);
      }
      default: {
        const { to, message } = action;
        if (to === self) {
          const admins = this.#adminKeysOf(self);
          return this.#introducer.handle({ kind: 'answer', admins, message }, now);
        }
        const peer = directory.get(to)?.peer;
        if (peer) this.#send(peer.publicKey, message);
      }
    }
  }

  /** The chain from the root to the certificate, which is last. */
  #grant(action: Extract<RedeemerAction, { kind: 'grant' }>, now: Instant): SignedRecord[] {
    const { store, authority, office, ledger, keeper } = this.#parts;
    const held = authority.signerOf(action.member);
    const before = held && store.get(placeOf('certificate', held, action.member));
    const signed = before ? [] : office.certify(action, now);
    for (const record of signed) ledger.adopt(record);
    if (signed.length > 0) keeper.keep('own', now);
    const chain = (['rootChange', 'network', 'delegation'] as const).flatMap((kind) => [
      ...store.ofKind(kind),
    ]);
    const last = before ?? signed.at(-1);
    return last ? [...chain, last] : [];
  }

  #send(publicKey: Uint8Array, message: JoinMessage): void {
    const body = emitJoin(message);
    this.#parts.actions.push({
      kind: 'sendControl',
      publicKey,
      message: { kind: CONTROL_JOIN, body },
    });
  }

  #tell(level: 'info' | 'warn', message: string, fields: Record<string, string>): void {
    this.#parts.actions.push({ kind: 'tell', level, message, fields });
  }
}
