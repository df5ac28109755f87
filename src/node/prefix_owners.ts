/**
 * Which peer each allowed prefix belongs to, as the walk was last told. Where a configuration gives
 * one prefix to two peers, the later one has it, as with `wg`.
 */

import { type Prefix, parsePrefix } from '../base/address.js';
import { present } from '../base/assert.js';
import type { PeerSlot } from '../base/identifiers.js';
import type { TableWrite } from '../datapath/tables.js';

interface Owned {
  readonly prefix: Prefix;
  readonly peer: PeerSlot;
}

export class PrefixOwners {
  /** By the prefix's text, from which it can be had again. */
  #owned = new Map<string, PeerSlot>();

  /**
   * Makes `wanted`, in order, the whole table; returns the writes that tell the walk what changed.
   */
  assign(wanted: Iterable<Owned>): TableWrite[] {
    const next = new Map<string, Owned>();
    for (const owned of wanted) next.set(owned.prefix.text, owned);
    const writes: TableWrite[] = [];
    for (const text of this.#owned.keys()) {
      if (!next.has(text)) writes.push({ kind: 'removePrefix', prefix: prefixFrom(text) });
    }
    for (const [text, { prefix, peer }] of next) {
      if (this.#owned.get(text) !== peer) writes.push({ kind: 'insertPrefix', prefix, peer });
    }
    this.#owned = new Map(Array.from(next, ([text, { peer }]) => [text, peer]));
    return writes;
  }

  /**
   * One peer has these now, and no others. What `isFixed` says of an owner is not taken from it.
   */
  assignTo(
    peer: PeerSlot,
    before: readonly Prefix[],
    now: readonly Prefix[],
    isFixed: (owner: PeerSlot) => boolean,
  ): TableWrite[] {
    const writes: TableWrite[] = [];
    const kept = new Set(now.map(({ text }) => text));
    for (const prefix of before) {
      if (kept.has(prefix.text) || !this.has(prefix, peer)) continue;
      this.#owned.delete(prefix.text);
      writes.push({ kind: 'removePrefix', prefix });
    }
    for (const prefix of now) {
      const owner = this.#owned.get(prefix.text);
      if (owner === peer || (owner !== undefined && isFixed(owner))) continue;
      this.#owned.set(prefix.text, peer);
      writes.push({ kind: 'insertPrefix', prefix, peer });
    }
    return writes;
  }

  /** The walk has forgotten this peer, and these prefixes of it. */
  release(peer: PeerSlot, prefixes: readonly Prefix[]): void {
    for (const prefix of prefixes) if (this.has(prefix, peer)) this.#owned.delete(prefix.text);
  }

  /** The walk has forgotten these peers, and their prefixes with them. */
  forget(peers: ReadonlySet<PeerSlot>): void {
    if (peers.size === 0) return;
    for (const [text, owner] of this.#owned) if (peers.has(owner)) this.#owned.delete(text);
  }

  has(prefix: Prefix, peer: PeerSlot): boolean {
    return this.#owned.get(prefix.text) === peer;
  }
}

function prefixFrom(text: string): Prefix {
  return present(parsePrefix(text), 'what a prefix is called is one');
}
