/**
 * Which peer a 32-bit session index belongs to: the receiver field of responses, cookie replies and
 * data (WireGuard §5.4). An index is random, taken when a handshake begins, kept by the keypair
 * that comes of it, and freed with either. It is a multiple of 16: the fifteen behind it belong to
 * the same peer, eight of them to the lanes of the session (lane_keys.ts), so the low four bits
 * mean nothing here.
 *
 * No two live indices have equal low bits above those four: `(index >>> 4) & (capacity - 1)` is
 * unique for this table's capacity, a power of two that doubles when half of it is in use and never
 * shrinks. So the index is its own place, here and in any table of the walk that holds some of the
 * same indices: an array that doubles whenever two of them meet in one place ends at this capacity
 * or below.
 *
 * At most four indices a peer live at once (a handshake; previous, current and next keypair), so
 * the table is bounded.
 */

import { assert } from '../base/assert.js';
import {
  MAX_PEERS,
  type PeerSlot,
  peerSlot,
  type SessionIndex,
  sessionIndex,
} from '../base/identifiers.js';
import type { Random } from '../base/random.js';

const INITIAL_CAPACITY = 64;
/** Half of it holds four indices of every peer. */
const MAX_CAPACITY = 8 * MAX_PEERS;
const FREE = -1;
/** Bits of an index that tell the keypairs of one session apart. */
const KEYPAIR_BITS = 4;

export class SessionTable {
  readonly #random: Random;
  #indices = new Uint32Array(INITIAL_CAPACITY);
  #owners = new Int32Array(INITIAL_CAPACITY).fill(FREE);
  #size = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Live indices. */
  get size(): number {
    return this.#size;
  }

  /** The power of two for whose bits above the lowest four all live indices differ. */
  get capacity(): number {
    return this.#owners.length;
  }

  /** A new index for the peer: random, but for the low bits where those are taken. */
  claim(owner: PeerSlot): SessionIndex {
    if (2 * (this.#size + 1) > this.capacity) this.#double();
    const mask = this.capacity - 1;
    const drawn = this.#random.u32() >>> KEYPAIR_BITS;
    let place = drawn & mask;
    while (this.#owners[place] !== FREE) place = (place + 1) & mask;
    const index = sessionIndex(((drawn & ~mask) | place) << KEYPAIR_BITS);
    this.#indices[place] = index;
    this.#owners[place] = owner;
    this.#size++;
    return index;
  }

  /** Whose it is, or its session's; undefined for one that is not live, however much matches. */
  lookup(index: SessionIndex): PeerSlot | undefined {
    const place = placeOf(index, this.capacity);
    const owner = this.#owners[place] ?? FREE;
    if (owner === FREE || this.#indices[place] !== baseOf(index)) return undefined;
    return peerSlot(owner);
  }

  /** Frees all sixteen. */
  release(index: SessionIndex): void {
    assert(this.lookup(index) !== undefined, 'a released session index is live');
    this.#owners[placeOf(index, this.capacity)] = FREE;
    this.#size--;
  }

  #double(): void {
    const capacity = 2 * this.capacity;
    assert(capacity <= MAX_CAPACITY, 'no more than four session indices a peer are live');
    const indices = new Uint32Array(capacity);
    const owners = new Int32Array(capacity).fill(FREE);
    for (const [place, owner] of this.#owners.entries()) {
      if (owner === FREE) continue;
      const index = this.#indices[place] ?? 0;
      const moved = placeOf(index, capacity);
      indices[moved] = index;
      owners[moved] = owner;
    }
    this.#indices = indices;
    this.#owners = owners;
  }
}

function placeOf(index: number, capacity: number): number {
  return (index >>> KEYPAIR_BITS) & (capacity - 1);
}

function baseOf(index: SessionIndex): number {
  return ((index >>> KEYPAIR_BITS) << KEYPAIR_BITS) >>> 0;
}
