/**
 * The VXLAN header (RFC 7348 §5), network byte order:
 *
 *   0        1            4        7          8
 *   +--------+------------+--------+----------+
 *   | flags  |  reserved  |  VNI   | reserved |
 *   +--------+------------+--------+----------+
 *
 * Of the flags, bit 3 (I) says that the VNI is valid; the seven others and the reserved bytes are
 * sent as zero and ignored on receipt.
 */

import { assert } from '../base/assert.js';
import { loadBe32, storeBe32 } from '../base/bytes.js';

export const VXLAN_HEADER_BYTES = 8;
/** The I bit; as it is the only flag, the first byte of every header that is sent. */
export const VXLAN_FLAG_VNI = 0x08;

const VNI_AT = 4;
const VNI_LIMIT = 0x100_0000;

/** Whether a whole header with a valid VNI stands at `at`. */
export function checkVxlan(bytes: Uint8Array, at: number): boolean {
  return bytes.length - at >= VXLAN_HEADER_BYTES && ((bytes[at] ?? 0) & VXLAN_FLAG_VNI) !== 0;
}

/** 24 bits. */
export function vxlanVni(bytes: Uint8Array, at: number): number {
  return loadBe32(bytes, at + VNI_AT) >>> 8;
}

export interface VxlanHeader {
  /** 0 to 2^24 - 1. */
  readonly vni: number;
}

/** Undefined when `checkVxlan` does not hold. */
export function parseVxlanHeader(bytes: Uint8Array, at: number): VxlanHeader | undefined {
  return checkVxlan(bytes, at) ? { vni: vxlanVni(bytes, at) } : undefined;
}

/** Writes 8 bytes; returns how many. */
export function emitVxlanHeader(bytes: Uint8Array, at: number, { vni }: VxlanHeader): number {
  assert(vni >= 0 && vni < VNI_LIMIT, 'a VNI has 24 bits');
  storeBe32(bytes, at, VXLAN_FLAG_VNI * 0x100_0000);
  storeBe32(bytes, at + VNI_AT, vni * 0x100);
  return VXLAN_HEADER_BYTES;
}
