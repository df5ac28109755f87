/**
 * Packets waiting for a session: a queue a peer, made when it is first needed, at most
 * STAGED_PER_PEER long.
 */

import { BoundedQueue } from '../base/bounded_queue.js';
import type { PeerSlot } from '../base/identifiers.js';
import { STAGED_PER_PEER } from './tables.js';

export class Staged {
  readonly #queues = new Map<PeerSlot, BoundedQueue<Uint8Array>>();

  /** Copies the packet to the end of the peer's queue; true when the oldest had to go for it. */
  push(peer: PeerSlot, packet: Uint8Array): boolean {
    let queue = this.#queues.get(peer);
    if (!queue) {
      queue = new BoundedQueue(STAGED_PER_PEER);
      this.#queues.set(peer, queue);
    }
    return queue.push(packet.slice()) !== undefined;
  }

  /** What was staged for the peer, oldest first; nothing is staged for it after. */
  take(peer: PeerSlot): Uint8Array[] {
    const queue = this.#queues.get(peer);
    this.#queues.delete(peer);
    return queue?.takeAll() ?? [];
  }
}
