/**
 * Datagrams of tunnels, come into a TUN: where the way to a peer's endpoint leads into the tunnel,
 * each packet would be sealed again and again. A data message to the peer's endpoint with the very
 * index of the peer's session can only be ours.
 *
 * Where two tunnels lead into each other, neither can tell the other's datagrams from those of a
 * tunnel that is rightly inside it. So each datagram of a tunnel that is carried in one once more
 * costs hops: it leaves with fewer than it came in with, eight tunnels deep with none, and no loop
 * is without end.
 */

import type { Endpoint } from '../base/address.js';
import { loadBe16, loadBe32, loadLe32 } from '../base/bytes.js';
import type { SessionIndex } from '../base/identifiers.js';
import { PROTOCOL_UDP } from '../base/ip_protocol.js';
import {
  IPV4_HEADER_BYTES,
  ipv4FragmentOffset,
  ipv4HeaderLength,
  ipv4Protocol,
  ipv4TimeToLive,
  ipv4TotalLength,
} from '../wire/ipv4.js';
import {
  IPV6_HEADER_BYTES,
  ipv6HopLimit,
  ipv6NextHeader,
  ipv6PayloadLength,
} from '../wire/ipv6.js';
import { UDP_HEADER_BYTES, udpDestinationPort, udpLength } from '../wire/udp.js';
import { DATA_HEADER_BYTES, isDataType } from '../wire/wireguard.js';
import { destinationAt, innerFamily } from './classify.js';

const WITHOUT_OPTIONS = 0x45;
const NEXT_HEADER_FRAGMENT = 44;
const IPV6_FRAGMENT_BYTES = 8;
const RECEIVER_AT = 4;
const VXLAN_HEADER_BYTES = 8;
/** A VNI is there, and nothing else (RFC 7348 §5). */
const VXLAN_FLAGS = 0x08000000;
/** What hosts send with. */
const MOST_NESTED_HOPS = 64;
const HOPS_OF_NESTING = 8;
/** Lane and its mark in the indices of one session. */
const INDEX_BITS = 15;

/**
 * What a packet carries as its UDP payload, where it is a tunnel's: a data message, a VXLAN frame,
 * or a bare IP packet with UDP in it, as is all that goes round.
 */
export interface Nested {
  /** Where it goes. */
  readonly port: number;
  /** Of a data message. */
  readonly receiver: number | undefined;
  /** 0: not behind VXLAN. */
  readonly vni: number;
}

/** Of a whole packet. */
export function nestedIn(packet: Uint8Array): Nested | undefined {
  const udp = outerUdpAt(packet);
  const at = udp + UDP_HEADER_BYTES;
  if (udp === 0 || packet.length < at + DATA_HEADER_BYTES) return undefined;
  const port = udpDestinationPort(packet, udp);
  if (loadBe32(packet, at) === VXLAN_FLAGS) {
    const receiver = receiverAt(packet, at + VXLAN_HEADER_BYTES);
    return { port, receiver, vni: loadBe32(packet, at + 4) >>> 8 };
  }
  const receiver = receiverAt(packet, at);
  if (receiver === undefined && !isUdpPacket(packet, at, udpLength(packet, udp))) return undefined;
  return { port, receiver, vni: 0 };
}

/** Undefined where no data message stands. */
function receiverAt(packet: Uint8Array, at: number): number | undefined {
  if (packet.length < at + DATA_HEADER_BYTES) return undefined;
  return isDataType(loadLe32(packet, at)) ? loadLe32(packet, at + RECEIVER_AT) : undefined;
}

/**
 * Whether the UDP payload at `at`, of which the whole is `claimed` bytes long, begins with an IP
 * packet with UDP in it; of a super-packet, with the first.
 */
function isUdpPacket(packet: Uint8Array, at: number, claimed: number): boolean {
  const left = packet.length - at;
  switch ((packet[at] ?? 0) >> 4) {
    case 4:
      return (
        left >= IPV4_HEADER_BYTES &&
        ipv4HeaderLength(packet, at) >= IPV4_HEADER_BYTES &&
        ipv4TotalLength(packet, at) <= claimed &&
        ipv4Protocol(packet, at) === PROTOCOL_UDP
      );
    case 6: {
      if (left < IPV6_HEADER_BYTES) return false;
      if (IPV6_HEADER_BYTES + ipv6PayloadLength(packet, at) > claimed) return false;
      const next = ipv6NextHeader(packet, at);
      return next === PROTOCOL_UDP || next === NEXT_HEADER_FRAGMENT;
    }
    default:
      return false;
  }
}

/** The session of a datagram, by what its peer knows it by. */
export interface OwnSession {
  readonly remoteIndex: SessionIndex;
  /** With sub-keypairs of lanes, whose indices differ from its own in the lowest bits. */
  readonly takesControl: boolean;
  readonly lane: number | undefined;
}

/**
 * Whether the inner packet, which is whole and carries `nested`, is a data message of ours to `to`
 * for the session.
 */
export function isOwnDatagram(
  packet: Uint8Array,
  nested: Nested,
  to: Endpoint,
  { remoteIndex, takesControl, lane }: OwnSession,
): boolean {
  const { family, bytes } = to.address;
  if (innerFamily(packet) !== family) return false;
  const at = destinationAt(family);
  if (bytes.some((byte, i) => packet[at + i] !== byte)) return false;
  const { port, vni, receiver } = nested;
  if (port !== to.port || vni !== (to.vni ?? 0) || receiver === undefined) return false;
  const different = (receiver ^ remoteIndex) >>> 0;
  return takesControl || lane !== undefined ? different <= INDEX_BITS : different === 0;
}

/**
 * With how many hops left a datagram leaves around a tunnel's in a packet of so many; 0: it must
 * not.
 */
export function hopsAround(packet: Uint8Array): number {
  const inner = innerFamily(packet) === 4 ? ipv4TimeToLive(packet, 0) : ipv6HopLimit(packet, 0);
  return Math.max(0, Math.min(inner, MOST_NESTED_HOPS) - HOPS_OF_NESTING);
}

/**
 * Where the UDP header of a whole packet or of a first fragment stands; 0: nowhere. Ours have no
 * options and no extension headers but the kernel's fragment header (RFC 8200 §4.5).
 */
function outerUdpAt(packet: Uint8Array): number {
  if (innerFamily(packet) === 4) {
    const isUdp = packet[0] === WITHOUT_OPTIONS && ipv4Protocol(packet, 0) === PROTOCOL_UDP;
    return isUdp && ipv4FragmentOffset(packet, 0) === 0 ? IPV4_HEADER_BYTES : 0;
  }
  if (ipv6NextHeader(packet, 0) === PROTOCOL_UDP) return IPV6_HEADER_BYTES;
  const fragment = IPV6_HEADER_BYTES;
  const isFragment = ipv6NextHeader(packet, 0) === NEXT_HEADER_FRAGMENT;
  if (!isFragment || packet.length < fragment + IPV6_FRAGMENT_BYTES) return 0;
  const isFirst = loadBe16(packet, fragment + 2) >> 3 === 0;
  return isFirst && packet[fragment] === PROTOCOL_UDP ? fragment + IPV6_FRAGMENT_BYTES : 0;
}
