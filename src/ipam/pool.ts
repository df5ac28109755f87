/**
 * An IPv4 prefix that members share: its lower half is leased address by address, its upper half
 * subnet by subnet, so that the two never meet.
 *
 * A pool of one or two addresses (RFC 3021) has no upper half. In a larger one the network's own
 * address is never leased, nor any that ends in 0 or 255, which hosts of old take for networks and
 * broadcasts; the last address of the pool lies in the upper half.
 *
 * Addresses and blocks are numbers here, 0 to 2^32, so that arithmetic cannot wrap.
 */

import { addressFromBytes, bitsOf, type Prefix, prefixOf } from '../base/address.js';
import { loadBe32, storeBe32 } from '../base/bytes.js';
import type { NodeId } from '../base/identifiers.js';
import { Blake2s } from '../crypto/blake2s.js';

/** What a member can lease: an address for itself, and a subnet for what runs on it. */
export const SLOTS = ['address', 'subnet'] as const;
export type Slot = (typeof SLOTS)[number];

/** The longest subnet that has room for two hosts. */
export const LONGEST_SUBNET = 30;
/** A subnet is at most a half of the upper half. */
const SUBNET_BITS = 2;
/** Below this length a pool has two halves. */
const WHOLE_LENGTH = 31;

/** The addresses from `start` up to and without `end`. */
export interface Block {
  readonly start: number;
  readonly end: number;
}

export class Pool {
  readonly prefix: Prefix;
  readonly #start: number;
  readonly #size: number;

  /** `prefix` is of IPv4. */
  constructor(prefix: Prefix) {
    this.prefix = prefix;
    this.#start = loadBe32(prefix.address.bytes, 0);
    this.#size = sizeOf(prefix.length);
  }

  /** The shortest a subnet may be. */
  get shortestSubnet(): number {
    return this.prefix.length + SUBNET_BITS;
  }

  /** Whether subnets of this length are to be had. */
  hasSubnets(length: number): boolean {
    return length >= this.shortestSubnet && length <= LONGEST_SUBNET;
  }

  /** As what this prefix can be leased; undefined where it cannot. */
  slotOf(prefix: Prefix): Slot | undefined {
    if (prefix.address.family !== 4) return undefined;
    const { start, end } = blockOf(prefix);
    if (prefix.length === bitsOf(4)) {
      const { start: first, end: behind } = this.half('address');
      return start >= first && end <= behind && this.isUsable(start) ? 'address' : undefined;
    }
    if (!this.hasSubnets(prefix.length)) return undefined;
    const half = this.half('subnet');
    return start >= half.start && end <= half.end ? 'subnet' : undefined;
  }

  /** Where leases of this kind lie. */
  half(slot: Slot): Block {
    const end = this.#start + this.#size;
    if (this.prefix.length >= WHOLE_LENGTH) {
      return slot === 'address' ? { start: this.#start, end } : { start: end, end };
    }
    const middle = this.#start + this.#size / 2;
    return slot === 'address' ? { start: this.#start, end: middle } : { start: middle, end };
  }

  /** Whether a host can have this address of the lower half. */
  isUsable(address: number): boolean {
    if (this.prefix.length >= WHOLE_LENGTH) return true;
    const low = address % 256;
    return address !== this.#start && low !== 0 && low !== 255;
  }

  /**
   * Where the member looks first, second and so on: the same wherever it is asked, and spread
   * evenly over the half. The start of a block of `length`; not always usable, nor always free.
   */
  candidate(node: NodeId, slot: Slot, length: number, attempt: number): number {
    const { start, end } = this.half(slot);
    const size = sizeOf(length);
    const label = new TextEncoder().encode(`heddle lease 1 ${slot} ${node} ${attempt}`);
    const position = loadBe32(new Blake2s({ length: 4 }).update(label).digest(), 0);
    return start + (position % Math.max(1, (end - start) / size)) * size;
  }
}

/** Undefined where `prefix` cannot be a pool. */
export function poolOf(prefix: Prefix): Pool | undefined {
  return prefix.address.family === 4 ? new Pool(prefix) : undefined;
}

/** Of a prefix of IPv4. */
export function blockOf(prefix: Prefix): Block {
  const start = loadBe32(prefix.address.bytes, 0);
  return { start, end: start + sizeOf(prefix.length) };
}

/** The IPv4 prefix of this length that begins at `start`. */
export function prefixAt(start: number, length: number): Prefix {
  const bytes = new Uint8Array(4);
  storeBe32(bytes, 0, start);
  return prefixOf(addressFromBytes(bytes, 0, 4), length);
}

/** How many addresses an IPv4 prefix of this length has. */
export function sizeOf(length: number): number {
  return 2 ** (bitsOf(4) - length);
}
