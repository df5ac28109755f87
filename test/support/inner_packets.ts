/**
 * Inner packets for tests, written out byte by byte: nothing of src/ parses or sums here, so that
 * what tests expect does not come from what they test.
 */

import type { Endpoint } from '../../src/base/address.js';

export interface InnerOptions {
  readonly source?: string;
  readonly destination?: string;
  /** Length of the whole packet; what is not header counts up from 0. */
  readonly bytes?: number;
}

/** An IPv4 packet of protocol 253 (for experiments, RFC 3692). */
export function ipv4(options: InnerOptions = {}): Uint8Array {
  const { source = '10.0.0.1', destination = '10.0.0.2', bytes = 28 } = options;
  const packet = counting(bytes);
  packet.set([0x45, 0, bytes >> 8, bytes, 0, 0, 0, 0, 64, 253, 0, 0]);
  packet.set(source.split('.').map(Number), 12);
  packet.set(destination.split('.').map(Number), 16);
  return packet;
}

/** A UDP datagram over IPv4 from port 4660, without a checksum of its own. */
export function ipv4Udp(
  way: { source: string; destination: string; port: number },
  payload: readonly number[],
): Uint8Array {
  const packet = ipv4({ ...way, bytes: 28 + payload.length });
  packet[9] = 17;
  packet.set([0x12, 0x34, 0, 0, 0, 8 + payload.length, 0, 0, ...payload], 20);
  store16(packet, 22, way.port);
  store16(packet, 10, ~fold(sum16(packet.subarray(0, 20))));
  return packet;
}

/** An IPv6 packet without a next header; addresses are the last 16 bits behind `fd00::`. */
export function ipv6(
  options: { source?: number; destination?: number; bytes?: number } = {},
): Uint8Array {
  const { source = 1, destination = 2, bytes = 48 } = options;
  const packet = counting(bytes);
  const payload = bytes - 40;
  packet.set([0x60, 0, 0, 0, payload >> 8, payload, 59, 64]);
  packet.fill(0, 8, 40);
  packet.set([0xfd], 8);
  packet.set([source >> 8, source], 22);
  packet.set([0xfd], 24);
  packet.set([destination >> 8, destination], 38);
  return packet;
}

function counting(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i);
}

/** Behind an IPv4 header of `words` 32-bit words, with a right checksum. */
export function innerIpv4(
  protocol: number,
  payload: Uint8Array,
  options: { words?: number; identifier?: number; fragment?: number; tos?: number } = {},
): Uint8Array {
  const { words = 5, identifier = 0, fragment = 0x4000, tos = 0 } = options;
  const header = new Uint8Array(words * 4);
  const total = header.length + payload.length;
  header.set([0x40 | words, tos, total >> 8, total, identifier >> 8, identifier]);
  header.set([fragment >> 8, fragment, 64, protocol, 0, 0, 10, 0, 0, 2, 10, 0, 0, 1], 6);
  store16(header, 10, ~fold(sum16(header)));
  return joined(header, payload);
}

export function innerIpv6(
  nextHeader: number,
  payload: Uint8Array,
  options: { tos?: number } = {},
): Uint8Array {
  const header = new Uint8Array(40);
  header.set([0x60, (options.tos ?? 0) << 4, 0, 0, payload.length >> 8, payload.length]);
  header.set([nextHeader, 64, 0xfd], 6);
  header.set([2, 0xfd], 23);
  header[39] = 1;
  return joined(header, payload);
}

export interface SegmentOptions {
  readonly family: 4 | 6;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  /** Length of the payload, or the payload. */
  readonly payload?: number | Uint8Array;
  readonly identifier?: number;
  readonly fragment?: number;
  readonly tos?: number;
}

export interface TcpOptions extends SegmentOptions {
  readonly sequence?: number;
  readonly acknowledgement?: number;
  readonly flags?: number;
  readonly window?: number;
  /** Bytes of options, a multiple of 4; they count up. */
  readonly options?: number;
}

