/**
 * Who has which address: the IPv4 address of each member, and its subnet where it asked for one, as
 * leases that members claim by themselves and that everybody checks. Nobody allocates; of two that
 * claim the same, everybody sees the same one in force (lease_table.ts), and the other claims anew.
 *
 * For each of the two slots this node is
 *
 *   idle       it has what it wants, or wants nothing
 *   waiting    for what others hold to become known, before it claims: START_SETTLE after the
 *              start unless `synced` comes first, LOSS_SETTLE after a loss
 *   claiming   the mesh persists, signs and spreads what was chosen
 *   exhausted  nothing was free; tried again every RETRY
 *
 *   idle -> waiting        nothing in force is ours: none yet, lost, misplaced, of another length
 *   waiting -> claiming | exhausted; exhausted -> claiming
 *   waiting, exhausted -> idle   what we had came into force again
 *   claiming -> idle       `claimed`; if that lost meanwhile, on to waiting
 *   claiming -> waiting    `notClaimed`
 *
 * Nothing is ours before `claimed`, and a lease that lost is ours no more at once. A claim's stamp
 * is the group's time, and later than every plausible stamp known: who comes later loses, whatever
 * its clock says.
 *
 * The lease of a member that left or is revoked is free at once; that of one that failed lapses
 * after the grace time, and is taken only when nothing else is left. Who takes it says so, so that
 * the one who was away finds itself the loser wherever it comes back.
 *
 * Deadlines: one a slot. Limits: HOLDERS in lease_table.ts; standings of as many members.
 */

import { bitsOf, type Prefix, prefixOf } from '../base/address.js';
import { assert } from '../base/assert.js';
import type { NodeId } from '../base/identifiers.js';
import {
  after,
  type Duration,
  earliest,
  elapsed,
  type Instant,
  latest,
  millis,
  NEVER,
  seconds,
  type WallTime,
  wallTime,
} from '../base/time.js';
import type { IpamAction } from './action.js';
import type { IpamInput, LeaseRecord, Standing } from './input.js';
import { emitLease, type LeaseStatement, parseLease } from './lease_body.js';
import { HOLDERS, type Lease, LeaseTable } from './lease_table.js';
import { overlayAddress, overlayPrefix } from './overlay6.js';
import { type Pool, poolOf, SLOTS, type Slot } from './pool.js';
import { findVacancy } from './vacancy.js';

const START_SETTLE = seconds(2);
const LOSS_SETTLE = millis(500);
const RETRY = seconds(4);
/** A failed member's lease is kept for it this long, unless configured otherwise. */
const GRACE = seconds(7 * 86_400);
/** A stamp further ahead of the group's time is taken for a wrong clock. */
const STAMP_AHEAD = seconds(300);

/** By slot. */
export const LEASE_KEYS: Readonly<Record<Slot, string>> = {
  address: '0000000000000000',
  subnet: '0000000000000001',
};

export interface IpamConfig {
  /** How long a failed member's lease is kept for it. */
  readonly grace: Duration;
}

type Phase =
  | { readonly kind: 'idle' }
  | { readonly kind: 'waiting'; readonly until: Instant }
  | { readonly kind: 'claiming'; readonly statement: LeaseStatement }
  | { readonly kind: 'exhausted'; readonly until: Instant };

interface Want {
  phase: Phase;
  /** What was in force last. */
  had: Prefix | undefined;
  /** We have it no more, and nothing else yet. */
  isLost: boolean;
  /** Who has it. */
  lostTo: NodeId | undefined;
}

/** What became of a slot, for those who look. */
export interface SlotState {
  readonly phase: Phase['kind'];
  /** What we have. */
  readonly prefix: Prefix | undefined;
}

interface Started {
  readonly network: NodeId;
  readonly overlay: Prefix;
  readonly self: NodeId;
  readonly subnetLength: number | undefined;
  pool: Pool;
  createdAt: WallTime;
}

export class Ipam {
  readonly #grace: Duration;
  readonly #table = new LeaseTable();
  readonly #wants: Record<Slot, Want> = { address: wantNothing(), subnet: wantNothing() };
  /** Since when those failed that did. */
  readonly #failed = new Map<NodeId, Instant>();
  #started: Started | undefined;
  #group: { readonly wall: WallTime; readonly at: Instant } | undefined;
  /** The latest plausible stamp of a lease. */
  #latestStamp = 0;
  #settledAt: Instant = NEVER;
  readonly #changed = new Set<NodeId>();
  #actions: IpamAction[] = [];

  constructor(config: IpamConfig = { grace: GRACE }) {
    this.#grace = config.grace;
  }

  /** The pool in use. */
  get pool(): Prefix | undefined {
    return this.#started?.pool.prefix;
  }

