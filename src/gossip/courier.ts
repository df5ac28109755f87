/**
 * What goes out to members, each message with as much news as it has room for. A suspicion of the
 * member that it goes to stands first (Lifeguard's buddy system, §IV.C): nobody needs to know
 * sooner.
 */

import type { NodeId } from '../base/identifiers.js';
import type { Instant } from '../base/time.js';
import { DIGEST_BYTES, gossipRoom } from '../wire/gossip.js';
import type { GossipParts } from './parts.js';
import type { Push, Spreader } from './spreader.js';
import type { Standing } from './standing.js';

export class Courier {
  readonly #parts: GossipParts;
  readonly #spreader: Spreader;
  readonly #standing: Standing;
  #digest: Uint8Array = new Uint8Array(DIGEST_BYTES);
  #sequence: number;

  constructor(parts: GossipParts, spreader: Spreader, standing: Standing) {
    this.#parts = parts;
    this.#spreader = spreader;
    this.#standing = standing;
    this.#sequence = parts.random.u32();
  }

  /** Of our own store; borrowed by messages until the next. */
  get digest(): Uint8Array {
    return this.#digest;
  }

  setDigest(digest: Uint8Array): void {
    this.#digest = digest.slice();
  }

  nextSequence(): number {
    this.#sequence = (this.#sequence + 1) >>> 0;
    return this.#sequence;
  }

  ping(target: NodeId, sequence: number, now: Instant): void {
    const [digest, records] = [this.#digest, this.#news('ping', target, now)];
    const message = { kind: 'ping', sequence, target, digest, records } as const;
    this.#parts.actions.push({ kind: 'send', to: target, message });
  }

  ack(to: NodeId, sequence: number, now: Instant): void {
    const [digest, records] = [this.#digest, this.#news('ack', to, now)];
    this.#parts.actions.push({
      kind: 'send',
      to,
      message: { kind: 'ack', sequence, digest, records },
    });
  }

  nack(to: NodeId, sequence: number): void {
    this.#parts.actions.push({ kind: 'send', to, message: { kind: 'nack', sequence } });
  }

  pingRequest(to: NodeId, sequence: number, target: NodeId, now: Instant): void {
    const records = this.#news('pingRequest', to, now);
    const message = { kind: 'pingRequest', sequence, target, records } as const;
    this.#parts.actions.push({ kind: 'send', to, message });
  }

  spread(to: NodeId, records: readonly Uint8Array[]): void {
    this.#parts.actions.push({ kind: 'send', to, message: { kind: 'spread', records } });
  }

  carry(pushes: readonly Push[]): void {
    for (const { slot, records } of pushes) this.spread(this.#parts.table.idOf(slot), records);
  }

  #news(kind: 'ping' | 'ack' | 'pingRequest', to: NodeId, now: Instant): Uint8Array[] {
    const slot = this.#parts.table.slotOf(to);
    const first = slot === undefined ? undefined : this.#standing.accusationOf(slot);
    return this.#spreader.fill(gossipRoom(kind), first, now);
  }
}
