/**
 * What both directions of the reference walk read: peers and their outer forms, prefixes, keypairs,
 * endpoints, who we are on an Ethernet, and the MTU. Only table writes change them. What the walk
 * itself notes about a peer (when its traffic happened, how much, which events are armed) stands in
 * the peer's entry.
 */

import { type Address, type Mac, macFromBytes, type Prefix } from '../base/address.js';
import { wipe } from '../base/bytes.js';
import { type PeerSlot, type SessionIndex, sessionIndex } from '../base/identifiers.js';
import { type Instant, latest } from '../base/time.js';
import { type Encapsulation, isClear } from '../encap/encapsulation.js';
import { EndpointTable } from '../path/endpoint_table.js';
import { Fdb } from '../route/fdb.js';
import { PrefixTrie } from '../route/prefix_trie.js';
import {
  createTransportKeypair,
  type Material,
  type TransportKeypair,
} from '../session/transport.js';
import { record } from './counters.js';
import { DROPS, type Drop, dropCode } from './drop.js';
import { DEFAULT_MTU } from './mtu.js';
import { type Activity, MAX_LANES, type PeerTraffic } from './tables.js';

const NOTHING = 0 as Instant;
/** The lane of the reference walk. */
const OWN_LANE = 0;

export class PeerEntry {
  readonly slot: PeerSlot;
  encapsulation: Encapsulation = { kind: 'wireguard' };
  /** The only lane there is here sends with it. */
  sending: TransportKeypair | undefined;
  /**
   * A responder's keypair that was confirmed, and not answered yet by useKeypair: it, or the own
   * one of our lane beside it, sends in place of `sending`.
   */
  promoted: TransportKeypair | undefined;
  /** `sessionNeeded` with reason `staged` was raised and not answered yet. */
  stagedRaised = false;
  sendActivityArmed = true;
  receiveActivityArmed = true;
  lastSent = NOTHING;
  lastReceived = NOTHING;
  unansweredSend = NOTHING;
  unansweredReceive = NOTHING;
  rxBytes = 0n;
  txBytes = 0n;
  rxPackets = 0n;
  txPackets = 0n;
  readonly #drops = new BigUint64Array(DROPS.length);

  constructor(slot: PeerSlot) {
    this.slot = slot;
  }

  activity(): Activity {
    const { lastSent, lastReceived, unansweredSend, unansweredReceive } = this;
    return { lastSent, lastReceived, unansweredSend, unansweredReceive };
  }

  traffic(): PeerTraffic {
    const { rxBytes, txBytes, rxPackets, txPackets } = this;
    return { rxBytes, txBytes, rxPackets, txPackets, drops: record(DROPS, this.#drops) };
  }

  drop(reason: Drop): void {
    const at = dropCode(reason);
    this.#drops[at] = (this.#drops[at] ?? 0n) + 1n;
  }

  noteHandshake(direction: 'sent' | 'received', bytes: number, now: Instant): void {
    if (direction === 'sent') {
      this.lastSent = latest(this.lastSent, now);
      this.txBytes += BigInt(bytes);
      this.txPackets++;
    } else {
      this.lastReceived = latest(this.lastReceived, now);
      this.rxBytes += BigInt(bytes);
      this.rxPackets++;
    }
  }
}

/** The index of the keypair for another lane of the same session. */
function laneIndex(index: SessionIndex, lane: number): SessionIndex {
  return sessionIndex(((index & ~(MAX_LANES - 1)) | lane) >>> 0);
}

export class WalkTables {
  readonly peers = new Map<PeerSlot, PeerEntry>();
  readonly prefixes = new PrefixTrie<PeerEntry>();
  readonly endpoints = new EndpointTable();
  readonly keypairs = new Map<SessionIndex, TransportKeypair>();
  /** The clear peers. */
  readonly fdb = new Fdb<PeerEntry>();
  /** The texts of the interface's addresses. */
  ownAddresses: ReadonlySet<string> = new Set();
  vtepMac: Mac = macFromBytes(new Uint8Array(6), 0);
  mtu = DEFAULT_MTU;
  /** 0: none. */
  routeMtu = 0;
  mac1Keys: readonly Uint8Array[] = [];

  addPeer(slot: PeerSlot): void {
    if (!this.peers.has(slot)) this.peers.set(slot, new PeerEntry(slot));
  }

  removePeer(slot: PeerSlot): void {
    const peer = this.peers.get(slot);
    if (!peer) return;
    for (const keypair of [...this.keypairs.values()]) {
      if (keypair.peer === slot) this.removeKeypair(keypair.localIndex);
    }
    this.prefixes.removeOwner(peer);
    this.fdb.remove(peer);
    this.endpoints.remove(slot);
    this.peers.delete(slot);
  }

  setOwnAddresses(addresses: readonly Address[]): void {
    this.ownAddresses = new Set(addresses.map(({ text }) => text));
  }

  /** Of a clear peer it says where the peer is, too. */
  setEncapsulation(slot: PeerSlot, encapsulation: Encapsulation): void {
    const peer = this.peers.get(slot);
    if (!peer) return;
    peer.encapsulation = encapsulation;
    if (!isClear(encapsulation)) {
      this.fdb.remove(peer);
      return;
    }
    this.endpoints.set(slot, encapsulation.endpoint);
    const { address, port } = encapsulation.endpoint;
    const segment = encapsulation.kind === 'vxlan' ? { segment: encapsulation } : {};
    this.fdb.insert(peer, { address, port, ...segment });
  }

  /** Gives the prefix to the peer; nothing for a peer that is not there. */
  insertPrefix(prefix: Prefix, slot: PeerSlot): void {
    const owner = this.peers.get(slot);
    if (owner) this.prefixes.insert(prefix, owner);
  }

  installKeypair(slot: PeerSlot, material: Material): void {
    if (!this.peers.has(slot) || this.keypairs.has(material.localIndex)) return;
    this.keypairs.set(material.localIndex, createTransportKeypair(slot, material));
  }

  /** What the peer's packets are sealed with, whether it still may be or not. */
  keypairOf({ slot, promoted, sending }: PeerEntry): TransportKeypair | undefined {
    if (!promoted) return sending;
    if (promoted.lane === undefined || promoted.lane === OWN_LANE) return promoted;
    const beside = this.keypairs.get(laneIndex(promoted.localIndex, OWN_LANE));
    return beside?.peer === slot && beside.lane === OWN_LANE ? beside : sending;
  }

  /** Those of other lanes than ours are kept for what they open. Re-arms `sessionNeeded`, too. */
  useKeypair(slot: PeerSlot, localIndex: SessionIndex): void {
    const keypair = this.keypairs.get(localIndex);
    const peer = this.peers.get(slot);
    if (!peer || keypair?.peer !== slot) return;
    if (keypair.lane === undefined || keypair.lane === OWN_LANE) peer.sending = keypair;
    const { promoted } = peer;
    // The mark of a later keypair stays until its own answer.
    if (promoted && promoted.createdAt <= keypair.createdAt) peer.promoted = undefined;
    peer.stagedRaised = false;
  }

  removeKeypair(localIndex: SessionIndex): void {
    const keypair = this.keypairs.get(localIndex);
    if (!keypair) return;
    this.keypairs.delete(localIndex);
    const peer = this.peers.get(keypair.peer);
    if (peer?.sending === keypair) peer.sending = undefined;
    if (peer?.promoted === keypair) peer.promoted = undefined;
    wipe(keypair.sendKey);
    wipe(keypair.receiveKey);
  }
}
