/**
 * An admin's side of joining: the one place where a use of an invitation becomes a member. Checking
 * a use and taking it are one step here, and it is on disk before anything is signed, so that of
 * two hosts that race through two introducers one joins, and a use is never taken twice, whatever
 * is lost, repeated or crashes in between.
 *
 *   request --free--> persisting --safe--> signing --signed--> granted, to all that asked
 *      |                  \--not safe--> refused as busy, and free again
 *      \--taken by the same identity--> signing
 *      \--taken by another identity---> refused as used
 *
 * An identity that has one use of an invitation needs no other: asked by another use of the same
 * invitation it is granted what it has, after the invitation has expired, too, since it was taken
 * in time; not when the invitation, or the identity itself, was revoked since. While a use
 * is being persisted for one identity, another is told to ask again (`busy`): should the disk fail
 * it may have it.
 *
 * No deadlines: who asked in vain asks again. Limits: PENDING requests at once and ASKERS of each;
 * REDEMPTIONS kept; beyond them it is busy. Source: heddle's protocol, version 1.
 */

import { unreachable } from '../base/assert.js';
import type { NodeId } from '../base/identifiers.js';
import { type Instant, NEVER, type WallTime } from '../base/time.js';
import type { Invitation } from '../identity/invitation.js';
import { nodeIdOf } from '../identity/node_id.js';
import type { JoinRefusal, JoinRequest } from '../wire/join.js';
import { parseRecord } from '../wire/record.js';
import type { Redemption, RedeemerAction } from './action.js';
import type { RedeemerInput, RedeemerMessage } from './input.js';

const PENDING = 64;
const ASKERS = 8;
const REDEMPTIONS = 4_096;

type Request = Extract<RedeemerInput, { kind: 'request' }>;

/** An introducer, and its number for the request. */
interface Asker {
  readonly from: NodeId;
  readonly number: number;
}

interface Pending {
  readonly request: number;
  readonly redemption: Redemption;
  readonly join: JoinRequest;
  readonly invitation: Invitation;
  phase: 'persisting' | 'signing';
  readonly askers: Asker[];
}

export class Redeemer {
  /** By invitation and use; what is being persisted is among them. */
  readonly #redeemed = new Map<string, Redemption>();
  /** By member: one request of an identity at once. */
  readonly #pending = new Map<NodeId, Pending>();
  readonly #actions: RedeemerAction[] = [];
  #nextRequest = 1;

  /** `redeemed`: as kept. */
  constructor(redeemed: Iterable<Redemption>) {
    for (const each of redeemed) this.#redeemed.set(keyOf(each.invitation, each.use), each);
  }

