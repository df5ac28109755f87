/**
 * The places that peers take in the tables. A place that was left is given out again only after
 * QUARANTINE: events about its last peer may still wait in the walk's queue, and must not be taken
 * for the new one's.
 */

import { assert } from '../base/assert.js';
import { MAX_PEERS, type PeerSlot, peerSlot } from '../base/identifiers.js';
import { elapsed, type Instant, seconds } from '../base/time.js';

/** Far longer than an event ever waits. */
const QUARANTINE = seconds(10);

export class Slots {
  #unused = 0;
  /** Left slots, the longest ago first. */
  readonly #left: { readonly slot: PeerSlot; readonly at: Instant }[] = [];

  /** Undefined when all MAX_PEERS are taken or were left a moment ago. */
  claim(now: Instant): PeerSlot | undefined {
    const oldest = this.#left[0];
    if (oldest && elapsed(oldest.at, now) >= QUARANTINE) {
      this.#left.shift();
      return oldest.slot;
    }
    if (this.#unused >= MAX_PEERS) return undefined;
    return peerSlot(this.#unused++);
  }

  release(slot: PeerSlot, now: Instant): void {
    assert(slot < this.#unused, 'a released slot was claimed');
    this.#left.push({ slot, at: now });
  }
}
