/**
 * TUN -> wire, the steps of the walk read downwards:
 *
 *   2 classify   is it a whole packet that fits the tunnel?
 *   4 route      whose is the destination?
 *   8 path       where is that peer?
 *   5 session    may its keypair seal? else stage, and ask for a session
 *   7 encap      how long does it become?
 *   6 seal       take a counter, seal
 *   7 encap      behind VXLAN, where the peer's endpoint is
 *   9 send       hand the datagram out
 *
 * The sealed encapsulation is padding and the message itself, so step 7 begins before step 6. Clear
 * peers go from step 4 to clear_outbound. The twin is native/datapath/outbound.cc.
 */

import type { Endpoint } from '../base/address.js';
import { assert } from '../base/assert.js';
import type { PeerSlot, SessionIndex } from '../base/identifiers.js';
import { elapsed, type Instant } from '../base/time.js';
import type { CryptoSuite } from '../crypto/suite.js';
import { isClear } from '../encap/encapsulation.js';
import { behindVxlan } from '../encap/vxlan.js';
import { paddedLength, paddingBound } from '../encap/wireguard.js';
import { REKEY_AFTER_TIME } from '../session/constants.js';
import { maySeal, sealData, type TransportKeypair } from '../session/transport.js';
import { ClearOutbound } from './clear_outbound.js';
import { destinationAt, innerFamily, innerLength } from './classify.js';
import type { WalkCounters } from './counters.js';
import type { Drop } from './drop.js';
import { hopsAround, isOwnDatagram, nestedIn } from './loop.js';
import { Refusals } from './refusals.js';
import { Staged } from './staged.js';
import { MAX_CONTROL } from './tables.js';
import type { Via, WalkOutput } from './walk_output.js';
import type { PeerEntry, WalkTables } from './walk_tables.js';

const EMPTY = new Uint8Array(0);
const LISTEN_PORT: Via = { kind: 'sealed', flow: 0 };

/** What a message is to the session it goes out in. */
type Content = 'data' | 'keepalive' | 'control';

/** Everything that sealing for a peer needs. */
interface Target {
  readonly peer: PeerEntry;
  readonly endpoint: Endpoint;
  readonly keypair: TransportKeypair;
}

export class Outbound {
  readonly #tables: WalkTables;
  readonly #suite: CryptoSuite;
  readonly #counters: WalkCounters;
  readonly #out: WalkOutput[];
  readonly #clear: ClearOutbound;
  readonly #staged = new Staged();
  readonly #refusals = new Refusals();

  constructor(tables: WalkTables, suite: CryptoSuite, counters: WalkCounters, out: WalkOutput[]) {
    this.#tables = tables;
    this.#suite = suite;
    this.#counters = counters;
    this.#out = out;
    this.#clear = new ClearOutbound(tables, counters, out);
  }

  /** One inner packet, borrowed. */
  packet(inner: Uint8Array, now: Instant): void {
    this.#counters.add('inner_in', 1);
    this.#counters.add('inner_in_bytes', inner.length);
    const dropped = this.#pass(inner, now);
    if (dropped) this.#counters.drop(dropped);
    if (dropped === 'no_route' || dropped === 'no_endpoint') this.#refuse(inner, now);
  }

  /**
   * Seals what was staged; where nothing was and `orKeepalive` is set, a keepalive. Without a
   * session it changes nothing.
   */
  flushStaged(slot: PeerSlot, orKeepalive: boolean, now: Instant): void {
    const target = this.#target(slot, now);
    if (!target) return;
    const packets = this.#staged.take(slot);
    const passed = packets.filter((packet) => this.#guardAndSeal(target, packet, now));
    if (passed.length === 0 && orKeepalive) this.#seal(target, EMPTY, 'keepalive', now);
  }

  dropStaged(slot: PeerSlot): void {
    const peer = this.#tables.peers.get(slot);
    for (const _packet of this.#staged.take(slot)) this.#drop('staged_expired', peer);
    if (peer) peer.stagedRaised = false;
  }

  sendKeepalive(slot: PeerSlot, now: Instant): void {
    const target = this.#target(slot, now);
    if (target) this.#seal(target, EMPTY, 'keepalive', now);
  }

  /** With an installed keypair, in use or not. */
  sendControl(slot: PeerSlot, localIndex: SessionIndex, message: Uint8Array, now: Instant): void {
    assert(message.length <= MAX_CONTROL, 'a control message has at most MAX_CONTROL bytes');
    const reached = this.#reach(slot);
    const keypair = this.#tables.keypairs.get(localIndex);
    if (!reached || keypair?.peer !== slot || !maySeal(keypair, now)) return;
    this.#seal({ ...reached, keypair }, message, 'control', now);
  }

  #refuse(inner: Uint8Array, now: Instant): void {
    const packet = this.#refusals.about(inner, now);
    if (!packet) return;
    this.#counters.add('refusals', 1);
    this.#out.push({ kind: 'packet', packet });
  }

  #pass(inner: Uint8Array, now: Instant): Drop | undefined {
    if (innerLength(inner) !== inner.length || inner.length === 0) return 'inner_malformed';
    if (inner.length > this.#tables.mtu) return 'inner_too_big';
    const family = innerFamily(inner);
    const peer = this.#tables.prefixes.lookup(inner, destinationAt(family), family);
    if (!peer) return 'no_route';
    const dropped = this.#passTo(peer, inner, now);
    if (dropped) peer.drop(dropped);
    return dropped;
  }

  #passTo(peer: PeerEntry, inner: Uint8Array, now: Instant): Drop | undefined {
    const { encapsulation } = peer;
    if (isClear(encapsulation)) return this.#clear.packet(peer, encapsulation, inner, now);
    const endpoint = this.#tables.endpoints.get(peer.slot);
    if (!endpoint) return 'no_endpoint';
    const keypair = this.#tables.keypairOf(peer);
    if (keypair && maySeal(keypair, now))
      this.#guardAndSeal({ peer, endpoint, keypair }, inner, now);
    else this.#stage(peer, inner);
    return undefined;
  }

