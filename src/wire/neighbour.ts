/**
 * Neighbour solicitation and advertisement (RFC 4861 §4.3, §4.4), ICMPv6 in an IPv6 packet without
 * extension headers, network byte order:
 *
 *   0      1      2          4                    8                24
 *   +------+------+----------+--------------------+----------------+-------------+
 *   | type | code | checksum | R S O and reserved | target address | options ... |
 *   +------+------+----------+--------------------+----------------+-------------+
 *
 * Type 135 asks, 136 answers; R, S (solicited) and O (override) are bits 31 to 29 of an answer. An
 * option: type(1), length(1) in units of 8 bytes, content. The target's link-layer address is
 * option 2, one unit long over Ethernet. Both are valid only with hop limit 255, code 0 and a right
 * checksum (§7.1.1, §7.1.2): nobody off the link could have sent them.
 */

import { type Mac, macFromBytes } from '../base/address.js';
import { storeBe16, storeBe32 } from '../base/bytes.js';
import { PROTOCOL_ICMPV6 } from '../base/ip_protocol.js';
import { checksumOf, isSumRight, sumBytes, sumPseudoHeader } from './checksum.js';
import {
  checkIpv6,
  emitIpv6Header,
  IPV6_HEADER_BYTES,
  ipv6Destination,
  ipv6HopLimit,
  ipv6NextHeader,
  ipv6PayloadLength,
  ipv6Source,
} from './ipv6.js';

const TYPE_SOLICITATION = 135;
const TYPE_ADVERTISEMENT = 136;
const HOPS = 255;

const MESSAGE_BYTES = 24;
const CODE_AT = 1;
const CHECKSUM_AT = 2;
const FLAGS_AT = 4;
const TARGET_AT = 8;
const ADDRESS_BYTES = 16;

const OPTION_UNIT_BYTES = 8;
const OPTION_TARGET_LINK = 2;
const LINK_AT = 2;
const MULTICAST = 0xff;

const SOLICITED = 0x4000_0000;
const OVERRIDE = 0x2000_0000;
/** Header, message and one option. */
export const ADVERTISEMENT_BYTES = IPV6_HEADER_BYTES + MESSAGE_BYTES + OPTION_UNIT_BYTES;

export interface NeighbourSolicitation {
  /** 16 bytes: the sender's; unspecified while it asks whether an address is taken. */
  readonly source: Uint8Array;
  /** 16 bytes. */
  readonly target: Uint8Array;
}

/** Of the IPv6 packet at `at`; undefined when it is not valid (§7.1.1). */
export function parseSolicitation(
  bytes: Uint8Array,
  at: number,
): NeighbourSolicitation | undefined {
  if (!isValid(bytes, at, TYPE_SOLICITATION)) return undefined;
  return { source: ipv6Source(bytes, at), target: targetOf(bytes, at) };
}

export interface NeighbourAdvertisement {
  /** 16 bytes each: where the answer comes from and goes to, and what was asked for. */
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly target: Uint8Array;
  /** Where the target is on the link. */
  readonly targetMac: Mac;
  readonly isSolicited: boolean;
  /** Replaces what the receiver knew. */
  readonly isOverride: boolean;
}

/** Of the IPv6 packet at `at`; undefined when it is not valid or names no link-layer address. */
export function parseAdvertisement(
  bytes: Uint8Array,
  at: number,
): NeighbourAdvertisement | undefined {
  if (!isValid(bytes, at, TYPE_ADVERTISEMENT)) return undefined;
  const link = findOption(bytes, at, OPTION_TARGET_LINK);
  if (link === undefined) return undefined;
  const flags = (bytes[at + IPV6_HEADER_BYTES + FLAGS_AT] ?? 0) << 24;
  return {
    source: ipv6Source(bytes, at),
    destination: ipv6Destination(bytes, at),
    target: targetOf(bytes, at),
    targetMac: macFromBytes(bytes, link + LINK_AT),
    isSolicited: (flags & SOLICITED) !== 0,
    isOverride: (flags & OVERRIDE) !== 0,
  };
}