  handle(input: IpamInput, now: Instant): void {
    switch (input.kind) {
      case 'start':
        this.#start(input, now);
        break;
      case 'pool':
        this.#setPool(input.pool, input.createdAt);
        break;
      case 'time':
        this.#group = { wall: input.wall, at: now };
        break;
      case 'synced':
        this.#endSettling(now);
        break;
      case 'lease':
        this.#take(input, now);
        break;
      case 'gone':
        for (const slot of SLOTS) this.#table.remove(input.id, slot);
        this.#setStanding(input.id, 'alive', now);
        break;
      case 'standing':
        this.#setStanding(input.id, input.standing, input.since);
        break;
      case 'claimed':
        this.#finish(input.key, true, now);
        break;
      case 'notClaimed':
        this.#finish(input.key, false, now);
        break;
    }
    this.#settle(now);
  }

  advance(now: Instant): void {
    for (const slot of SLOTS) {
      const { phase } = this.#wants[slot];
      const isTimed = phase.kind === 'waiting' || phase.kind === 'exhausted';
      if (isTimed && phase.until <= now) this.#claim(slot, now);
    }
    this.#settle(now);
  }

  deadline(): Instant {
    let found: Instant = NEVER;
    for (const slot of SLOTS) {
      const { phase } = this.#wants[slot];
      if (phase.kind === 'waiting' || phase.kind === 'exhausted') {
        found = earliest(found, phase.until);
      }
    }
    return found;
  }

  drain(out: IpamAction[]): void {
    if (this.#changed.size > 0) out.push({ kind: 'changed', ids: [...this.#changed] });
    out.push(...this.#actions);
    this.#changed.clear();
    this.#actions = [];
  }

  /** What the member has in this slot, in force. */
  leaseOf(id: NodeId, slot: Slot): Prefix | undefined {
    const lease = this.#table.get(id, slot);
    return lease?.isInForce ? lease.prefix : undefined;
  }

  /** The member's IPv6 address, its IPv4 address and its subnet, as far as it has them. */
  prefixesOf(id: NodeId): Prefix[] {
    const prefixes: Prefix[] = [];
    if (this.#started) {
      prefixes.push(prefixOf(overlayAddress(this.#started.overlay, id), bitsOf(6)));
    }
    for (const slot of SLOTS) {
      const prefix = this.leaseOf(id, slot);
      if (prefix) prefixes.push(prefix);
    }
    return prefixes;
  }

  /** All leases that are known, those that are not in force too. */
  leases(): Iterable<Lease> {
    return this.#table.all();
  }

  /** Who has what the lease, which is not in force, was for. */
  winnerOver(lease: Lease): NodeId | undefined {
    return this.#table.winnerOver(lease)?.author;
  }

  /** How this node fares. */
  stateOf(slot: Slot): SlotState {
    const { kind } = this.#wants[slot].phase;
    const self = this.#started?.self;
    return { phase: kind, prefix: self === undefined ? undefined : this.leaseOf(self, slot) };
  }

  #start(input: Extract<IpamInput, { kind: 'start' }>, now: Instant): void {
    const { network, self, createdAt, wall, own, subnetLength } = input;
    assert(!this.#started, 'ipam starts once');
    const pool = poolOf(input.pool);
    assert(pool !== undefined, 'a pool is of IPv4');
    const overlay = overlayPrefix(network);
    this.#started = { network, overlay, self, subnetLength, pool, createdAt };
    this.#group = { wall, at: now };
    this.#table.setPool(pool, createdAt);
    this.#settledAt = after(now, START_SETTLE);
    for (const record of own) this.#take(record, now);
  }

  #setPool(prefix: Prefix, createdAt: WallTime): void {
    const started = this.#started;
    const pool = poolOf(prefix);
    if (!started || !pool) return;
    if (started.pool.prefix.text === prefix.text && started.createdAt === createdAt) return;
    started.pool = pool;
    started.createdAt = createdAt;
    this.#table.setPool(pool, createdAt);
  }

  #endSettling(now: Instant): void {
    this.#settledAt = now;
    for (const slot of SLOTS) {
      const want = this.#wants[slot];
      if (want.phase.kind === 'waiting') want.phase = { kind: 'waiting', until: now };
    }
  }

  #take({ author, key, body }: LeaseRecord, now: Instant): void {
    const slot = slotOfKey(key);
    const statement = parseLease(body);
    if (!slot || !statement) return;
    if (statement.kind === 'released') return this.#table.remove(author, slot);
    const { prefix, claimedAt, reclaimed } = statement;
    if (prefix.address.family !== 4) return this.#table.remove(author, slot);
    if (claimedAt <= this.#groupTime(now) + STAMP_AHEAD) {
      this.#latestStamp = Math.max(this.#latestStamp, claimedAt);
    }
    this.#table.put({ author, slot, prefix, claimedAt, reclaimed });
  }

  #setStanding(id: NodeId, standing: Standing, since: Instant): void {
    this.#table.setVoid(id, standing === 'left' || standing === 'revoked');
    if (standing !== 'failed') this.#failed.delete(id);
    else if (!this.#failed.has(id) && this.#failed.size < HOLDERS) this.#failed.set(id, since);
  }

  /** After whatever happened: tells what changed, and looks after what is ours. */
  #settle(now: Instant): void {
    const changed = this.#table.takeChanged();
    for (const id of changed) this.#changed.add(id);
    const started = this.#started;
    if (!started) return;
    for (const slot of SLOTS) {
      if (changed.includes(started.self)) this.#noteLoss(slot, started);
      this.#review(slot, started, now);
    }
  }

  #noteLoss(slot: Slot, { self }: Started): void {
    const want = this.#wants[slot];
    const lease = this.#table.get(self, slot);
    if (lease?.isInForce) {
      const { prefix } = lease;
      if (want.isLost && want.had && want.had.text !== prefix.text) {
        const [from, because] = [want.had, want.lostTo];
        this.#actions.push({ kind: 'readdressed', from, to: prefix, because });
      }
      want.had = prefix;
      want.isLost = false;
    } else if (want.had && !want.isLost) {
      want.isLost = true;
      want.lostTo = lease && this.winnerOver(lease);
    }
  }

