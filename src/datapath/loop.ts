/**
 * Our own datagrams, come back through the TUN: where the way to a peer's endpoint leads into the
 * tunnel, each packet would be sealed again and again. A data message to the peer's endpoint with
 * the very index of the peer's session can only be ours.
 */

import type { Endpoint } from '../base/address.js';
import { loadBe16, loadLe32 } from '../base/bytes.js';
import type { SessionIndex } from '../base/identifiers.js';
import { PROTOCOL_UDP } from '../base/ip_protocol.js';
import { IPV4_HEADER_BYTES, ipv4FragmentOffset, ipv4Protocol } from '../wire/ipv4.js';
import { IPV6_HEADER_BYTES, ipv6NextHeader } from '../wire/ipv6.js';
import { UDP_HEADER_BYTES, udpDestinationPort } from '../wire/udp.js';
import { DATA_HEADER_BYTES, MESSAGE_DATA } from '../wire/wireguard.js';
import { destinationAt, innerFamily } from './classify.js';

const WITHOUT_OPTIONS = 0x45;
const NEXT_HEADER_FRAGMENT = 44;
const IPV6_FRAGMENT_BYTES = 8;
const RECEIVER_AT = 4;

/**
 * Whether the inner packet, which is whole, is a data message of ours to `to` for the session that
 * the peer knows by `remoteIndex`.
 */
export function isOwnDatagram(
  packet: Uint8Array,
  to: Endpoint,
  remoteIndex: SessionIndex,
): boolean {
  const { family, bytes } = to.address;
  if (innerFamily(packet) !== family) return false;
  const at = destinationAt(family);
  if (bytes.some((byte, i) => packet[at + i] !== byte)) return false;
  const udp = outerUdpAt(packet);
  if (udp === 0 || packet.length < udp + UDP_HEADER_BYTES + DATA_HEADER_BYTES) return false;
  const message = udp + UDP_HEADER_BYTES;
  return (
    udpDestinationPort(packet, udp) === to.port &&
    loadLe32(packet, message) === MESSAGE_DATA &&
    loadLe32(packet, message + RECEIVER_AT) === remoteIndex
  );
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
