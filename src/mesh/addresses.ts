/**
 * What members have: overlay addresses, leases, subnets and the prefixes behind them. It feeds the
 * cores of ipam/ with what the mesh learns, keeps what they claim for us on disk before it is
 * spread, and tells the host what its interface is to have.
 *
 * Deadline: that of the leases.
 */

import type { InterfaceAddress, Prefix } from '../base/address.js';
import type { NodeId } from '../base/identifiers.js';
import { type Instant, NEVER } from '../base/time.js';
import type { MemberStatus } from '../gossip/action.js';
import type { IpamAction } from '../ipam/action.js';
import { planAnnouncements } from '../ipam/announcement_plan.js';
import { Announcements } from '../ipam/announcements.js';
import type { Standing } from '../ipam/input.js';
import { Ipam } from '../ipam/ipam.js';
import { overlayAddress, overlayPrefix } from '../ipam/overlay6.js';
import type { SignedRecord } from '../wire/record.js';
import type { MeshParts } from './parts.js';

export interface AddressesParts extends MeshParts {
  readonly announce: readonly Prefix[];
  readonly acceptsDefaultRoutes: boolean;
  readonly subnetLength: number | undefined;
}

export class Addresses {
  readonly #parts: AddressesParts;
  readonly #ipam = new Ipam();
  readonly #overlay: Prefix;
  #announcements: Announcements | undefined;
  #changed = new Set<NodeId>();
  /** What the host was told last. */
  #told = '';
  #isCertified = false;

  constructor(parts: AddressesParts) {
    this.#parts = parts;
    this.#overlay = overlayPrefix(parts.network);
  }

  /** The network's record came into force, or another took its place. */
  setNetwork(now: Instant): void {
    const { network, self, authority, store } = this.#parts;
    const statement = authority.network();
    if (!statement) return;
    const { pool, createdAt } = statement;
    const wall = this.#parts.wallAt(now);
    if (this.#announcements) {
      this.#ipam.handle({ kind: 'pool', pool, createdAt }, now);
      this.#announcements.setScope(this.#scope(pool));
      return;
    }
    this.#announcements = new Announcements(this.#scope(pool));
    const own = [...store.by(self)].filter(({ kind }) => kind === 'lease');
    const { subnetLength } = this.#parts;
    const start = { network, self, pool, createdAt, wall, own, subnetLength } as const;
    this.#ipam.handle({ kind: 'start', ...start }, now);
    for (const record of store.records()) this.accept(record, now);
    for (const id of authority.members()) this.#permit(id);
  }

