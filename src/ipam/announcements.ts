/**
 * Who is the way to each prefix behind a member. Of those who announce it and may
 * (announcement_policy.ts) the first in this order has it, and all nodes that know the same agree:
 *
 *   alive before suspect; failed, left and revoked never
 *   the lower metric
 *   the lower id
 *
 * so that what a member that fails was the way to goes to another as soon as it is suspected.
 * What this node announces itself it does not send to others, whoever else announces it.
 *
 * A change of one member or one record costs what that member announces, times who else announces
 * the same. Limits: ANNOUNCEMENTS an author, of which the lowest keys count, so that all nodes
 * keep the same; AUTHORS authors.
 */

import type { Prefix } from '../base/address.js';
import type { NodeId } from '../base/identifiers.js';
import {
  announcementKey,
  type AnnouncementStatement,
  parseAnnouncement,
} from './announcement_body.js';
import {
  type AnnouncementRefusal,
  isDefaultRoute,
  judgeAnnouncement,
  type Permit,
} from './announcement_policy.js';
import { covers } from './overlap.js';

/** Of one author, those that were withdrawn included. */
export const ANNOUNCEMENTS = 64;
const AUTHORS = 32_768;

export type AnnouncerStatus = 'alive' | 'suspect' | 'failed' | 'left' | 'revoked';

export interface AnnouncementScope {
  readonly self: NodeId;
  /** What is the overlay's own: its pool and its IPv6 prefix. */
  readonly overlay: readonly Prefix[];
  readonly acceptsDefaultRoutes: boolean;
  /** Networks this host is in by itself: nothing of them is taken from it. */
  readonly ownNetworks: readonly Prefix[];
}

export interface RefusedAnnouncement {
  readonly author: NodeId;
  /** Undefined where it is malformed, or one too many. */
  readonly prefix: Prefix | undefined;
  readonly reason: AnnouncementRefusal;
}

export interface RoutedPrefix {
  readonly prefix: Prefix;
  readonly owner: NodeId;
}

interface Announcement {
  readonly author: Announcer;
  readonly statement: AnnouncementStatement;
  refusal: AnnouncementRefusal | undefined;
}

interface Announcer {
  readonly id: NodeId;
  status: AnnouncerStatus;
  permit: Permit | undefined;
  /** By key; undefined: malformed. Absent like `owned` until there is one: few announce. */
  announcements: Map<string, Announcement | undefined> | undefined;
  /** Further ones came. */
  hasTooMany: boolean;
  /** What it is the way to, by text. */
  owned: Map<string, Prefix> | undefined;
}

/** All that announce one prefix. */
interface Contest {
  readonly prefix: Prefix;
  readonly candidates: Set<Announcement>;
  owner: Announcer | undefined;
}

export class Announcements {
  #scope: AnnouncementScope;
  readonly #announcers = new Map<NodeId, Announcer>();
  /** By the prefix's text. */
  readonly #contests = new Map<string, Contest>();
  readonly #changed = new Set<NodeId>();

  constructor(scope: AnnouncementScope) {
    this.#scope = scope;
  }

