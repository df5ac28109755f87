/**
 * The TCP header (RFC 9293 §3.1), network byte order:
 *
 *   0             2                  4          8                 12
 *   +-------------+------------------+----------+-----------------+
 *   | source port | destination port | sequence | acknowledgement |
 *   +-------------+------------------+----------+-----------------+
 *   12       13      14       16         18       20
 *   +--------+-------+--------+----------+--------+-------------
 *   | offset | flags | window | checksum | urgent | options ...
 *   +--------+-------+--------+----------+--------+-------------
 *
 * The offset is the upper four bits, in units of 4 bytes; the lower four are reserved, sent as zero
 * and ignored. An option (§3.2): kind(1), length(1) of the whole option, content; end of list (0)
 * and no operation (1) are one byte alone.
 */

import { assert } from '../base/assert.js';
import { loadBe16, loadBe32, storeBe16, storeBe32 } from '../base/bytes.js';
import { checksumOf, sumBytes, sumPseudoHeader } from './checksum.js';
import { PROTOCOL_TCP } from '../base/ip_protocol.js';

/** Without options. */
export const TCP_HEADER_BYTES = 20;
/** With as many options as fit. */
export const TCP_HEADER_MOST_BYTES = 60;
export const TCP_CHECKSUM_AT = 16;

export const TCP_FIN = 0x01;
export const TCP_SYN = 0x02;
export const TCP_RST = 0x04;
export const TCP_PSH = 0x08;
export const TCP_ACK = 0x10;
export const TCP_URG = 0x20;
export const TCP_ECE = 0x40;
export const TCP_CWR = 0x80;

export const TCP_OPTION_END = 0;
export const TCP_OPTION_NOP = 1;
export const TCP_OPTION_MSS = 2;

const DESTINATION_PORT_AT = 2;
const SEQUENCE_AT = 4;
const ACKNOWLEDGEMENT_AT = 8;
const OFFSET_AT = 12;
const FLAGS_AT = 13;
const WINDOW_AT = 14;
const URGENT_AT = 18;
const OPTIONS_AT = 20;

/** Whether a whole header stands between `at` and `end`. */
export function checkTcp(bytes: Uint8Array, at: number, end: number): boolean {
  const left = Math.min(end, bytes.length) - at;
  if (left < TCP_HEADER_BYTES) return false;
  const length = tcpHeaderLength(bytes, at);
  return length >= TCP_HEADER_BYTES && length <= left;
}

export function tcpSourcePort(bytes: Uint8Array, at: number): number {
  return loadBe16(bytes, at);
}

export function tcpDestinationPort(bytes: Uint8Array, at: number): number {
  return loadBe16(bytes, at + DESTINATION_PORT_AT);
}

export function tcpSequence(bytes: Uint8Array, at: number): number {
  return loadBe32(bytes, at + SEQUENCE_AT);
}

export function tcpAcknowledgement(bytes: Uint8Array, at: number): number {
  return loadBe32(bytes, at + ACKNOWLEDGEMENT_AT);
}

/** The data offset in bytes: 20 to 60. */
export function tcpHeaderLength(bytes: Uint8Array, at: number): number {
  return ((bytes[at + OFFSET_AT] ?? 0) >> 4) * 4;
}

/** TCP_FIN to TCP_CWR. */
export function tcpFlags(bytes: Uint8Array, at: number): number {
  return bytes[at + FLAGS_AT] ?? 0;
}

export function tcpWindow(bytes: Uint8Array, at: number): number {
  return loadBe16(bytes, at + WINDOW_AT);
}

export function tcpChecksum(bytes: Uint8Array, at: number): number {
  return loadBe16(bytes, at + TCP_CHECKSUM_AT);
}

export function tcpUrgentPointer(bytes: Uint8Array, at: number): number {
  return loadBe16(bytes, at + URGENT_AT);
}

/**
 * Where the first option of `kind` begins; undefined when there is none before the end or a
 * malformed one.
 */
