/**
 * The IPv6 header (RFC 8200 §3), network byte order, and the walk over extension headers (§4) to
 * the upper protocol:
 *
 *   0                           4                6             7           8        24
 *   +---------------------------+----------------+-------------+-----------+--------+-------------+
 *   |version, class, flow label | payload length | next header | hop limit | source | destination |
 *   +---------------------------+----------------+-------------+-----------+--------+-------------+
 *    bits 31-28, 27-20, 19-0
 *
 * An extension header: next header(1), length(1) in units of 8 bytes without the first 8, content.
 * Of the fragment header (§4.5) that length is reserved and taken as 0; of the authentication
 * header (RFC 4302 §2.2) it counts units of 4 without the first 8.
 */

import { loadBe16, loadBe32, storeBe16, storeBe32 } from '../base/bytes.js';
import {
  PROTOCOL_AUTHENTICATION,
  PROTOCOL_DESTINATION,
  PROTOCOL_FRAGMENT,
  PROTOCOL_HIP,
  PROTOCOL_HOP_BY_HOP,
  PROTOCOL_MOBILITY,
  PROTOCOL_ROUTING,
  PROTOCOL_SHIM6,
} from '../base/ip_protocol.js';

export const IPV6_HEADER_BYTES = 40;
/** More extension headers than any honest packet has. */
export const EXTENSION_HEADERS_MAX = 8;

const PAYLOAD_LENGTH_AT = 4;
const NEXT_HEADER_AT = 6;
const HOP_LIMIT_AT = 7;
const SOURCE_AT = 8;
const DESTINATION_AT = 24;

const VERSION = 6;
const ADDRESS_BYTES = 16;
const EXTENSION_LEAST_BYTES = 8;
const FRAGMENT_OFFSET_AT = 2;
const FRAGMENT_OFFSET_MASK = 0xfff8;

/**
 * Whether a whole IPv6 packet stands at `at`: its header and as many bytes as that says. No
 * jumbograms.
 */
export function checkIpv6(bytes: Uint8Array, at: number): boolean {
  const left = bytes.length - at;
  if (left < IPV6_HEADER_BYTES || (bytes[at] ?? 0) >> 4 !== VERSION) return false;
  return IPV6_HEADER_BYTES + ipv6PayloadLength(bytes, at) <= left;
}

export function ipv6TrafficClass(bytes: Uint8Array, at: number): number {
  return (loadBe16(bytes, at) >> 4) & 0xff;
}

export function ipv6FlowLabel(bytes: Uint8Array, at: number): number {
  return loadBe32(bytes, at) & 0xfffff;
}

/** Without the header itself. */
export function ipv6PayloadLength(bytes: Uint8Array, at: number): number {
  return loadBe16(bytes, at + PAYLOAD_LENGTH_AT);
}

export function ipv6NextHeader(bytes: Uint8Array, at: number): number {
  return bytes[at + NEXT_HEADER_AT] ?? 0;
}

export function ipv6HopLimit(bytes: Uint8Array, at: number): number {
  return bytes[at + HOP_LIMIT_AT] ?? 0;
}

/** A copy of 16 bytes. */
export function ipv6Source(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.slice(at + SOURCE_AT, at + SOURCE_AT + ADDRESS_BYTES);
}

/** A copy of 16 bytes. */
export function ipv6Destination(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.slice(at + DESTINATION_AT, at + DESTINATION_AT + ADDRESS_BYTES);
}

export function setIpv6PayloadLength(bytes: Uint8Array, at: number, length: number): void {
  storeBe16(bytes, at + PAYLOAD_LENGTH_AT, length);
}

/** What an IPv6 packet carries under its extension headers. */
export interface Ipv6Upper {
  /** Its number, and where its header begins, which may be the packet's end. */
  readonly protocol: number;
  readonly at: number;
  /** In bytes: of a fragment that is not the first, `at` is in the middle of the payload. */
  readonly fragmentOffset: number;
}

