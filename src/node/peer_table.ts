/**
 * The peers of a node: by public key, and by slot. The order is the configuration's. Both ways take
 * one step, and an idle peer takes about a kilobyte, its session core and endpoint included.
 */

import { pack, shared } from '../base/bytes.js';
import type { PeerSlot } from '../base/identifiers.js';
import type { Instant, WallTime } from '../base/time.js';
import type { Session } from '../session/session.js';
import type { PeerConfig } from './config.js';

export interface Peer {
  readonly slot: PeerSlot;
  /** Made when it is first used. */
  readonly session: Session;
  /** Whether it was made. */
  readonly hasSession: boolean;
  /** As last configured, or as the mesh has it. */
  config: PeerConfig;
  /** It is a peer by the mesh, which a configuration neither changes nor removes. */
  readonly isMesh: boolean;
  /** Another public key that it may begin handshakes by: the mesh's, while it changes keys. */
  otherKey: Uint8Array | undefined;
  /** It said no hello when it should have, and the log has it. */
  isStockTold: boolean;
  latestHandshake: { readonly at: Instant; readonly wall: WallTime } | undefined;
}

export class PeerTable {
  #byKey = new Map<string, Peer>();
  readonly #byOtherKey = new Map<string, Peer>();
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
    const key = keyText(publicKey);
    return this.#byKey.get(key) ?? this.#byOtherKey.get(key);
  }

  /** One more, with its key and its other one. */
  add(peer: Peer): void {
    this.#byKey.set(shared(keyText(peer.config.publicKey)), peer);
    this.#bySlot[peer.slot] = peer;
    if (peer.otherKey) this.#byOtherKey.set(keyText(peer.otherKey), peer);
  }

  remove(peer: Peer): void {
    this.#forgetKeys(peer);
    this.#bySlot[peer.slot] = undefined;
  }

  /** It is found by these from now on. */
  rename(peer: Peer, config: PeerConfig, otherKey: Uint8Array | undefined): void {
    this.#forgetKeys(peer);
    peer.config = config;
    peer.otherKey = otherKey;
    this.add(peer);
  }

  #forgetKeys(peer: Peer): void {
    const key = keyText(peer.config.publicKey);
    if (this.#byKey.get(key) === peer) this.#byKey.delete(key);
    const other = peer.otherKey && keyText(peer.otherKey);
    if (other && this.#byOtherKey.get(other) === peer) this.#byOtherKey.delete(other);
  }

  /** Makes `peers`, in order, the whole table; returns those that left it. */
  replaceAll(peers: readonly Peer[]): Peer[] {
    const next = new Map(peers.map((peer) => [keyText(peer.config.publicKey), peer] as const));
    const gone: Peer[] = [];
    for (const [key, peer] of this.#byKey) if (next.get(key) !== peer) gone.push(peer);
    for (const peer of gone) this.remove(peer);
    for (const peer of peers) this.#bySlot[peer.slot] = peer;
    this.#byKey = next;
    return gone;
  }
}

/** A public key as a map key: one character a byte, which is the smallest a string can be. */
export function keyText(publicKey: Uint8Array): string {
  return pack(publicKey);
}