  /** Costs a walk over all. */
  setScope(scope: AnnouncementScope): void {
    this.#scope = scope;
    for (const announcer of this.#announcers.values()) this.#judgeAll(announcer);
  }

  /** An announcement record is in force in the store. */
  put(author: NodeId, key: string, body: Uint8Array): void {
    const announcer = this.#announcerOf(author);
    if (!announcer || !this.#makeRoom(announcer, key)) return;
    announcer.announcements ??= new Map();
    this.#withdraw(announcer.announcements.get(key));
    const statement = parseAnnouncement(body);
    if (!statement || announcementKey(statement.prefix) !== key) {
      announcer.announcements.set(key, undefined);
      return;
    }
    const announcement: Announcement = { author: announcer, statement, refusal: undefined };
    announcer.announcements.set(key, announcement);
    if (statement.isWithdrawn) return;
    this.#contestOf(statement.prefix).candidates.add(announcement);
    this.#judge(announcement);
    this.#decide(statement.prefix);
  }

  /** What the member's certificate allows it; undefined: it has none. */
  permit(id: NodeId, permit: Permit | undefined): void {
    const announcer = this.#announcerOf(id);
    if (!announcer) return;
    announcer.permit = permit;
    this.#judgeAll(announcer);
    this.#forgetIfEmpty(announcer);
  }

  setStatus(id: NodeId, status: AnnouncerStatus): void {
    const announcer = this.#announcerOf(id);
    if (!announcer || announcer.status === status) return;
    announcer.status = status;
    for (const each of announcer.announcements?.values() ?? []) {
      if (each && !each.statement.isWithdrawn) this.#decide(each.statement.prefix);
    }
    this.#forgetIfEmpty(announcer);
  }

  /** The member's records are in the store no more. */
  forget(id: NodeId): void {
    const announcer = this.#announcers.get(id);
    if (!announcer) return;
    for (const each of announcer.announcements?.values() ?? []) this.#withdraw(each);
    this.#announcers.delete(id);
  }

  /** What the member is the way to. */
  prefixesOf(id: NodeId): Prefix[] {
    return [...(this.#announcers.get(id)?.owned?.values() ?? [])];
  }

  /** Every prefix that goes to somebody else, with whom it goes to. */
  *routed(): Generator<RoutedPrefix> {
    for (const { prefix, owner } of this.#contests.values()) {
      if (owner && owner.id !== this.#scope.self) yield { prefix, owner: owner.id };
    }
  }

  /** What was announced and is not taken. */
  *refusals(): Generator<RefusedAnnouncement> {
    for (const { id: author, announcements, hasTooMany } of this.#announcers.values()) {
      for (const each of announcements?.values() ?? []) {
        if (!each) yield { author, prefix: undefined, reason: 'malformed' };
        else if (each.refusal) {
          yield { author, prefix: each.statement.prefix, reason: each.refusal };
        }
      }
      if (hasTooMany) yield { author, prefix: undefined, reason: 'too_many' };
    }
  }

  /** Who became, or ceased to be, the way to something since it was asked last. */
  takeChanged(): NodeId[] {
    const changed = [...this.#changed];
    this.#changed.clear();
    return changed;
  }

  #announcerOf(id: NodeId): Announcer | undefined {
    const known = this.#announcers.get(id);
    if (known || this.#announcers.size >= AUTHORS) return known;
    const announcer: Announcer = {
      id,
      status: 'alive',
      permit: undefined,
      announcements: undefined,
      hasTooMany: false,
      owned: undefined,
    };
    this.#announcers.set(id, announcer);
    return announcer;
  }

  /** One of whom nothing is known but what is so of anybody takes no memory. */
  #forgetIfEmpty({ id, status, permit, announcements }: Announcer): void {
    const allowsNothing = !permit || (permit.prefixes.length === 0 && !permit.mayAnnounceDefault);
    if (status === 'alive' && allowsNothing && !announcements?.size) {
      this.#announcers.delete(id);
    }
  }

  /** Whether the key is among the lowest; makes the highest go where there are too many. */
  #makeRoom(announcer: Announcer, key: string): boolean {
    const { announcements } = announcer;
    if (!announcements || announcements.has(key) || announcements.size < ANNOUNCEMENTS) return true;
    announcer.hasTooMany = true;
    let highest = key;
    for (const each of announcements.keys()) if (each > highest) highest = each;
    if (highest === key) return false;
    this.#withdraw(announcements.get(highest));
    announcements.delete(highest);
    return true;
  }

  #contestOf(prefix: Prefix): Contest {
    const known = this.#contests.get(prefix.text);
    if (known) return known;
    const contest: Contest = { prefix, candidates: new Set(), owner: undefined };
    this.#contests.set(prefix.text, contest);
    return contest;
  }

  #withdraw(announcement: Announcement | undefined): void {
    if (!announcement || announcement.statement.isWithdrawn) return;
    const { prefix } = announcement.statement;
    this.#contests.get(prefix.text)?.candidates.delete(announcement);
    this.#decide(prefix);
  }

  #judgeAll({ announcements }: Announcer): void {
    for (const each of announcements?.values() ?? []) {
      if (!each || each.statement.isWithdrawn) continue;
      this.#judge(each);
      this.#decide(each.statement.prefix);
    }
  }

  #judge(announcement: Announcement): void {
    const { author, statement } = announcement;
    const { overlay } = this.#scope;
    announcement.refusal =
      judgeAnnouncement(statement.prefix, author.permit, overlay) ??
      this.#judgeHere(author, statement.prefix);
  }

  /** Why this host does not take what others do. */
  #judgeHere({ id }: Announcer, prefix: Prefix): AnnouncementRefusal | undefined {
    const { self, acceptsDefaultRoutes, ownNetworks } = this.#scope;
    if (id === self) return undefined;
    if (isDefaultRoute(prefix)) return acceptsDefaultRoutes ? undefined : 'default_not_accepted';
    return isWithin(prefix, ownNetworks) ? 'own_network' : undefined;
  }

  #decide(prefix: Prefix): void {
    const contest = this.#contests.get(prefix.text);
    if (!contest) return;
    let best: Announcement | undefined;
    for (const each of contest.candidates) {
      if (each.refusal || !isThere(each.author)) continue;
      if (!best || this.#goesBefore(each, best)) best = each;
    }
    if (contest.candidates.size === 0) this.#contests.delete(prefix.text);
    const [before, now] = [contest.owner, best?.author];
    if (before === now) return;
    contest.owner = now;
    before?.owned?.delete(prefix.text);
    if (now) {
      now.owned ??= new Map();
      now.owned.set(prefix.text, prefix);
    }
    for (const each of [before, now]) if (each) this.#changed.add(each.id);
  }

  #goesBefore(a: Announcement, b: Announcement): boolean {
    const { self } = this.#scope;
    if ((a.author.id === self) !== (b.author.id === self)) return a.author.id === self;
    const isAlive = a.author.status === 'alive';
    if (isAlive !== (b.author.status === 'alive')) return isAlive;
    const difference = a.statement.metric - b.statement.metric;
    return difference === 0 ? a.author.id < b.author.id : difference < 0;
  }
}

/** A network so large that it is the internet is nobody's own. */
function isWithin(prefix: Prefix, networks: readonly Prefix[]): boolean {
  return networks.some((network) => !isDefaultRoute(network) && covers(network, prefix));
}

function isThere({ status }: Announcer): boolean {
  return status === 'alive' || status === 'suspect';
}