  /** False for what would go round in a loop. */
  #guardAndSeal(target: Target, inner: Uint8Array, now: Instant): boolean {
    const nested = nestedIn(inner);
    const hops = nested ? hopsAround(inner) : 0;
    const { peer, endpoint, keypair } = target;
    const isOwn = nested && isOwnDatagram(inner, nested, endpoint, keypair);
    if (isOwn || (nested && hops === 0)) {
      this.#drop('loop', peer);
      return false;
    }
    this.#seal(target, inner, 'data', now, hops);
    return true;
  }

  #drop(reason: Drop, peer: PeerEntry | undefined): void {
    this.#counters.drop(reason);
    peer?.drop(reason);
  }

  #stage(peer: PeerEntry, inner: Uint8Array): void {
    this.#counters.add('staged', 1);
    if (this.#staged.push(peer.slot, inner)) this.#drop('staged_overflow', peer);
    if (peer.stagedRaised) return;
    peer.stagedRaised = true;
    const event = { kind: 'sessionNeeded', peer: peer.slot, reason: 'staged' } as const;
    this.#out.push({ kind: 'event', event });
  }

  /** Undefined where nothing is sealed for the peer. */
  #reach(slot: PeerSlot): Omit<Target, 'keypair'> | undefined {
    const peer = this.#tables.peers.get(slot);
    const endpoint = this.#tables.endpoints.get(slot);
    return peer && endpoint && !isClear(peer.encapsulation) ? { peer, endpoint } : undefined;
  }

  #target(slot: PeerSlot, now: Instant): Target | undefined {
    const reached = this.#reach(slot);
    const keypair = reached && this.#tables.keypairOf(reached.peer);
    return keypair && maySeal(keypair, now) ? { ...reached, keypair } : undefined;
  }

  /** Once the keypair has run out of counters, packets are staged again. */
  #seal(target: Target, inner: Uint8Array, content: Content, now: Instant, hops = 0): void {
    const { peer, endpoint, keypair } = target;
    if (!maySeal(keypair, now)) {
      if (content === 'data') this.#stage(peer, inner);
      return;
    }
    const { mtu, routeMtu } = this.#tables;
    const plaintext = new Uint8Array(
      paddedLength(inner.length, paddingBound(inner.length, { mtu, routeMtu })),
    );
    plaintext.set(inner);
    const message = sealData(this.#suite, keypair, plaintext);
    const { vni } = endpoint;
    const datagram = vni === undefined ? message : behindVxlan(message, vni);
    const via = LISTEN_PORT;
    this.#out.push({ kind: 'datagram', peer: peer.slot, endpoint, datagram, hops, via });
    this.#counters.add('datagram_out_bytes', datagram.length);
    this.#count(peer, message.length, content);
    this.#noteSent(peer, content === 'data', now);
    this.#askForRekey(peer, keypair, now);
  }

  #count(peer: PeerEntry, bytes: number, content: Content): void {
    peer.txBytes += BigInt(bytes);
    peer.txPackets++;
    this.#counters.add('sealed', 1);
    this.#counters.add('datagram_out', 1);
    if (content === 'keepalive') this.#counters.add('keepalive_out', 1);
    if (content === 'control') this.#counters.add('control_out', 1);
  }

  #noteSent(peer: PeerEntry, isData: boolean, now: Instant): void {
    if (isData && peer.unansweredSend <= peer.lastReceived) peer.unansweredSend = now;
    peer.lastSent = now;
    peer.stagedRaised = false;
    if (!isData || !peer.sendActivityArmed) return;
    peer.sendActivityArmed = false;
    const event = { kind: 'activity', peer: peer.slot, activity: peer.activity() } as const;
    this.#out.push({ kind: 'event', event });
  }

  #askForRekey(peer: PeerEntry, keypair: TransportKeypair, now: Instant): void {
    if (keypair.sendRekeyRaised) return;
    const isOld = keypair.isInitiator && elapsed(keypair.createdAt, now) >= REKEY_AFTER_TIME;
    if (!isOld && keypair.sendCounter < keypair.limits.rekeyAfterMessages) return;
    keypair.sendRekeyRaised = true;
    const event = { kind: 'sessionNeeded', peer: peer.slot, reason: 'rekey' } as const;
    this.#out.push({ kind: 'event', event });
  }
}
