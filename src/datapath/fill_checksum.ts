/**
 * Checksums that somebody left for the hardware: a kernel that sends VXLAN over a device of its own
 * host (veth, virtio) puts only the pseudo-header's sum into the inner TCP or UDP checksum, and
 * notes beside the packet that the rest is missing (Linux CHECKSUM_PARTIAL, linux/skbuff.h). The
 * note does not reach a socket. A packet whose checksum is that very sum gets a whole one. heddle's
 * own peers note it in the type of their message. The twin is native/datapath/fill_checksum.cc.
 */

import { loadBe16, storeBe16 } from '../base/bytes.js';
import { PROTOCOL_TCP } from '../base/ip_protocol.js';
import { checksumOf, foldSum, sumBytes, sumPseudoHeader } from '../wire/checksum.js';
import { classify, type Transport } from './classify.js';

const TCP_CHECKSUM = 16;
const UDP_CHECKSUM = 6;

/** Of a packet that is exactly its `innerLength` long; in place. */
export function fillChecksum(packet: Uint8Array): void {
  const { transport } = classify(packet);
  if (transport && loadBe16(packet, checksumAt(transport)) === foldSum(pseudoOf(packet, transport)))
    setChecksum(packet, transport);
}

/**
 * Likewise, where it is known that the checksum was left: whatever stands in its place. False, and
 * nothing changed, for what has no TCP or UDP header to be found.
 */
export function completeChecksum(packet: Uint8Array): boolean {
  const { transport } = classify(packet);
  if (transport) setChecksum(packet, transport);
  return transport !== undefined;
}

function setChecksum(packet: Uint8Array, transport: Transport): void {
  const { at } = transport;
  storeBe16(packet, checksumAt(transport), 0);
  const sum = pseudoOf(packet, transport) + sumBytes(packet, at, packet.length - at);
  // Zero would mean that there is none (RFC 768).
  storeBe16(packet, checksumAt(transport), checksumOf(sum) || 0xffff);
}

function checksumAt({ protocol, at }: Transport): number {
  return at + (protocol === PROTOCOL_TCP ? TCP_CHECKSUM : UDP_CHECKSUM);
}

function pseudoOf(packet: Uint8Array, { protocol, at }: Transport): number {
  return sumPseudoHeader(packet, 0, { protocol, length: packet.length - at });
}
