/**
 * The IPv4 header (RFC 791 §3.1), network byte order:
 *
 *   0        1     2              4            6              8
 *   +--------+-----+--------------+------------+--------------+
 *   |ver, ihl| TOS | total length | identifier | flags, offset|
 *   +--------+-----+--------------+------------+--------------+
 *   8     9          10         12       16             20
 *   +-----+----------+----------+--------+--------------+-------------
 *   | TTL | protocol | checksum | source | destination  | options ...
 *   +-----+----------+----------+--------+--------------+-------------
 *
 * Flags: bit 15 reserved (sent as zero, ignored on receipt), bit 14 don't fragment, bit 13 more
 * fragments; the offset counts units of 8 bytes.
 */

import { assert } from '../base/assert.js';
import { loadBe16, storeBe16 } from '../base/bytes.js';
import { checksumOf, isSumRight, sumBytes } from './checksum.js';

/** Without options. */
export const IPV4_HEADER_BYTES = 20;
/** With as many options as fit. */
export const IPV4_HEADER_MOST_BYTES = 60;

const TOS_AT = 1;
const TOTAL_LENGTH_AT = 2;
const IDENTIFIER_AT = 4;
const FRAGMENT_AT = 6;
const TTL_AT = 8;
const PROTOCOL_AT = 9;
const CHECKSUM_AT = 10;
const SOURCE_AT = 12;
const DESTINATION_AT = 16;
const OPTIONS_AT = 20;

const VERSION = 4;
const ADDRESS_BYTES = 4;
const DONT_FRAGMENT = 0x4000;
const MORE_FRAGMENTS = 0x2000;
const OFFSET_MASK = 0x1fff;

/**
 * Whether a whole IPv4 packet stands at `at`: its header and as many bytes as that says. Not the
 * checksum.
 */
export function checkIpv4(bytes: Uint8Array, at: number): boolean {
  const left = bytes.length - at;
  if (left < IPV4_HEADER_BYTES || (bytes[at] ?? 0) >> 4 !== VERSION) return false;
  const headerLength = ipv4HeaderLength(bytes, at);
  const totalLength = ipv4TotalLength(bytes, at);
  return headerLength >= IPV4_HEADER_BYTES && totalLength >= headerLength && totalLength <= left;
}

/** 20 to 60. */
export function ipv4HeaderLength(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) & 15) * 4;
}

export function ipv4TypeOfService(bytes: Uint8Array, at: number): number {
  return bytes[at + TOS_AT] ?? 0;
}

/** Header and payload. */
export function ipv4TotalLength(bytes: Uint8Array, at: number): number {
  return loadBe16(bytes, at + TOTAL_LENGTH_AT);
}

export function ipv4Identifier(bytes: Uint8Array, at: number): number {
  return loadBe16(bytes, at + IDENTIFIER_AT);
}

export function ipv4DontFragment(bytes: Uint8Array, at: number): boolean {
  return (loadBe16(bytes, at + FRAGMENT_AT) & DONT_FRAGMENT) !== 0;
}

export function ipv4MoreFragments(bytes: Uint8Array, at: number): boolean {
  return (loadBe16(bytes, at + FRAGMENT_AT) & MORE_FRAGMENTS) !== 0;
}

/** In bytes. */
export function ipv4FragmentOffset(bytes: Uint8Array, at: number): number {
  return (loadBe16(bytes, at + FRAGMENT_AT) & OFFSET_MASK) * 8;
}

export function ipv4TimeToLive(bytes: Uint8Array, at: number): number {
  return bytes[at + TTL_AT] ?? 0;
}

export function ipv4Protocol(bytes: Uint8Array, at: number): number {
  return bytes[at + PROTOCOL_AT] ?? 0;
}

export function ipv4Checksum(bytes: Uint8Array, at: number): number {
  return loadBe16(bytes, at + CHECKSUM_AT);
}

