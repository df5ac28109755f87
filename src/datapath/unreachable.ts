/**
 * "Host unreachable" (ICMP type 3, code 1, RFC 792) and "address unreachable" (ICMPv6 type 1, code
 * 3, RFC 4443 §3.1): an IP header, then, network byte order:
 *
 *   0      1      2          4            8
 *   +------+------+----------+------------+------------------------------------------
 *   | type | code | checksum | unused (0) | the start of the packet that it is about
 *   +------+------+----------+------------+------------------------------------------
 *
 * It comes from the address that cannot be reached, as a host sees it that has no other address to
 * speak from: what comes out of an interface with the host's own address as its source, the kernel
 * takes for forged.
 */

import { storeBe16, storeBe32 } from '../base/bytes.js';
import {
  PROTOCOL_AUTHENTICATION,
  PROTOCOL_DESTINATION,
  PROTOCOL_FRAGMENT,
  PROTOCOL_HIP,
  PROTOCOL_HOP_BY_HOP,
  PROTOCOL_ICMP,
  PROTOCOL_ICMPV6,
  PROTOCOL_MOBILITY,
  PROTOCOL_ROUTING,
  PROTOCOL_SHIM6,
} from '../base/ip_protocol.js';
import { checksumOf, sumBytes, sumPseudoHeader } from '../wire/checksum.js';
import {
  emitIpv4Header,
  IPV4_HEADER_BYTES,
  ipv4Destination,
  ipv4FragmentOffset,
  ipv4HeaderLength,
  ipv4Protocol,
  ipv4Source,
} from '../wire/ipv4.js';
import {
  emitIpv6Header,
  IPV6_HEADER_BYTES,
  ipv6Destination,
  ipv6NextHeader,
  ipv6Source,
} from '../wire/ipv6.js';

const ICMP_BYTES = 8;
const CHECKSUM_AT = 2;
const HOPS = 64;
/** Internetwork control, as RFC 1812 §4.3.2.5 wants of errors. */
const TYPE_OF_SERVICE = 0xc0;
/** What every host takes: RFC 1812 §4.3.2.3, RFC 4443 §2.4 (c). */
const MOST_IPV4_BYTES = 576;
const MOST_IPV6_BYTES = 1280;
/** Unreachable, source quench, redirect, time exceeded, parameter problem. */
const IPV4_ERRORS: readonly number[] = [3, 4, 5, 11, 12];
const FIRST_IPV6_QUERY = 128;
const FIRST_IPV4_MULTICAST = 224;
const MULTICAST = 0xff;
/** Behind these an error may hide, or a fragment. */
const EXTENSIONS: readonly number[] = [
  ...[PROTOCOL_HOP_BY_HOP, PROTOCOL_ROUTING, PROTOCOL_FRAGMENT, PROTOCOL_AUTHENTICATION],
  ...[PROTOCOL_DESTINATION, PROTOCOL_MOBILITY, PROTOCOL_HIP, PROTOCOL_SHIM6],
];

/**
 * Whether an error may be sent about the whole packet: never about an error, a later fragment, or
 * what goes to or comes from many (RFC 1122 §3.2.2, RFC 4443 §2.4 (e)).
 */
export function mayBeRefused(packet: Uint8Array): boolean {
  return (packet[0] ?? 0) >> 4 === 4 ? mayRefuseIpv4(packet) : mayRefuseIpv6(packet);
}

/** About a whole packet. */
export function emitUnreachable(packet: Uint8Array): Uint8Array {
  return (packet[0] ?? 0) >> 4 === 4 ? emitIpv4(packet) : emitIpv6(packet);
}

function mayRefuseIpv4(packet: Uint8Array): boolean {
  if (ipv4FragmentOffset(packet, 0) !== 0) return false;
  const source = ipv4Source(packet, 0)[0] ?? 0;
  const destination = ipv4Destination(packet, 0)[0] ?? 0;
  if (source === 0 || source === 127 || source >= FIRST_IPV4_MULTICAST) return false;
  if (destination >= FIRST_IPV4_MULTICAST) return false;
  if (ipv4Protocol(packet, 0) !== PROTOCOL_ICMP) return true;
  const type = packet[ipv4HeaderLength(packet, 0)];
  return type !== undefined && !IPV4_ERRORS.includes(type);
}

function mayRefuseIpv6(packet: Uint8Array): boolean {
  const source = ipv6Source(packet, 0);
  // Unspecified or the loopback.
  if (source.subarray(0, 15).every((byte) => byte === 0)) return false;
  if (source[0] === MULTICAST || ipv6Destination(packet, 0)[0] === MULTICAST) return false;
  const next = ipv6NextHeader(packet, 0);
  if (next !== PROTOCOL_ICMPV6) return !EXTENSIONS.includes(next);
  return (packet[IPV6_HEADER_BYTES] ?? 0) >= FIRST_IPV6_QUERY;
}

function emitIpv4(packet: Uint8Array): Uint8Array {
  const before = IPV4_HEADER_BYTES + ICMP_BYTES;
  const about = packet.subarray(0, MOST_IPV4_BYTES - before);
  const answer = new Uint8Array(before + about.length);
  emitIpv4Header(answer, 0, {
    typeOfService: TYPE_OF_SERVICE,
    totalLength: answer.length,
    identifier: 0,
    dontFragment: true,
    moreFragments: false,
    fragmentOffset: 0,
    timeToLive: HOPS,
    protocol: PROTOCOL_ICMP,
    source: ipv4Destination(packet, 0),
    destination: ipv4Source(packet, 0),
    options: new Uint8Array(0),
  });
  const message = IPV4_HEADER_BYTES;
  storeBe16(answer, message, 0x0301);
  storeBe32(answer, message + 4, 0);
  answer.set(about, before);
  const sum = sumBytes(answer, message, answer.length - message);
  storeBe16(answer, message + CHECKSUM_AT, checksumOf(sum));
  return answer;
}

function emitIpv6(packet: Uint8Array): Uint8Array {
  const before = IPV6_HEADER_BYTES + ICMP_BYTES;
  const about = packet.subarray(0, MOST_IPV6_BYTES - before);
  const answer = new Uint8Array(before + about.length);
  const length = answer.length - IPV6_HEADER_BYTES;
  emitIpv6Header(answer, 0, {
    trafficClass: TYPE_OF_SERVICE,
    flowLabel: 0,
    payloadLength: length,
    nextHeader: PROTOCOL_ICMPV6,
    hopLimit: HOPS,
    source: ipv6Destination(packet, 0),
    destination: ipv6Source(packet, 0),
  });
  const message = IPV6_HEADER_BYTES;
  storeBe16(answer, message, 0x0103);
  storeBe32(answer, message + 4, 0);
  answer.set(about, before);
  const pseudo = sumPseudoHeader(answer, 0, { protocol: PROTOCOL_ICMPV6, length });
  const sum = pseudo + sumBytes(answer, message, length);
  storeBe16(answer, message + CHECKSUM_AT, checksumOf(sum));
  return answer;
}
