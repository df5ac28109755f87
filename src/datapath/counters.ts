/**
 * The walk's counters. Names and order are the same in `native/datapath/counters.h`, where each is
 * a 64-bit word with one writer that JavaScript reads in place. WALK_COUNTERS count packets and
 * mean the same in both hands (test/twin compares them); NATIVE_COUNTERS count what only batches
 * have.
 */

import { DROPS, type Drop } from './drop.js';

export const WALK_COUNTERS = [
  'inner_in', // packets read from the TUN
  'inner_in_bytes',
  'inner_out', // packets handed to the TUN
  'inner_out_bytes',
  'datagram_in', // datagrams received
  'datagram_in_bytes',
  'datagram_out', // data messages handed to the socket
  'datagram_out_bytes',
  'staged', // packets put aside until there is a session
  'sealed', // data messages sealed, keepalives too
  'opened', // data messages that authenticated and were not replays
  'keepalive_out',
  'keepalive_in',
  'handshake_up', // handshake messages handed to the control plane
  'control_out', // control messages sealed
  'control_in', // control messages handed to the control plane
  'plaintext_out_bytes', // inner bytes that left in a clear encapsulation
  'plaintext_in_bytes', // inner bytes that came in one
  'neighbour_answers', // ARP and neighbour solicitations for our own addresses, answered
  'refusals', // senders that were told that their packet goes nowhere
  'packet_to_javascript', // data packets that entered JavaScript: 0 in native mode
] as const;

export const NATIVE_COUNTERS = [
  'tun_reads',
  'tun_writes',
  'tun_super_in', // reads that carried a TSO or USO super-packet
  'tun_super_out', // writes that carried one
  'tun_gso_fallback', // super-packets that the TUN refused, written packet by packet
  'udp_sends',
  'udp_receives',
  'udp_gso_segments', // datagrams that left in a UDP_SEGMENT send
  'udp_gro_segments', // datagrams that arrived in a UDP_GRO receive
  'udp_gso_fallback', // GSO sends refused by the kernel and resent one by one
  'socket_overflow', // SO_RXQ_OVFL: datagrams the kernel dropped before we read
] as const;

export type WalkCounter = (typeof WALK_COUNTERS)[number];
export type NativeCounter = (typeof NATIVE_COUNTERS)[number];

/** A reading of all counters. */
export interface CounterReading {
  readonly walk: Readonly<Record<WalkCounter, bigint>>;
  readonly drops: Readonly<Record<Drop, bigint>>;
}

/** The reference hand's counters. */
export class WalkCounters {
  readonly #walk = new BigUint64Array(WALK_COUNTERS.length);
  readonly #drops = new BigUint64Array(DROPS.length);

  add(name: WalkCounter, amount: number): void {
    const at = WALK_COUNTERS.indexOf(name);
    this.#walk[at] = (this.#walk[at] ?? 0n) + BigInt(amount);
  }

  drop(reason: Drop): void {
    const at = DROPS.indexOf(reason);
    this.#drops[at] = (this.#drops[at] ?? 0n) + 1n;
  }

  read(): CounterReading {
    return { walk: record(WALK_COUNTERS, this.#walk), drops: record(DROPS, this.#drops) };
  }
}

/** Names paired with the words of a counter block. */
export function record<Name extends string>(
  names: readonly Name[],
  words: BigUint64Array,
): Record<Name, bigint> {
  const entries = names.map((name, i) => [name, words[i] ?? 0n] as const);
  return Object.fromEntries(entries) as Record<Name, bigint>;
}