/** Over the whole header, options too. */
export function isIpv4ChecksumRight(bytes: Uint8Array, at: number): boolean {
  return isSumRight(sumBytes(bytes, at, ipv4HeaderLength(bytes, at)));
}

/** A copy of 4 bytes. */
export function ipv4Source(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.slice(at + SOURCE_AT, at + SOURCE_AT + ADDRESS_BYTES);
}

/** A copy of 4 bytes. */
export function ipv4Destination(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.slice(at + DESTINATION_AT, at + DESTINATION_AT + ADDRESS_BYTES);
}

export function setIpv4TotalLength(bytes: Uint8Array, at: number, length: number): void {
  storeBe16(bytes, at + TOTAL_LENGTH_AT, length);
}

/** To what goes with the header as it stands. */
export function setIpv4Checksum(bytes: Uint8Array, at: number): void {
  storeBe16(bytes, at + CHECKSUM_AT, 0);
  const sum = sumBytes(bytes, at, ipv4HeaderLength(bytes, at));
  storeBe16(bytes, at + CHECKSUM_AT, checksumOf(sum));
}

export interface Ipv4Header {
  readonly typeOfService: number;
  readonly totalLength: number;
  readonly identifier: number;
  readonly dontFragment: boolean;
  readonly moreFragments: boolean;
  /** In bytes, a multiple of 8. */
  readonly fragmentOffset: number;
  readonly timeToLive: number;
  readonly protocol: number;
  /** 4 bytes. */
  readonly source: Uint8Array;
  /** 4 bytes. */
  readonly destination: Uint8Array;
  /** 0 to 40 bytes, a multiple of 4. */
  readonly options: Uint8Array;
}

/** Undefined when `checkIpv4` does not hold. */
export function parseIpv4Header(bytes: Uint8Array, at: number): Ipv4Header | undefined {
  if (!checkIpv4(bytes, at)) return undefined;
  return {
    typeOfService: ipv4TypeOfService(bytes, at),
    totalLength: ipv4TotalLength(bytes, at),
    identifier: ipv4Identifier(bytes, at),
    dontFragment: ipv4DontFragment(bytes, at),
    moreFragments: ipv4MoreFragments(bytes, at),
    fragmentOffset: ipv4FragmentOffset(bytes, at),
    timeToLive: ipv4TimeToLive(bytes, at),
    protocol: ipv4Protocol(bytes, at),
    source: ipv4Source(bytes, at),
    destination: ipv4Destination(bytes, at),
    options: bytes.slice(at + OPTIONS_AT, at + ipv4HeaderLength(bytes, at)),
  };
}

/** Writes 20 bytes and the options, the checksum right; returns how many bytes. */
export function emitIpv4Header(bytes: Uint8Array, at: number, header: Ipv4Header): number {
  const length = IPV4_HEADER_BYTES + header.options.length;
  assert(
    length <= IPV4_HEADER_MOST_BYTES && length % 4 === 0,
    'IPv4 options are whole words, 40 bytes at most',
  );
  const flags =
    (header.dontFragment ? DONT_FRAGMENT : 0) | (header.moreFragments ? MORE_FRAGMENTS : 0);
  bytes[at] = (VERSION << 4) | (length / 4);
  bytes[at + TOS_AT] = header.typeOfService;
  storeBe16(bytes, at + TOTAL_LENGTH_AT, header.totalLength);
  storeBe16(bytes, at + IDENTIFIER_AT, header.identifier);
  storeBe16(bytes, at + FRAGMENT_AT, flags | (header.fragmentOffset / 8));
  bytes[at + TTL_AT] = header.timeToLive;
  bytes[at + PROTOCOL_AT] = header.protocol;
  bytes.set(header.source, at + SOURCE_AT);
  bytes.set(header.destination, at + DESTINATION_AT);
  bytes.set(header.options, at + OPTIONS_AT);
  setIpv4Checksum(bytes, at);
  return length;
}
