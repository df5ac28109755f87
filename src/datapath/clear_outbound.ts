/**
 * TUN -> wire for clear peers: steps 5 and 6 of the walk are not there. No session, no events, no
 * staging: a packet leaves at once in the peer's outer form, or is dropped. The twin is
 * in native/datapath/outbound.cc.
 */

import { unreachable } from '../base/assert.js';
import type { Instant } from '../base/time.js';
import type { ClearEncapsulation } from '../encap/encapsulation.js';
import { takeHop } from '../encap/udp.js';
import { encapsulateFrame } from '../encap/vxlan.js';
import { ETHERTYPE_IPV4, ETHERTYPE_IPV6 } from '../wire/ethernet.js';
import { flowHash, innerFamily } from './classify.js';
import type { WalkCounters } from './counters.js';
import type { Drop } from './drop.js';
import { hopsAround, nestedIn } from './loop.js';
import type { WalkOutput } from './walk_output.js';
import type { PeerEntry, WalkTables } from './walk_tables.js';

type Sent = Pick<WalkOutput & { kind: 'datagram' }, 'endpoint' | 'datagram' | 'via' | 'hops'>;

export class ClearOutbound {
  readonly #tables: WalkTables;
  readonly #counters: WalkCounters;
  readonly #out: WalkOutput[];

  constructor(tables: WalkTables, counters: WalkCounters, out: WalkOutput[]) {
    this.#tables = tables;
    this.#counters = counters;
    this.#out = out;
  }

  /** One whole inner packet for the peer, borrowed. */
  packet(
    peer: PeerEntry,
    encapsulation: ClearEncapsulation,
    inner: Uint8Array,
    now: Instant,
  ): Drop | undefined {
    const endpoint = this.#tables.endpoints.get(peer.slot);
    if (!endpoint) return 'no_endpoint';
    if (encapsulation.until <= now) return 'clear_ended';
    const nested = nestedIn(inner);
    const hops = nested ? hopsAround(inner) : 0;
    const isEndless = nested !== undefined && hops === 0;
    switch (encapsulation.kind) {
      case 'vxlan': {
        if (isEndless) return 'loop';
        const { vni, mac: destination } = encapsulation;
        const source = this.#tables.vtepMac;
        const ethertype = innerFamily(inner) === 4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6;
        const datagram = encapsulateFrame(inner, { vni, destination, source, ethertype });
        const via = { kind: 'vxlan', flow: flowHash(inner) } as const;
        this.#send(peer, { endpoint, datagram, via, hops });
        break;
      }
      case 'udp': {
        const datagram = inner.slice();
        if (!takeHop(datagram)) return 'ttl';
        if (isEndless) return 'loop';
        this.#send(peer, { endpoint, datagram, via: { kind: 'udp', flow: 0 }, hops });
        break;
      }
      default:
        unreachable(encapsulation);
    }
    this.#counters.add('plaintext_out_bytes', inner.length);
    peer.lastSent = now;
    return undefined;
  }

  #send(peer: PeerEntry, sent: Sent): void {
    const { datagram } = sent;
    this.#out.push({ kind: 'datagram', peer: peer.slot, ...sent });
    this.#counters.add('datagram_out', 1);
    this.#counters.add('datagram_out_bytes', datagram.length);
    peer.txBytes += BigInt(datagram.length);
    peer.txPackets++;
  }
}