  #review(slot: Slot, started: Started, now: Instant): void {
    const want = this.#wants[slot];
    if (want.phase.kind === 'claiming') return;
    const lease = this.#table.get(started.self, slot);
    const isWanted = slot === 'address' || started.subnetLength !== undefined;
    const isRight = lease?.isInForce && lease.prefix.length === lengthOf(slot, started);
    if (isWanted ? isRight : !lease) want.phase = { kind: 'idle' };
    else if (want.phase.kind === 'idle') {
      const ready = want.isLost ? after(now, LOSS_SETTLE) : now;
      want.phase = { kind: 'waiting', until: latest(ready, this.#settledAt) };
    }
  }

  #claim(slot: Slot, now: Instant): void {
    const started = this.#started;
    const want = this.#wants[slot];
    if (!started) return;
    const statement = this.#choose(slot, started, now);
    if (statement) {
      want.phase = { kind: 'claiming', statement };
      this.#actions.push({ kind: 'claim', key: LEASE_KEYS[slot], body: emitLease(statement) });
      return;
    }
    if (want.phase.kind !== 'exhausted') {
      const { pool } = started;
      const length = lengthOf(slot, started) ?? bitsOf(4);
      this.#actions.push({ kind: 'exhausted', pool: pool.prefix, length });
    }
    want.phase = { kind: 'exhausted', until: after(now, RETRY) };
  }

  /** Undefined when nothing is free. */
  #choose(slot: Slot, started: Started, now: Instant): LeaseStatement | undefined {
    const length = lengthOf(slot, started);
    if (length === undefined) return { kind: 'released' };
    const { pool, self } = started;
    const isLapsed = ({ author }: Lease): boolean => {
      const since = this.#failed.get(author);
      return since !== undefined && elapsed(since, now) >= this.#grace;
    };
    const vacancy = findVacancy(pool, this.#table, { node: self, slot, length, isLapsed });
    if (!vacancy) return undefined;
    const reclaimed = vacancy.reclaimed.map(({ author, claimedAt }) => {
      return { holder: author, claimedAt };
    });
    const { prefix } = vacancy;
    return { kind: 'held', prefix, claimedAt: this.#stamp(started, now), reclaimed };
  }

  /** For a claim made now. */
  #stamp({ createdAt }: Started, now: Instant): WallTime {
    return wallTime(Math.max(this.#groupTime(now), createdAt, this.#latestStamp + 1));
  }

  #groupTime(now: Instant): number {
    return this.#group ? this.#group.wall + elapsed(this.#group.at, now) : 0;
  }

  /** What was claimed is safe, and ours; or it could not be made safe. */
  #finish(key: string, isSafe: boolean, now: Instant): void {
    const slot = slotOfKey(key);
    const started = this.#started;
    if (!slot || !started) return;
    const want = this.#wants[slot];
    if (want.phase.kind !== 'claiming') return;
    const { statement } = want.phase;
    if (!isSafe) {
      want.phase = { kind: 'waiting', until: after(now, RETRY) };
      return;
    }
    want.phase = { kind: 'idle' };
    const author = started.self;
    if (statement.kind === 'released') return this.#table.remove(author, slot);
    const { prefix, claimedAt, reclaimed } = statement;
    this.#latestStamp = Math.max(this.#latestStamp, claimedAt);
    this.#table.put({ author, slot, prefix, claimedAt, reclaimed });
  }
}

function wantNothing(): Want {
  return { phase: { kind: 'idle' }, had: undefined, isLost: false, lostTo: undefined };
}

/** Of what we want; undefined: nothing. */
function lengthOf(slot: Slot, { subnetLength }: Started): number | undefined {
  return slot === 'address' ? bitsOf(4) : subnetLength;
}

function slotOfKey(key: string): Slot | undefined {
  return SLOTS.find((slot) => LEASE_KEYS[slot] === key);
}
