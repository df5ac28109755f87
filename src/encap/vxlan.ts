/**
 * VXLAN (RFC 7348 §5) in its two uses. Sealed: a header with the VNI in front of each WireGuard
 * message, for networks that let only VXLAN pass. Clear: a header and an Ethernet frame in front of
 * each inner packet, as a VTEP sends it.
 */

import type { Mac } from '../base/address.js';
import { concat } from '../base/bytes.js';
import { emitEthernetHeader, ETHERNET_HEADER_BYTES } from '../wire/ethernet.js';
import { emitVxlanHeader, VXLAN_HEADER_BYTES, vxlanVni } from '../wire/vxlan.js';

/** What stands in front of an inner packet. */
export const VXLAN_FRAME_BYTES = VXLAN_HEADER_BYTES + ETHERNET_HEADER_BYTES;

/** The message behind a header with this VNI, in a new array. */
export function behindVxlan(message: Uint8Array, vni: number): Uint8Array {
  const header = new Uint8Array(VXLAN_HEADER_BYTES);
  emitVxlanHeader(header, 0, { vni });
  return concat(header, message);
}

/** What `behindVxlan` put together; the message is a view. The datagram holds a header. */
export function fromBehindVxlan(datagram: Uint8Array): { vni: number; message: Uint8Array } {
  return { vni: vxlanVni(datagram, 0), message: datagram.subarray(VXLAN_HEADER_BYTES) };
}

/** The Ethernet frame around `payload`, behind a VXLAN header, in a new array. */
export function encapsulateFrame(
  payload: Uint8Array,
  link: {
    readonly vni: number;
    readonly destination: Mac;
    readonly source: Mac;
    readonly ethertype: number;
  },
): Uint8Array {
  const headers = new Uint8Array(VXLAN_FRAME_BYTES);
  const at = emitVxlanHeader(headers, 0, link);
  emitEthernetHeader(headers, at, link);
  return concat(headers, payload);
}