  /** All that must be on disk, in the order in which it came. */
  redemptions(): readonly Redemption[] {
    return [...this.#redeemed.values()];
  }

  /** How many uses of this invitation are taken. */
  usesOf(invitation: string): number {
    let uses = 0;
    for (const each of this.#redeemed.values()) if (each.invitation === invitation) uses++;
    return uses;
  }

  handle(input: RedeemerInput, _now: Instant): void {
    switch (input.kind) {
      case 'request':
        return this.#take(input);
      case 'redeemed':
        return this.#persisted(input.request, input.isSafe);
      case 'signed':
        return this.#signed(input.request, input.records);
      case 'unsigned':
        return this.#unsigned(input.request, input.why);
      case 'forget':
        for (const [key, { invitation }] of this.#redeemed) {
          if (invitation === input.invitation) this.#redeemed.delete(key);
        }
        return;
      default:
        return unreachable(input);
    }
  }

  /** Nothing here passes with time. */
  advance(_now: Instant): void {}

  deadline(): Instant {
    return NEVER;
  }

  /** Moves what is wanted, in order, into `out`. */
  drain(out: RedeemerAction[]): void {
    for (const action of this.#actions) out.push(action);
    this.#actions.length = 0;
  }

  #take(input: Request): void {
    const { from, message } = input;
    const asker = { from, number: message.number };
    const member = nodeIdOf(message.request.identityKey);
    const why = this.#fault(input, member);
    if (why) return this.#refuse([asker], why);
    const pending = this.#pending.get(member);
    if (pending) return this.#join(pending, asker);
    const held = this.#heldBy(member, message.invitation);
    const refusal = this.#refusal(input, held !== undefined);
    if (refusal) return this.#refuse([asker], refusal);
    const { use, request } = message;
    if (!input.invitation) return;
    const redemption = held ?? { invitation: message.invitation, use, member };
    const fresh: Pending = {
      request: this.#nextRequest++,
      redemption,
      join: copyOf(request),
      invitation: input.invitation,
      phase: held ? 'signing' : 'persisting',
      askers: [asker],
    };
    this.#pending.set(member, fresh);
    if (held) return this.#grant(fresh);
    this.#redeemed.set(keyOf(redemption.invitation, use), redemption);
    this.#actions.push({ kind: 'redeem', request: fresh.request, redemption });
  }

  /** Why this identity cannot join at all. */
  #fault(input: Request, member: NodeId): JoinRefusal | undefined {
    const record = parseRecord(input.message.request.record);
    if (record?.kind !== 'node' || record.author !== member || !input.isGenuine) return 'malformed';
    return input.isRevoked ? 'revoked' : undefined;
  }

  /** Why this use cannot be taken now, or what is held not be granted. */
  #refusal({ message, invitation, wall }: Request, isHeld: boolean): JoinRefusal | undefined {
    if (!invitation || message.use >= invitation.publicKeys.length) return 'unknown_invitation';
    if (invitation.isRevoked) return 'revoked';
    if (this.#pending.size >= PENDING) return 'busy';
    if (isHeld) return undefined;
    const other = this.#redeemed.get(keyOf(message.invitation, message.use));
    if (other) return this.#pending.get(other.member)?.phase === 'persisting' ? 'busy' : 'used';
    if (hasExpired(invitation, wall)) return 'expired';
    return this.#redeemed.size >= REDEMPTIONS ? 'busy' : undefined;
  }

  #heldBy(member: NodeId, invitation: string): Redemption | undefined {
    for (const each of this.#redeemed.values()) {
      if (each.member === member && each.invitation === invitation) return each;
    }
    return undefined;
  }

  /** One more introducer asks for the same host. */
  #join(pending: Pending, asker: Asker): void {
    const { askers } = pending;
    if (askers.some((each) => each.from === asker.from && each.number === asker.number)) return;
    if (askers.length >= ASKERS) return this.#refuse([asker], 'busy');
    askers.push(asker);
  }

  #persisted(request: number, isSafe: boolean): void {
    const pending = this.#withRequest(request);
    if (pending?.phase !== 'persisting') return;
    if (isSafe) {
      pending.phase = 'signing';
      return this.#grant(pending);
    }
    const { invitation, use } = pending.redemption;
    this.#redeemed.delete(keyOf(invitation, use));
    this.#close(pending);
    this.#refuse(pending.askers, 'busy');
  }

  #grant({ request, redemption, join, invitation }: Pending): void {
    this.#actions.push({
      kind: 'grant',
      request,
      member: redemption.member,
      identityKey: join.identityKey,
      name: invitation.name ?? join.name,
      groups: invitation.groups,
      prefixes: invitation.prefixes,
      isAdmin: invitation.isAdmin,
      record: join.record,
    });
  }

  #signed(request: number, records: readonly Uint8Array[]): void {
    const pending = this.#withRequest(request);
    if (pending?.phase !== 'signing') return;
    this.#close(pending);
    for (const { from, number } of pending.askers) {
      for (const record of records) this.#reply(from, { kind: 'granted', number, record });
    }
  }

  #unsigned(request: number, why: JoinRefusal): void {
    const pending = this.#withRequest(request);
    if (pending?.phase !== 'signing') return;
    this.#close(pending);
    this.#refuse(pending.askers, why);
  }

  #refuse(askers: readonly Asker[], why: JoinRefusal): void {
    for (const { from, number } of askers) this.#reply(from, { kind: 'refused', number, why });
  }

  #reply(to: NodeId, message: RedeemerMessage): void {
    this.#actions.push({ kind: 'reply', to, message });
  }

  #withRequest(request: number): Pending | undefined {
    for (const pending of this.#pending.values()) if (pending.request === request) return pending;
    return undefined;
  }

  #close({ redemption }: Pending): void {
    this.#pending.delete(redemption.member);
  }
}

function keyOf(invitation: string, use: number): string {
  return `${invitation} ${use}`;
}

function hasExpired({ expires }: Invitation, wall: WallTime): boolean {
  return wall >= expires;
}

function copyOf({ identityKey, name, record }: JoinRequest): JoinRequest {
  return { identityKey: identityKey.slice(), name, record: record.slice() };
}