/**
 * Undefined when an extension header does not end inside the packet, or when there are more than
 * EXTENSION_HEADERS_MAX. The walk stops at a fragment that is not the first: what follows there is
 * payload.
 */
export function findIpv6Upper(bytes: Uint8Array, at: number): Ipv6Upper | undefined {
  const end = at + IPV6_HEADER_BYTES + ipv6PayloadLength(bytes, at);
  let protocol = ipv6NextHeader(bytes, at);
  let next = at + IPV6_HEADER_BYTES;
  for (let count = 0; isExtension(protocol); count++) {
    if (count === EXTENSION_HEADERS_MAX) return undefined;
    const length = extensionLength(bytes, next, protocol);
    if (next + length > end) return undefined;
    const fragmentOffset =
      protocol === PROTOCOL_FRAGMENT
        ? loadBe16(bytes, next + FRAGMENT_OFFSET_AT) & FRAGMENT_OFFSET_MASK
        : 0;
    protocol = bytes[next] ?? 0;
    next += length;
    if (fragmentOffset > 0) return { protocol, at: next, fragmentOffset };
  }
  return { protocol, at: next, fragmentOffset: 0 };
}

export interface Ipv6Header {
  readonly trafficClass: number;
  /** 20 bits. */
  readonly flowLabel: number;
  readonly payloadLength: number;
  readonly nextHeader: number;
  readonly hopLimit: number;
  /** 16 bytes. */
  readonly source: Uint8Array;
  /** 16 bytes. */
  readonly destination: Uint8Array;
}

/** Undefined when `checkIpv6` does not hold. */
export function parseIpv6Header(bytes: Uint8Array, at: number): Ipv6Header | undefined {
  if (!checkIpv6(bytes, at)) return undefined;
  return {
    trafficClass: ipv6TrafficClass(bytes, at),
    flowLabel: ipv6FlowLabel(bytes, at),
    payloadLength: ipv6PayloadLength(bytes, at),
    nextHeader: ipv6NextHeader(bytes, at),
    hopLimit: ipv6HopLimit(bytes, at),
    source: ipv6Source(bytes, at),
    destination: ipv6Destination(bytes, at),
  };
}

/** Writes 40 bytes; returns how many. */
export function emitIpv6Header(bytes: Uint8Array, at: number, header: Ipv6Header): number {
  storeBe32(bytes, at, (VERSION << 28) | (header.trafficClass << 20) | header.flowLabel);
  storeBe16(bytes, at + PAYLOAD_LENGTH_AT, header.payloadLength);
  bytes[at + NEXT_HEADER_AT] = header.nextHeader;
  bytes[at + HOP_LIMIT_AT] = header.hopLimit;
  bytes.set(header.source, at + SOURCE_AT);
  bytes.set(header.destination, at + DESTINATION_AT);
  return IPV6_HEADER_BYTES;
}

/** IANA "IPv6 Extension Header Types", but ESP, which hides what follows. */
function isExtension(protocol: number): boolean {
  switch (protocol) {
    case PROTOCOL_HOP_BY_HOP:
    case PROTOCOL_ROUTING:
    case PROTOCOL_FRAGMENT:
    case PROTOCOL_AUTHENTICATION:
    case PROTOCOL_DESTINATION:
    case PROTOCOL_MOBILITY:
    case PROTOCOL_HIP:
    case PROTOCOL_SHIM6:
      return true;
    default:
      return false;
  }
}

/** At least 8. */
function extensionLength(bytes: Uint8Array, at: number, protocol: number): number {
  const units = bytes[at + 1] ?? 0;
  if (protocol === PROTOCOL_FRAGMENT) return EXTENSION_LEAST_BYTES;
  const unitBytes = protocol === PROTOCOL_AUTHENTICATION ? 4 : 8;
  return EXTENSION_LEAST_BYTES + units * unitBytes;
}