/** A TCP segment with right checksums: ACK alone unless `flags` says otherwise. */
export function tcp(options: TcpOptions): Uint8Array {
  const { sequence = 1000, acknowledgement = 7, flags = 0x10, window = 500 } = options;
  const header = new Uint8Array(20 + (options.options ?? 0));
  const view = new DataView(header.buffer);
  view.setUint16(0, options.sourcePort ?? 40_000);
  view.setUint16(2, options.destinationPort ?? 443);
  view.setUint32(4, sequence);
  view.setUint32(8, acknowledgement);
  header[12] = (header.length / 4) << 4;
  header[13] = flags;
  view.setUint16(14, window);
  for (let i = 20; i < header.length; i++) header[i] = i;
  return summed(6, joined(header, payloadOf(options)), 16, options);
}

/** A UDP datagram with right checksums, or without one. */
export function udp(options: SegmentOptions & { readonly isSummed?: boolean }): Uint8Array {
  const payload = payloadOf(options);
  const header = new Uint8Array(8);
  const view = new DataView(header.buffer);
  view.setUint16(0, options.sourcePort ?? 40_000);
  view.setUint16(2, options.destinationPort ?? 443);
  view.setUint16(4, 8 + payload.length);
  const at = options.isSummed === false ? undefined : 6;
  return summed(17, joined(header, payload), at, options);
}

/**
 * The one's complement sum of 16-bit words, big-endian; an odd last byte counts as the upper one.
 */
export function sum16(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i++) sum += (bytes[i] ?? 0) << (i % 2 === 0 ? 8 : 0);
  return sum;
}

export function fold(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x1_0000);
  return folded;
}

/** The sum over addresses, protocol and length that TCP and UDP count with their own bytes. */
export function pseudoSum(packet: Uint8Array, protocol: number, length: number): number {
  const isIpv4 = (packet[0] ?? 0) >> 4 === 4;
  return sum16(isIpv4 ? packet.subarray(12, 20) : packet.subarray(8, 40)) + protocol + length;
}

function summed(
  protocol: number,
  segment: Uint8Array,
  checksumAt: number | undefined,
  options: SegmentOptions,
): Uint8Array {
  const packet =
    options.family === 4
      ? innerIpv4(protocol, segment, options)
      : innerIpv6(protocol, segment, options);
  if (checksumAt === undefined) return packet;
  const sum = pseudoSum(packet, protocol, segment.length) + sum16(segment);
  const checksum = ~fold(sum) & 0xffff;
  // Of UDP alone, zero would say that there is no checksum.
  const isHidden = protocol === 17 && checksum === 0;
  store16(packet, packet.length - segment.length + checksumAt, isHidden ? 0xffff : checksum);
  return packet;
}

function payloadOf({ payload = 4 }: SegmentOptions): Uint8Array {
  return typeof payload === 'number' ? counting(payload) : payload;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const whole = new Uint8Array(a.length + b.length);
  whole.set(a);
  whole.set(b, a.length);
  return whole;
}

function store16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value;
}

/** A UDP datagram to `to` as the kernel sends it, or the fragment that begins 8 x `offset` in. */
export function outerPacket(
  to: Endpoint,
  payload: Uint8Array,
  options: { isFragment?: boolean; offset?: number; hops?: number } = {},
): Uint8Array {
  const { isFragment = false, offset = 0, hops = 64 } = options;
  const length = 8 + payload.length;
  const udp = Uint8Array.of(0xca, 0x6c, to.port >> 8, to.port, length >> 8, length, 0, 0);
  const isPart = isFragment || offset > 0;
  if (to.address.family === 4) {
    const total = 20 + length;
    const header = new Uint8Array(20);
    header.set([0x45, 0, total >> 8, total, 0, 0, isPart ? 0x20 : 0, offset, hops, 17]);
    header.set(to.address.bytes, 16);
    return joined(header, joined(udp, payload));
  }
  const fragment = Uint8Array.of(17, 0, offset >> 5, (offset << 3) | 1, 0, 0, 0, 0);
  const content = joined(isPart ? fragment : new Uint8Array(0), joined(udp, payload));
  const header = new Uint8Array(40);
  header.set([0x60, 0, 0, 0, content.length >> 8, content.length, isPart ? 44 : 17, hops]);
  header.set(to.address.bytes, 24);
  return joined(header, content);
}
