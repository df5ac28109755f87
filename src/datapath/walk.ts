/**
 * The walk in TypeScript: the reference hand. One core with both directions and the tables between
 * them.
 *
 * Purpose    what native/datapath does in production, in words that a person can read; the
 *            simulator's data path, and the oracle that the native hand is compared with, packet by
 *            packet.
 * Inputs     an inner packet from the TUN, a datagram from the socket, a table write, and failures
 *            of what it asked for.
 * Outputs    datagrams, inner packets and walk events, in order (walk_output.ts).
 * Deadlines  none: the limits on time are judged when a packet passes.
 * Limits     STAGED_PER_PEER packets a peer, HANDSHAKE_QUEUE handshakes and CONTROL_QUEUE control
 *            messages between two drains, and nothing at all for senders who are not known.
 */

import type { Endpoint } from '../base/address.js';
import { assert, unreachable } from '../base/assert.js';
import type { PeerSlot } from '../base/identifiers.js';
import { type Instant, instant, NEVER } from '../base/time.js';
import type { CryptoSuite } from '../crypto/suite.js';
import type { ClearPort } from '../encap/encapsulation.js';
import { type CounterReading, record, WalkCounters } from './counters.js';
import { DROPS, type Drop } from './drop.js';
import { Inbound } from './inbound.js';
import { Outbound } from './outbound.js';
import type { PeerTraffic, TableWrite } from './tables.js';
import type { WalkOutput } from './walk_output.js';
import { WalkTables } from './walk_tables.js';

export type WalkInput =
  | { readonly kind: 'packet'; readonly packet: Uint8Array }
  | {
      readonly kind: 'datagram';
      readonly datagram: Uint8Array;
      readonly source: Endpoint;
      /** Absent: the listen port. */
      readonly arrival?: ClearPort;
    }
  | { readonly kind: 'write'; readonly write: TableWrite }
  /** A datagram or packet that the walk handed out came to nothing. */
  | { readonly kind: 'failed'; readonly reason: Drop; readonly peer?: PeerSlot };

/** The writes about one peer. */
type PeerWrite = Exclude<
  TableWrite,
  {
    kind:
      | 'setMac1Key'
      | 'setMtu'
      | 'setRouteMtu'
      | 'setVtepMac'
      | 'setOwnAddresses'
      | 'insertPrefix'
      | 'removePrefix'
      | 'removeKeypair';
  }
>;

const NO_TRAFFIC: PeerTraffic = {
  rxBytes: 0n,
  txBytes: 0n,
  rxPackets: 0n,
  txPackets: 0n,
  drops: record(DROPS, new BigUint64Array(DROPS.length)),
};

export class Walk {
  readonly #tables = new WalkTables();
  readonly #counters = new WalkCounters();
  readonly #out: WalkOutput[] = [];
  readonly #outbound: Outbound;
  readonly #inbound: Inbound;
  #now = instant(0);

  constructor(deps: { readonly suite: CryptoSuite }) {
    this.#outbound = new Outbound(this.#tables, deps.suite, this.#counters, this.#out);
    this.#inbound = new Inbound(this.#tables, deps.suite, this.#counters, this.#out);
  }

  handle(input: WalkInput, now: Instant): void {
    assert(now >= this.#now, 'time does not go back');
    this.#now = now;
    switch (input.kind) {
      case 'packet':
        this.#outbound.packet(input.packet, now);
        break;
      case 'datagram':
        this.#inbound.datagram(input.datagram, input.source, input.arrival, now);
        break;
      case 'write':
        this.#write(input.write, now);
        break;
      case 'failed':
        this.#counters.drop(input.reason);
        if (input.peer !== undefined) this.#tables.peers.get(input.peer)?.drop(input.reason);
        break;
      default:
        unreachable(input);
    }
  }

  deadline(): Instant {
    return NEVER;
  }

  /** Moves everything that came out into `out`. */
  drain(out: WalkOutput[]): void {
    for (const output of this.#out) {
      if (output.kind !== 'event') out.push(output);
      else out.push({ kind: 'event', event: this.#inbound.take(output.event) });
    }
    this.#out.length = 0;
  }

  counters(): CounterReading {
    return this.#counters.read();
  }

  traffic(peer: PeerSlot): PeerTraffic {
    return this.#tables.peers.get(peer)?.traffic() ?? NO_TRAFFIC;
  }

  /** How much the tables hold, to show that nothing grows with who is unknown. */
  sizes(): { peers: number; prefixes: number; keypairs: number; endpoints: number } {
    const { peers, prefixes, keypairs, endpoints } = this.#tables;
    return {
      peers: peers.size,
      prefixes: prefixes.size,
      keypairs: keypairs.size,
      endpoints: endpoints.size,
    };
  }

  #write(write: TableWrite, now: Instant): void {
    const tables = this.#tables;
    switch (write.kind) {
      case 'setMac1Key':
        tables.mac1Keys = [write.key, ...(write.other ? [write.other] : [])].map((key) =>
          key.slice(),
        );
        break;
      case 'setMtu':
        tables.mtu = write.mtu;
        break;
      case 'setRouteMtu':
        tables.routeMtu = write.mtu;
        break;
      case 'setVtepMac':
        tables.vtepMac = write.mac;
        break;
      case 'setOwnAddresses':
        tables.setOwnAddresses(write.addresses);
        break;
      case 'insertPrefix':
        tables.insertPrefix(write.prefix, write.peer);
        break;
      case 'removePrefix':
        tables.prefixes.remove(write.prefix);
        break;
      case 'removeKeypair':
        tables.removeKeypair(write.localIndex);
        break;
      default:
        this.#writePeer(write, now);
    }
  }

  #writePeer(write: PeerWrite, now: Instant): void {
    const tables = this.#tables;
    switch (write.kind) {
      case 'addPeer':
        tables.addPeer(write.peer);
        break;
      case 'removePeer':
        this.#outbound.dropStaged(write.peer);
        tables.removePeer(write.peer);
        break;
      case 'setEncapsulation':
        tables.setEncapsulation(write.peer, write.encapsulation);
        break;
      case 'setEndpoint':
        if (tables.peers.has(write.peer)) tables.endpoints.set(write.peer, write.endpoint);
        break;
      case 'installKeypair':
        tables.installKeypair(write.peer, write.keypair);
        break;
      case 'useKeypair':
        tables.useKeypair(write.peer, write.localIndex);
        break;
      case 'flushStaged':
        this.#outbound.flushStaged(write.peer, write.orKeepalive, now);
        break;
      case 'dropStaged':
        this.#outbound.dropStaged(write.peer);
        break;
      case 'sendKeepalive':
        this.#outbound.sendKeepalive(write.peer, now);
        break;
      case 'sendControl':
        this.#outbound.sendControl(write.peer, write.localIndex, write.message, now);
        break;
      case 'noteHandshake':
        tables.peers.get(write.peer)?.noteHandshake(write.direction, write.bytes, now);
        break;
      case 'readActivity':
        this.#readActivity(write.peer);
        break;
      default:
        unreachable(write);
    }
  }

  #readActivity(slot: PeerSlot): void {
    const peer = this.#tables.peers.get(slot);
    if (!peer) return;
    peer.sendActivityArmed = true;
    peer.receiveActivityArmed = true;
    const event = { kind: 'activity', peer: slot, activity: peer.activity() } as const;
    this.#out.push({ kind: 'event', event });
  }
}