/** Writes a whole IPv6 packet of 72 bytes, the checksum right; returns how many. */
export function emitAdvertisement(
  bytes: Uint8Array,
  at: number,
  advertisement: NeighbourAdvertisement,
): number {
  const { isSolicited, isOverride } = advertisement;
  const payloadLength = MESSAGE_BYTES + OPTION_UNIT_BYTES;
  emitIpv6Header(bytes, at, {
    trafficClass: 0,
    flowLabel: 0,
    payloadLength,
    nextHeader: PROTOCOL_ICMPV6,
    hopLimit: HOPS,
    source: advertisement.source,
    destination: advertisement.destination,
  });
  const message = at + IPV6_HEADER_BYTES;
  storeBe16(bytes, message, TYPE_ADVERTISEMENT << 8);
  storeBe16(bytes, message + CHECKSUM_AT, 0);
  const flags = (isSolicited ? SOLICITED : 0) + (isOverride ? OVERRIDE : 0);
  storeBe32(bytes, message + FLAGS_AT, flags);
  bytes.set(advertisement.target, message + TARGET_AT);
  const option = message + MESSAGE_BYTES;
  bytes[option] = OPTION_TARGET_LINK;
  bytes[option + 1] = 1;
  bytes.set(advertisement.targetMac.bytes, option + LINK_AT);
  storeBe16(bytes, message + CHECKSUM_AT, checksumOf(sumOf(bytes, at)));
  return ADVERTISEMENT_BYTES;
}

function isValid(bytes: Uint8Array, at: number, type: number): boolean {
  const message = at + IPV6_HEADER_BYTES;
  return (
    checkIpv6(bytes, at) &&
    ipv6NextHeader(bytes, at) === PROTOCOL_ICMPV6 &&
    ipv6PayloadLength(bytes, at) >= MESSAGE_BYTES &&
    ipv6HopLimit(bytes, at) === HOPS &&
    bytes[message] === type &&
    bytes[message + CODE_AT] === 0 &&
    bytes[message + TARGET_AT] !== MULTICAST &&
    areOptionsWhole(bytes, at) &&
    isSumRight(sumOf(bytes, at))
  );
}

/** An option without length would never end. */
function areOptionsWhole(bytes: Uint8Array, at: number): boolean {
  const end = endOf(bytes, at);
  let option = at + IPV6_HEADER_BYTES + MESSAGE_BYTES;
  while (option < end) {
    const length = (bytes[option + 1] ?? 0) * OPTION_UNIT_BYTES;
    if (length === 0 || option + length > end) return false;
    option += length;
  }
  return true;
}

/** Where the first option of this type stands; the options are whole. */
function findOption(bytes: Uint8Array, at: number, type: number): number | undefined {
  const end = endOf(bytes, at);
  let option = at + IPV6_HEADER_BYTES + MESSAGE_BYTES;
  while (option < end) {
    if (bytes[option] === type) return option;
    option += (bytes[option + 1] ?? 0) * OPTION_UNIT_BYTES;
  }
  return undefined;
}

function endOf(bytes: Uint8Array, at: number): number {
  return at + IPV6_HEADER_BYTES + ipv6PayloadLength(bytes, at);
}

function sumOf(bytes: Uint8Array, at: number): number {
  const length = ipv6PayloadLength(bytes, at);
  const pseudo = sumPseudoHeader(bytes, at, { protocol: PROTOCOL_ICMPV6, length });
  return pseudo + sumBytes(bytes, at + IPV6_HEADER_BYTES, length);
}

function targetOf(bytes: Uint8Array, at: number): Uint8Array {
  const target = at + IPV6_HEADER_BYTES + TARGET_AT;
  return bytes.slice(target, target + ADDRESS_BYTES);
}
