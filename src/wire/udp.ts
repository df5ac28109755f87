/**
 * The UDP header (RFC 768), network byte order:
 *
 *   0             2                  4        6          8
 *   +-------------+------------------+--------+----------+
 *   | source port | destination port | length | checksum |
 *   +-------------+------------------+--------+----------+
 *
 * The length counts the header. A checksum of zero means that there is none; one that is computed
 * as zero is sent as 0xffff.
 */

import { loadBe16, storeBe16 } from '../base/bytes.js';
import { checksumOf, sumBytes, sumPseudoHeader } from './checksum.js';
import { PROTOCOL_UDP } from '../base/ip_protocol.js';

export const UDP_HEADER_BYTES = 8;
export const UDP_CHECKSUM_AT = 6;

const DESTINATION_PORT_AT = 2;
const LENGTH_AT = 4;

/** Whether a whole datagram stands between `at` and `end`. */
export function checkUdp(bytes: Uint8Array, at: number, end: number): boolean {
  const left = Math.min(end, bytes.length) - at;
  if (left < UDP_HEADER_BYTES) return false;
  const length = udpLength(bytes, at);
  return length >= UDP_HEADER_BYTES && length <= left;
}

export function udpSourcePort(bytes: Uint8Array, at: number): number {
  return loadBe16(bytes, at);
}

export function udpDestinationPort(bytes: Uint8Array, at: number): number {
  return loadBe16(bytes, at + DESTINATION_PORT_AT);
}

/** Header and payload. */
export function udpLength(bytes: Uint8Array, at: number): number {
  return loadBe16(bytes, at + LENGTH_AT);
}

export function udpChecksum(bytes: Uint8Array, at: number): number {
  return loadBe16(bytes, at + UDP_CHECKSUM_AT);
}

export function setUdpLength(bytes: Uint8Array, at: number, length: number): void {
  storeBe16(bytes, at + LENGTH_AT, length);
}

/** To what goes with the datagram at `at`, of the IP packet at `packetAt`, as it stands. */
export function setUdpChecksum(bytes: Uint8Array, at: number, packetAt: number): void {
  const length = udpLength(bytes, at);
  storeBe16(bytes, at + UDP_CHECKSUM_AT, 0);
  const pseudo = sumPseudoHeader(bytes, packetAt, { protocol: PROTOCOL_UDP, length });
  const checksum = checksumOf(pseudo + sumBytes(bytes, at, length));
  storeBe16(bytes, at + UDP_CHECKSUM_AT, checksum === 0 ? 0xffff : checksum);
}

export interface UdpHeader {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly length: number;
  readonly checksum: number;
}

/** Undefined when `checkUdp` does not hold. */
export function parseUdpHeader(bytes: Uint8Array, at: number, end: number): UdpHeader | undefined {
  if (!checkUdp(bytes, at, end)) return undefined;
  return {
    sourcePort: udpSourcePort(bytes, at),
    destinationPort: udpDestinationPort(bytes, at),
    length: udpLength(bytes, at),
    checksum: udpChecksum(bytes, at),
  };
}

/** Writes 8 bytes; returns how many. */
export function emitUdpHeader(bytes: Uint8Array, at: number, header: UdpHeader): number {
  storeBe16(bytes, at, header.sourcePort);
  storeBe16(bytes, at + DESTINATION_PORT_AT, header.destinationPort);
  storeBe16(bytes, at + LENGTH_AT, header.length);
  storeBe16(bytes, at + UDP_CHECKSUM_AT, header.checksum);
  return UDP_HEADER_BYTES;
}
