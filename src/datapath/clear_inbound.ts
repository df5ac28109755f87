/**
 * Wire -> TUN for clear peers: instead of a tag, a datagram has to have everything that was
 * configured. Its outer address, our port and its VNI say whose it is; of VXLAN, the frame must be
 * for our VTEP and from nobody else's; the inner source must be in the peer's prefixes. Outer
 * addresses can be forged, so none of this is proof: that is what "clear" means. The twin is
 * native/datapath/clear_inbound.cc.
 */

import type { Endpoint, Mac } from '../base/address.js';
import { isZero } from '../base/bytes.js';
import type { Instant } from '../base/time.js';
import { type ClearPort, isClear } from '../encap/encapsulation.js';
import { takeHop } from '../encap/udp.js';
import { encapsulateFrame, VXLAN_FRAME_BYTES } from '../encap/vxlan.js';
import {
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  type EthernetHeader,
  isBroadcastMac,
  isGroupMac,
  isSolicitedNodeMac,
  parseEthernetHeader,
} from '../wire/ethernet.js';
import { IPV4_HEADER_BYTES } from '../wire/ipv4.js';
import { checkVxlan, VXLAN_HEADER_BYTES, vxlanVni } from '../wire/vxlan.js';
import { innerFamily, innerLength, innerVersion, sourceAt } from './classify.js';
import type { WalkCounters } from './counters.js';
import type { Drop } from './drop.js';
import { fillChecksum } from './fill_checksum.js';
import { answerQuestion, type NeighbourQuestion, parseQuestion } from './neighbour_question.js';
import type { WalkOutput } from './walk_output.js';
import type { PeerEntry, WalkTables } from './walk_tables.js';

/** The shortest inner packet is an IPv4 header. */
const FRAME_LEAST_BYTES = VXLAN_FRAME_BYTES + IPV4_HEADER_BYTES;

export class ClearInbound {
  readonly #tables: WalkTables;
  readonly #counters: WalkCounters;
  readonly #out: WalkOutput[];

  constructor(tables: WalkTables, counters: WalkCounters, out: WalkOutput[]) {
    this.#tables = tables;
    this.#counters = counters;
    this.#out = out;
  }

  /** One datagram, borrowed. */
  datagram(
    bytes: Uint8Array,
    source: Endpoint,
    arrival: ClearPort,
    now: Instant,
  ): Drop | undefined {
    const isVxlan = arrival.kind === 'vxlan';
    if (isVxlan && (bytes.length < FRAME_LEAST_BYTES || !checkVxlan(bytes, 0))) {
      return 'clear_header';
    }
    const { address } = source;
    const segment = isVxlan ? { vni: vxlanVni(bytes, 0) } : {};
    const peer = this.#tables.fdb.lookup({ address, port: arrival.port, ...segment });
    if (!peer) return 'clear_source';
    const dropped = this.#accept(peer, bytes, isVxlan, now);
    if (dropped) peer.drop(dropped);
    return dropped;
  }

  #accept(peer: PeerEntry, bytes: Uint8Array, isVxlan: boolean, now: Instant): Drop | undefined {
    const { encapsulation } = peer;
    if (isClear(encapsulation) && encapsulation.until <= now) return 'clear_ended';
    if (isVxlan) return this.#frame(peer, bytes, now);
    const packet = this.#owned(peer, bytes);
    if (typeof packet === 'string') return packet;
    if (!takeHop(packet)) return 'ttl';
    return this.#deliver(peer, packet, bytes.length, now);
  }

  #frame(peer: PeerEntry, bytes: Uint8Array, now: Instant): Drop | undefined {
    const header = parseEthernetHeader(bytes, VXLAN_HEADER_BYTES);
    if (!header) return 'clear_header';
    const { source, ethertype } = header;
    if (isGroupMac(source) || this.#tables.fdb.isOfAnother(peer, source)) return 'clear_mac';
    const payload = bytes.subarray(VXLAN_FRAME_BYTES);
    const isForUs = header.destination.text === this.#tables.vtepMac.text;
    if (isForUs || isToAskedGroup(header)) {
      const question = parseQuestion(ethertype, payload);
      if (question) return this.#answer(peer, source, question);
      if (ethertype === ETHERTYPE_ARP) return 'clear_ethertype';
    }
    if (!isForUs) return 'clear_mac';
    if (ethertype !== ETHERTYPE_IPV4 && ethertype !== ETHERTYPE_IPV6) return 'clear_ethertype';
    const version = ethertype === ETHERTYPE_IPV4 ? 4 : 6;
    if (innerVersion(payload) !== version) return 'opened_malformed';
    const packet = this.#owned(peer, payload);
    if (typeof packet === 'string') return packet;
    return this.#deliver(peer, packet, bytes.length, now);
  }

  #answer(peer: PeerEntry, to: Mac, question: NeighbourQuestion): Drop | undefined {
    const { encapsulation } = peer;
    const isVxlan = encapsulation.kind === 'vxlan';
    if (!isVxlan || !this.#tables.ownAddresses.has(question.target)) return 'clear_ethertype';
    if (!this.#mayAsk(peer, question.asker)) return 'opened_source';
    const { endpoint, vni } = encapsulation;
    const source = this.#tables.vtepMac;
    const { ethertype, payload } = answerQuestion(question, source);
    const datagram = encapsulateFrame(payload, { vni, destination: to, source, ethertype });
    this.#counters.add('neighbour_answers', 1);
    // From the clear port itself, in either hand: the source ports are for flows.
    const via = { kind: 'udp', flow: 0 } as const;
    this.#out.push({ kind: 'datagram', peer: peer.slot, endpoint, datagram, hops: 0, via });
    return undefined;
  }

  /**
   * The peer's addresses may, and, as IPv6 hosts do, those of its link. Who asks from none only
   * searches for duplicates.
   */
  #mayAsk(peer: PeerEntry, asker: Uint8Array): boolean {
    if (isZero(asker)) return false;
    const family = asker.length === 4 ? 4 : 6;
    if (family === 6 && isLinkLocal(asker)) return true;
    return this.#tables.prefixes.lookup(asker, 0, family) === peer;
  }

  /** A copy of the packet in `payload`, without what stands behind it; else why it is dropped. */
  #owned(peer: PeerEntry, payload: Uint8Array): Uint8Array | Drop {
    const length = innerLength(payload);
    if (length === 0) return 'opened_malformed';
    const family = innerFamily(payload);
    const owner = this.#tables.prefixes.lookup(payload, sourceAt(family), family);
    return owner === peer ? payload.slice(0, length) : 'opened_source';
  }

  #deliver(peer: PeerEntry, packet: Uint8Array, bytes: number, now: Instant): undefined {
    fillChecksum(packet);
    this.#counters.add('inner_out', 1);
    this.#counters.add('inner_out_bytes', packet.length);
    this.#counters.add('plaintext_in_bytes', packet.length);
    peer.rxBytes += BigInt(bytes);
    peer.rxPackets++;
    peer.lastReceived = now;
    this.#out.push({ kind: 'packet', packet });
  }
}

/** Of the frames to groups, only those that may ask for our Ethernet address concern us. */
function isToAskedGroup({ destination, ethertype }: EthernetHeader): boolean {
  if (ethertype === ETHERTYPE_ARP) return isBroadcastMac(destination);
  return ethertype === ETHERTYPE_IPV6 && isSolicitedNodeMac(destination);
}

/** fe80::/10 (RFC 4291 §2.5.6). */
function isLinkLocal(address: Uint8Array): boolean {
  return address[0] === 0xfe && ((address[1] ?? 0) & 0xc0) === 0x80;
}