export function findTcpOption(bytes: Uint8Array, at: number, kind: number): number | undefined {
  const end = at + tcpHeaderLength(bytes, at);
  let next = at + OPTIONS_AT;
  while (next < end) {
    const found = bytes[next] ?? TCP_OPTION_END;
    if (found === TCP_OPTION_END && kind !== TCP_OPTION_END) return undefined;
    const length = tcpOptionLength(bytes, next);
    if (length === 0 || next + length > end) return undefined;
    if (found === kind) return next;
    next += length;
  }
  return undefined;
}

/** The maximum segment size (RFC 9293 §3.7.1) that a SYN announces; undefined when it does not. */
export function tcpMaximumSegmentSize(bytes: Uint8Array, at: number): number | undefined {
  const option = findTcpOption(bytes, at, TCP_OPTION_MSS);
  if (option === undefined || tcpOptionLength(bytes, option) !== 4) return undefined;
  return loadBe16(bytes, option + 2);
}

export function setTcpSequence(bytes: Uint8Array, at: number, sequence: number): void {
  storeBe32(bytes, at + SEQUENCE_AT, sequence);
}

export function setTcpFlags(bytes: Uint8Array, at: number, flags: number): void {
  bytes[at + FLAGS_AT] = flags;
}

/**
 * To what goes with the segment from `at` to `end`, of the IP packet at `packetAt`, as it stands.
 */
export function setTcpChecksum(
  bytes: Uint8Array,
  at: number,
  within: { readonly packetAt: number; readonly end: number },
): void {
  const length = within.end - at;
  storeBe16(bytes, at + TCP_CHECKSUM_AT, 0);
  const pseudo = sumPseudoHeader(bytes, within.packetAt, { protocol: PROTOCOL_TCP, length });
  storeBe16(bytes, at + TCP_CHECKSUM_AT, checksumOf(pseudo + sumBytes(bytes, at, length)));
}

export interface TcpHeader {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly acknowledgement: number;
  readonly flags: number;
  readonly window: number;
  readonly checksum: number;
  readonly urgentPointer: number;
  /** 0 to 40 bytes, a multiple of 4. */
  readonly options: Uint8Array;
}

/** Undefined when `checkTcp` does not hold. */
export function parseTcpHeader(bytes: Uint8Array, at: number, end: number): TcpHeader | undefined {
  if (!checkTcp(bytes, at, end)) return undefined;
  return {
    sourcePort: tcpSourcePort(bytes, at),
    destinationPort: tcpDestinationPort(bytes, at),
    sequence: tcpSequence(bytes, at),
    acknowledgement: tcpAcknowledgement(bytes, at),
    flags: tcpFlags(bytes, at),
    window: tcpWindow(bytes, at),
    checksum: tcpChecksum(bytes, at),
    urgentPointer: tcpUrgentPointer(bytes, at),
    options: bytes.slice(at + OPTIONS_AT, at + tcpHeaderLength(bytes, at)),
  };
}

/** Writes 20 bytes and the options; returns how many bytes. */
export function emitTcpHeader(bytes: Uint8Array, at: number, header: TcpHeader): number {
  const length = TCP_HEADER_BYTES + header.options.length;
  assert(
    length <= TCP_HEADER_MOST_BYTES && length % 4 === 0,
    'TCP options are whole words, 40 bytes at most',
  );
  storeBe16(bytes, at, header.sourcePort);
  storeBe16(bytes, at + DESTINATION_PORT_AT, header.destinationPort);
  storeBe32(bytes, at + SEQUENCE_AT, header.sequence);
  storeBe32(bytes, at + ACKNOWLEDGEMENT_AT, header.acknowledgement);
  bytes[at + OFFSET_AT] = (length / 4) << 4;
  bytes[at + FLAGS_AT] = header.flags;
  storeBe16(bytes, at + WINDOW_AT, header.window);
  storeBe16(bytes, at + TCP_CHECKSUM_AT, header.checksum);
  storeBe16(bytes, at + URGENT_AT, header.urgentPointer);
  bytes.set(header.options, at + OPTIONS_AT);
  return length;
}

/** Of the option at `at`; 0 when its length is less than an option can have. */
function tcpOptionLength(bytes: Uint8Array, at: number): number {
  if ((bytes[at] ?? 0) <= TCP_OPTION_NOP) return 1;
  const length = bytes[at + 1] ?? 0;
  return length < 2 ? 0 : length;
}