  /** A lease or an announcement came into force; other kinds mean nothing here. */
  accept(record: SignedRecord, now: Instant): void {
    const { kind, author, key, version, body } = record;
    if (!this.#announcements) return;
    if (kind === 'lease') this.#ipam.handle({ kind, author, key, version, body }, now);
    else if (kind === 'announcement') this.#announcements.put(author, key, body);
  }

  /** We are a member: leases may be claimed, prefixes announced. */
  certified(now: Instant): void {
    this.#isCertified = true;
    this.#announceOurs(now);
  }

  /** A member is certified, anew or again. */
  permit(id: NodeId): void {
    if (this.#announcements) this.#permit(id);
  }

  statusChanged(id: NodeId, status: MemberStatus, now: Instant): void {
    if (!this.#announcements) return;
    this.#announcements.setStatus(id, status);
    const standing: Standing = status === 'suspect' ? 'alive' : status;
    this.#ipam.handle({ kind: 'standing', id, standing, since: now }, now);
  }

  /** It is a member no more. */
  dismiss(id: NodeId, isRevoked: boolean, now: Instant): void {
    if (!this.#announcements) return;
    this.#announcements.setStatus(id, isRevoked ? 'revoked' : 'failed');
    const standing: Standing = isRevoked ? 'revoked' : 'failed';
    this.#ipam.handle({ kind: 'standing', id, standing, since: now }, now);
  }

  /** What it said is held no more. */
  gone(id: NodeId, now: Instant): void {
    if (!this.#announcements) return;
    this.#announcements.forget(id);
    this.#ipam.handle({ kind: 'gone', id }, now);
  }

  /** What others hold is known: nothing has to be waited for before the first claim. */
  synced(now: Instant): void {
    if (this.#announcements) this.#ipam.handle({ kind: 'synced' }, now);
  }

  /** The disk has our claim, and it is in force. */
  claimed(key: string, now: Instant): void {
    this.#ipam.handle({ kind: 'claimed', key }, now);
  }

  prefixesOf(id: NodeId): Prefix[] {
    const own = this.#announcements ? this.#ipam.prefixesOf(id) : [];
    return [...own, ...(this.#announcements?.prefixesOf(id) ?? [])];
  }

  /** Address, subnet, and what is announced, for a person. */
  describe(id: NodeId): { addresses: string[]; subnet: string | undefined; announces: string[] } {
    if (!this.#announcements) return { addresses: [], subnet: undefined, announces: [] };
    const lease = this.#ipam.leaseOf(id, 'address')?.address.text;
    const overlay = overlayAddress(this.#overlay, id).text;
    return {
      addresses: lease === undefined ? [overlay] : [lease, overlay],
      subnet: this.#ipam.leaseOf(id, 'subnet')?.text,
      announces: this.#announcements.prefixesOf(id).map(({ text }) => text),
    };
  }

  advance(now: Instant): void {
    if (!this.#announcements) return;
    this.#ipam.handle({ kind: 'time', wall: this.#parts.wallAt(now) }, now);
    this.#ipam.advance(now);
  }

  deadline(): Instant {
    return this.#announcements && this.#isCertified ? this.#ipam.deadline() : NEVER;
  }

  /** Carries out what the cores want; returns whose prefixes are others now. */
  settle(now: Instant): readonly NodeId[] {
    if (!this.#announcements || !this.#isCertified) return [];
    const wanted: IpamAction[] = [];
    this.#ipam.drain(wanted);
    for (const action of wanted) this.#carryOut(action, now);
    for (const id of this.#announcements.takeChanged()) this.#changed.add(id);
    const changed = [...this.#changed];
    this.#changed.clear();
    if (changed.length > 0 || this.#told === '') this.#tellHost();
    return changed;
  }

  #carryOut(action: IpamAction, now: Instant): void {
    const { clock, scribe, keys, keeper, dependencies, actions, authority } = this.#parts;
    switch (action.kind) {
      case 'claim': {
        const { key, body } = action;
        const version = clock.next(this.#parts.wallAt(now));
        const record = scribe.sign({ kind: 'lease', key, version, body }, keys.identity);
        keeper.keep('own', now, { kind: 'claimed', key, record });
        return;
      }
      case 'changed':
        for (const id of action.ids) this.#changed.add(id);
        return;
      case 'readdressed': {
        const { from, to, because } = action;
        const fields = {
          from: from.text,
          to: to.text,
          ...(because ? { because: authority.certificateOf(because)?.name ?? because } : {}),
        };
        actions.push({
          kind: 'tell',
          level: 'warn',
          message: 'This host has another address',
          fields,
        });
        return;
      }
      default:
        dependencies.log.warn('No address is free in the pool', { pool: action.pool.text });
    }
  }

  #announceOurs(now: Instant): void {
    const { store, self, clock, scribe, keys, keeper, announce } = this.#parts;
    const own = [...store.by(self)].filter(({ kind }) => kind === 'announcement');
    for (const { key, body } of planAnnouncements(announce, own)) {
      const version = clock.next(this.#parts.wallAt(now));
      const record = scribe.sign({ kind: 'announcement', key, version, body }, keys.identity);
      keeper.keep('own', now, { kind: 'publish', record });
    }
  }

  #permit(id: NodeId): void {
    this.#announcements?.permit(id, this.#parts.authority.certificateOf(id));
  }

  #scope(pool: Prefix): ConstructorParameters<typeof Announcements>[0] {
    const { self, acceptsDefaultRoutes } = this.#parts;
    const overlay = [pool, this.#overlay];
    return { self, overlay, acceptsDefaultRoutes, ownNetworks: [] };
  }

  /** One connected route for the pool and one for the overlay's IPv6, and routes for the rest. */
  #tellHost(): void {
    const { self, authority, actions } = this.#parts;
    const pool = authority.network()?.pool;
    if (!pool || !this.#announcements) return;
    const addresses: InterfaceAddress[] = [];
    const lease = this.#ipam.leaseOf(self, 'address')?.address;
    if (lease) addresses.push(withLength(lease, pool.length));
    addresses.push(withLength(overlayAddress(this.#overlay, self), this.#overlay.length));
    const prefixes = Array.from(this.#announcements.routed(), ({ prefix }) => prefix);
    const told = [...addresses, ...prefixes].map(({ text }) => text).join(' ');
    if (told === this.#told) return;
    this.#told = told;
    actions.push({ kind: 'addresses', addresses, prefixes });
  }
}

function withLength(address: InterfaceAddress['address'], length: number): InterfaceAddress {
  return { address, length, text: `${address.text}/${length}` };
}
