/**
 * Which peer each allowed prefix belongs to, as the walk was last told. Where a configuration gives
 * one prefix to two peers, the later one has it, as with `wg`.
 */

import type { Prefix } from '../base/address.js';
import type { PeerSlot } from '../base/identifiers.js';
import type { TableWrite } from '../datapath/tables.js';

interface Owned {
  readonly prefix: Prefix;
  readonly peer: PeerSlot;
}

export class PrefixOwners {
  #owned = new Map<string, Owned>();

  /**
   * Makes `wanted`, in order, the whole table; returns the writes that tell the walk what changed.
   */
  assign(wanted: Iterable<Owned>): TableWrite[] {
    const next = new Map<string, Owned>();
    for (const owned of wanted) next.set(owned.prefix.text, owned);
    const writes: TableWrite[] = [];
    for (const [text, { prefix }] of this.#owned) {
      if (!next.has(text)) writes.push({ kind: 'removePrefix', prefix });
    }
    for (const [text, { prefix, peer }] of next) {
      if (this.#owned.get(text)?.peer !== peer) writes.push({ kind: 'insertPrefix', prefix, peer });
    }
    this.#owned = next;
    return writes;
  }

  /** The walk has forgotten these peers, and their prefixes with them. */
  forget(peers: ReadonlySet<PeerSlot>): void {
    if (peers.size === 0) return;
    for (const [text, owned] of this.#owned) if (peers.has(owned.peer)) this.#owned.delete(text);
  }

  has(prefix: Prefix, peer: PeerSlot): boolean {
    return this.#owned.get(prefix.text)?.peer === peer;
  }
}
