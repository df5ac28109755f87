/**
 * The header before each packet of a TUN device with IFF_VNET_HDR (virtio 1.2 §5.1.6, struct
 * virtio_net_hdr of linux/virtio_net.h), set to little-endian byte order:
 *
 *   0      1         2        4         6           8            10
 *   +------+---------+--------+---------+-----------+------------+
 *   |flags |gso type |hdr len |gso size |csum start |csum offset |
 *   +------+---------+--------+---------+-----------+------------+
 */

import { loadLe16, storeLe16 } from '../base/bytes.js';

export const VIRTIO_NET_BYTES = 10;

/**
 * In flags: the checksum field holds the pseudo-header's sum, and the rest of the sum is to be
 * added.
 */
export const VIRTIO_NEEDS_CSUM = 1;

export const VIRTIO_GSO_NONE = 0;
export const VIRTIO_GSO_TCPV4 = 1;
export const VIRTIO_GSO_TCPV6 = 4;
/** One value for both families. */
export const VIRTIO_GSO_UDP_L4 = 5;
/** In the gso type, together with another: the segments carry ECN's CWR. */
export const VIRTIO_GSO_ECN = 0x80;

const FLAGS_AT = 0;
const GSO_TYPE_AT = 1;
const HEADER_LENGTH_AT = 2;
const GSO_SIZE_AT = 4;
const CHECKSUM_START_AT = 6;
const CHECKSUM_OFFSET_AT = 8;

/** Whether the header and at least one byte of a packet stand at `at`. */
export function checkVirtioNet(bytes: Uint8Array, at: number): boolean {
  return bytes.length - at > VIRTIO_NET_BYTES;
}

export function virtioFlags(bytes: Uint8Array, at: number): number {
  return bytes[at + FLAGS_AT] ?? 0;
}

export function virtioGsoType(bytes: Uint8Array, at: number): number {
  return bytes[at + GSO_TYPE_AT] ?? 0;
}

/** A hint: kernels set it wrong for forwarded packets. */
export function virtioHeaderLength(bytes: Uint8Array, at: number): number {
  return loadLe16(bytes, at + HEADER_LENGTH_AT);
}

/** Bytes of payload in each segment but the last. */
export function virtioGsoSize(bytes: Uint8Array, at: number): number {
  return loadLe16(bytes, at + GSO_SIZE_AT);
}

/** From the packet's first byte. */
export function virtioChecksumStart(bytes: Uint8Array, at: number): number {
  return loadLe16(bytes, at + CHECKSUM_START_AT);
}

/** From the checksum start. */
export function virtioChecksumOffset(bytes: Uint8Array, at: number): number {
  return loadLe16(bytes, at + CHECKSUM_OFFSET_AT);
}

export interface VirtioNetHeader {
  readonly flags: number;
  readonly gsoType: number;
  readonly headerLength: number;
  readonly gsoSize: number;
  readonly checksumStart: number;
  readonly checksumOffset: number;
}

/** Undefined when `checkVirtioNet` does not hold. */
export function parseVirtioNet(bytes: Uint8Array, at: number): VirtioNetHeader | undefined {
  if (!checkVirtioNet(bytes, at)) return undefined;
  return {
    flags: virtioFlags(bytes, at),
    gsoType: virtioGsoType(bytes, at),
    headerLength: virtioHeaderLength(bytes, at),
    gsoSize: virtioGsoSize(bytes, at),
    checksumStart: virtioChecksumStart(bytes, at),
    checksumOffset: virtioChecksumOffset(bytes, at),
  };
}

/** Writes 10 bytes; returns how many. */
export function emitVirtioNet(bytes: Uint8Array, at: number, header: VirtioNetHeader): number {
  bytes[at + FLAGS_AT] = header.flags;
  bytes[at + GSO_TYPE_AT] = header.gsoType;
  storeLe16(bytes, at + HEADER_LENGTH_AT, header.headerLength);
  storeLe16(bytes, at + GSO_SIZE_AT, header.gsoSize);
  storeLe16(bytes, at + CHECKSUM_START_AT, header.checksumStart);
  storeLe16(bytes, at + CHECKSUM_OFFSET_AT, header.checksumOffset);
  return VIRTIO_NET_BYTES;
}
