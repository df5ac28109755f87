/**
 * Where each peer is: the endpoint that its datagrams go to, and whether one of its own told of
 * another.
 */

import type { Endpoint } from '../base/address.js';
import type { PeerSlot } from '../base/identifiers.js';

interface Entry {
  readonly endpoint: Endpoint;
  /** It comes from a move that was reported and not answered yet by `set`. */
  readonly moveRaised: boolean;
}

export class EndpointTable {
  readonly #entries = new Map<PeerSlot, Entry>();

  get size(): number {
    return this.#entries.size;
  }

  get(peer: PeerSlot): Endpoint | undefined {
    return this.#entries.get(peer)?.endpoint;
  }

  set(peer: PeerSlot, endpoint: Endpoint): void {
    this.#entries.set(peer, { endpoint, moveRaised: false });
  }

  remove(peer: PeerSlot): void {
    this.#entries.delete(peer);
  }

  /**
   * Whether an authenticated datagram from `source` tells that the peer moved; true once until
   * `set`. What is sent from now on goes there already. A peer without an endpoint is always news.
   */
  moved(peer: PeerSlot, source: Endpoint): boolean {
    const entry = this.#entries.get(peer);
    if (entry && (entry.moveRaised || !hasMoved(entry.endpoint, source))) return false;
    this.#entries.set(peer, { endpoint: source, moveRaised: true });
    return true;
  }
}

/**
 * Another address or port, or, where the source says how it reached us, another local address or
 * interface.
 */
export function hasMoved(known: Endpoint, source: Endpoint): boolean {
  if (known.text !== source.text) return true;
  if (!source.local) return false;
  return (
    known.local?.address.text !== source.local.address.text ||
    known.local.interfaceIndex !== source.local.interfaceIndex
  );
}
