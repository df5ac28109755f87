/**
 * Datagrams of tunnels, come into a TUN: where the way to a peer's endpoint leads into the tunnel,
 * each packet would be sealed again and again. A data message to the peer's endpoint with the very
 * index of the peer's session can only be ours.
 *
 * Where two tunnels lead into each other, neither can tell the other's datagrams from those of a
 * tunnel that is rightly inside it. So each data message that is sealed once more costs hops: its
 * datagram leaves with fewer than it came in with, eight tunnels deep with none, and no loop is
 * without end.
 */

import type { Endpoint } from '../base/address.js';
import { loadBe16, loadBe32, loadLe32 } from '../base/bytes.js';
import type { SessionIndex } from '../base/identifiers.js';
import { PROTOCOL_UDP } from '../base/ip_protocol.js';
import {
  IPV4_HEADER_BYTES,
  ipv4FragmentOffset,
  ipv4Protocol,
  ipv4TimeToLive,
} from '../wire/ipv4.js';
import { IPV6_HEADER_BYTES, ipv6HopLimit, ipv6NextHeader } from '../wire/ipv6.js';
import { UDP_HEADER_BYTES, udpDestinationPort } from '../wire/udp.js';
import { DATA_HEADER_BYTES, MESSAGE_DATA } from '../wire/wireguard.js';
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

/** A data message that a packet carries as its UDP payload, bare or behind a VXLAN header. */
export interface NestedMessage {
  /** Where it goes. */
  readonly port: number;
  readonly receiver: number;
  /** 0: bare. */
  readonly vni: number;
}

/** Of a whole packet. */
export function nestedMessage(packet: Uint8Array): NestedMessage | undefined {
  const udp = outerUdpAt(packet);
  let at = udp + UDP_HEADER_BYTES;
  if (udp === 0 || packet.length < at + DATA_HEADER_BYTES) return undefined;
  let vni = 0;
  if (loadBe32(packet, at) === VXLAN_FLAGS) {
    if (packet.length < at + VXLAN_HEADER_BYTES + DATA_HEADER_BYTES) return undefined;
    vni = loadBe32(packet, at + 4) >>> 8;
    at += VXLAN_HEADER_BYTES;
  }
  if (loadLe32(packet, at) !== MESSAGE_DATA) return undefined;
  const receiver = loadLe32(packet, at + RECEIVER_AT);
  return { port: udpDestinationPort(packet, udp), receiver, vni };
}

/**
 * Whether the inner packet, which is whole and carries `nested`, is a data message of ours to `to`
 * for the session that the peer knows by `remoteIndex`.
 */
export function isOwnDatagram(
  packet: Uint8Array,
  nested: NestedMessage,
  to: Endpoint,
  remoteIndex: SessionIndex,
): boolean {
  const { family, bytes } = to.address;
  if (innerFamily(packet) !== family) return false;
  const at = destinationAt(family);
  if (bytes.some((byte, i) => packet[at + i] !== byte)) return false;
  const { port, vni, receiver } = nested;
  return port === to.port && vni === (to.vni ?? 0) && receiver === remoteIndex;
}

/**
 * With how many hops left a message leaves that carries a data message in a packet of so many; 0:
 * it must not.
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
