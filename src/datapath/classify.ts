/** Inner packet -> whether it is whole, where its addresses stand, and the flow it belongs to. */

import type { Family } from '../base/address.js';
import { loadBe32, toHex } from '../base/bytes.js';
import { PROTOCOL_TCP, PROTOCOL_UDP } from '../base/ip_protocol.js';
import {
  checkIpv4,
  IPV4_HEADER_BYTES,
  ipv4FragmentOffset,
  ipv4HeaderLength,
  ipv4MoreFragments,
  ipv4Protocol,
  ipv4TotalLength,
} from '../wire/ipv4.js';
import { checkIpv6, IPV6_HEADER_BYTES, ipv6NextHeader, ipv6PayloadLength } from '../wire/ipv6.js';
import { checkTcp, tcpDestinationPort, tcpHeaderLength, tcpSourcePort } from '../wire/tcp.js';
import {
  checkUdp,
  UDP_HEADER_BYTES,
  udpDestinationPort,
  udpLength,
  udpSourcePort,
} from '../wire/udp.js';

/**
 * The packet's own length when `packet` begins with a whole IPv4 or IPv6 packet; 0 when it does
 * not. What stands behind that length is padding. No packet may carry an IPv4-mapped address
 * (RFC 6890 §2.2.3): programs would take its sender for the IPv4 host that another peer is.
 */
export function innerLength(packet: Uint8Array): number {
  if (checkIpv4(packet, 0)) return ipv4TotalLength(packet, 0);
  if (!checkIpv6(packet, 0) || isMapped(packet, sourceAt(6))) return 0;
  if (isMapped(packet, destinationAt(6))) return 0;
  return IPV6_HEADER_BYTES + ipv6PayloadLength(packet, 0);
}

/**
 * The first nibble: 4 and 6 are IP, everything else something that peers would have to negotiate.
 */
export function innerVersion(packet: Uint8Array): number {
  return (packet[0] ?? 0) >> 4;
}

/** Of a packet whose `innerLength` is not 0. */
export function innerFamily(packet: Uint8Array): Family {
  return innerVersion(packet) === 4 ? 4 : 6;
}

export function sourceAt(family: Family): number {
  return family === 4 ? 12 : 8;
}

export function destinationAt(family: Family): number {
  return family === 4 ? 16 : 24;
}

/**
 * A packet's place among others. Whatever cannot be told apart by ports has no transport: other
 * protocols, fragments, IPv4 options, IPv6 extension headers, headers that are not whole.
 */
export interface Flow {
  readonly family: Family;
  /** Who talks to whom, in this direction. */
  readonly hosts: string;
  readonly transport: Transport | undefined;
}

export interface Transport {
  readonly protocol: typeof PROTOCOL_TCP | typeof PROTOCOL_UDP;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** Where its header starts, and where its payload does. */
  readonly at: number;
  readonly payloadAt: number;
}

/** Of a packet that is exactly its `innerLength` long. */
export function classify(packet: Uint8Array): Flow {
  const family = innerFamily(packet);
  const hosts = toHex(packet.subarray(sourceAt(family), family === 4 ? 20 : 40));
  return { family, hosts, transport: findTransport(packet, family) };
}

export function isSameFlow(a: Flow, b: Flow): boolean {
  return (
    a.hosts === b.hosts &&
    a.transport?.protocol === b.transport?.protocol &&
    a.transport?.sourcePort === b.transport?.sourcePort &&
    a.transport?.destinationPort === b.transport?.destinationPort
  );
}

/**
 * 16 bits over the addresses and what tells a flow from others of its hosts: the same for all its
 * packets, and for all fragments of one.
 */
export function flowHash(packet: Uint8Array): number {
  const family = innerFamily(packet);
  const transport = findTransport(packet, family);
  const hosts = packet.subarray(sourceAt(family), family === 4 ? 20 : 40);
  const ports = transport ? [transport.sourcePort, transport.destinationPort] : [];
  // FNV-1a, by words for the ports.
  let hash = 0x811c9dc5;
  for (const value of [...hosts, transport?.protocol ?? 0, ...ports]) {
    hash = Math.imul(hash ^ value, 0x01000193);
  }
  return (hash ^ (hash >>> 16)) & 0xffff;
}

/** ::ffff:0:0/96. */
function isMapped(packet: Uint8Array, at: number): boolean {
  if (loadBe32(packet, at + 8) !== 0xffff) return false;
  return loadBe32(packet, at) === 0 && loadBe32(packet, at + 4) === 0;
}

function findTransport(packet: Uint8Array, family: Family): Transport | undefined {
  if (family === 6) return transportAt(packet, IPV6_HEADER_BYTES, ipv6NextHeader(packet, 0));
  const isFragment = ipv4MoreFragments(packet, 0) || ipv4FragmentOffset(packet, 0) > 0;
  if (isFragment || ipv4HeaderLength(packet, 0) !== IPV4_HEADER_BYTES) return undefined;
  return transportAt(packet, IPV4_HEADER_BYTES, ipv4Protocol(packet, 0));
}

function transportAt(packet: Uint8Array, at: number, protocol: number): Transport | undefined {
  const end = packet.length;
  if (protocol === PROTOCOL_TCP && checkTcp(packet, at, end)) {
    return {
      protocol,
      sourcePort: tcpSourcePort(packet, at),
      destinationPort: tcpDestinationPort(packet, at),
      at,
      payloadAt: at + tcpHeaderLength(packet, at),
    };
  }
  const isDatagram = protocol === PROTOCOL_UDP && checkUdp(packet, at, end);
  if (!isDatagram || at + udpLength(packet, at) !== end) return undefined;
  return {
    protocol,
    sourcePort: udpSourcePort(packet, at),
    destinationPort: udpDestinationPort(packet, at),
    at,
    payloadAt: at + UDP_HEADER_BYTES,
  };
}
