/**
 * Which members are peers, as far as identity says it: certified and not expired, not revoked, and
 * by no key of somebody who is. Whoever is none any more is forgotten everywhere.
 */

import type { NodeId } from '../base/identifiers.js';
import type { Instant } from '../base/time.js';
import type { Gossip } from '../gossip/gossip.js';
import type { MembershipParts } from './membership_parts.js';
import type { WarmLinks } from './warm_links.js';

export class Peering {
  readonly #parts: MembershipParts;
  readonly #gossip: Gossip;
  readonly #links: WarmLinks;
  /** The store's digest when it was looked through last. */
  #pruned: Uint8Array | undefined;

  constructor(parts: MembershipParts, gossip: Gossip, links: WarmLinks) {
    this.#parts = parts;
    this.#gossip = gossip;
    this.#links = links;
  }

  isMember(id: NodeId, now: Instant): boolean {
    return this.#parts.authority.isMember(id, this.#parts.wallAt(now));
  }

  nameOf(id: NodeId): string {
    return this.#parts.authority.certificateOf(id)?.name ?? id;
  }

  /** What the node is to know of the member now. */
  refresh(id: NodeId, now: Instant): void {
    const { directory, addresses, self, authority } = this.#parts;
    if (id === self) return;
    const member = directory.get(id);
    const isBarred = member !== undefined && authority.isRevokedKey(member.statement.staticKey);
    if (this.isMember(id, now) && !isBarred) {
      return directory.refresh(id, { name: this.nameOf(id), prefixes: addresses.prefixesOf(id) });
    }
    directory.refresh(id, undefined);
    this.#links.forget(id);
    if (!member) return;
    this.#gossip.handle({ kind: 'forget', id }, now);
    addresses.dismiss(id, authority.isRevoked(id), now);
  }

  /** What changed by the passing of time: certificates that ended, or began. */
  sweep(now: Instant): void {
    for (const { id, peer, statement } of this.#parts.directory.all()) {
      const isWanted = statement.status === 'alive' && this.isMember(id, now);
      if ((peer !== undefined) !== isWanted) this.refresh(id, now);
    }
    this.#prune(now);
  }

  /** What nobody need hold any more: a question of what is held alone. */
  #prune(now: Instant): void {
    const { store, authority, addresses, directory, self } = this.#parts;
    if (store.digest() === this.#pruned) return;
    this.#pruned = store.digest();
    const obsolete = [...store.records()].filter((record) => authority.isObsolete(record));
    for (const record of obsolete) {
      store.remove(record.place);
      authority.forget(record);
      if (record.kind !== 'node' || record.author === self) continue;
      this.#gossip.handle({ kind: 'forget', id: record.author }, now);
      addresses.gone(record.author, now);
      directory.forget(record.author);
    }
  }
}
