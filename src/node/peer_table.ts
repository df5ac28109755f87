/**
 * The peers of a node: by public key, and by slot. The order is the configuration's. Both ways take
 * one step, and an idle peer takes about a kilobyte, its session core and endpoint included.
 */

import type { PeerSlot } from '../base/identifiers.js';
import type { Instant, WallTime } from '../base/time.js';
import type { Session } from '../session/session.js';
import type { PeerConfig } from './config.js';

export interface Peer {
  readonly slot: PeerSlot;
  readonly session: Session;
  /** As last configured. */
  config: PeerConfig;
  latestHandshake: { readonly at: Instant; readonly wall: WallTime } | undefined;
}

export class PeerTable {
  #byKey = new Map<string, Peer>();
  readonly #bySlot: (Peer | undefined)[] = [];

  get size(): number {
    return this.#byKey.size;
  }

  /** In the order of the configuration. */
  all(): Iterable<Peer> {
    return this.#byKey.values();
  }

  atSlot(slot: PeerSlot): Peer | undefined {
    return this.#bySlot[slot];
  }

  withKey(publicKey: Uint8Array): Peer | undefined {
    return this.#byKey.get(keyText(publicKey));
  }

  /** Makes `peers`, in order, the whole table; returns those that left it. */
  replaceAll(peers: readonly Peer[]): Peer[] {
    const next = new Map(peers.map((peer) => [keyText(peer.config.publicKey), peer] as const));
    const gone: Peer[] = [];
    for (const [key, peer] of this.#byKey) if (next.get(key) !== peer) gone.push(peer);
    for (const { slot } of gone) this.#bySlot[slot] = undefined;
    for (const peer of peers) this.#bySlot[peer.slot] = peer;
    this.#byKey = next;
    return gone;
  }
}

/** A public key as a map key: one character a byte, which is the smallest a string can be. */
export function keyText(publicKey: Uint8Array): string {
  return String.fromCharCode(...publicKey);
}
