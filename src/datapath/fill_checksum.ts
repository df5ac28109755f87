/**
 * Checksums that somebody left for the hardware: a kernel that sends VXLAN over a device of its own
 * host (veth, virtio) puts only the pseudo-header's sum into the inner TCP or UDP checksum, and
 * notes beside the packet that the rest is missing (Linux CHECKSUM_PARTIAL, linux/skbuff.h). The
 * note does not reach a socket. A packet whose checksum is that very sum gets a whole one. The twin
 * is native/datapath/fill_checksum.cc.
 */

import { loadBe16, storeBe16 } from '../base/bytes.js';
import { PROTOCOL_TCP } from '../base/ip_protocol.js';
import { checksumOf, foldSum, sumBytes, sumPseudoHeader } from '../wire/checksum.js';
import { classify } from './classify.js';

const TCP_CHECKSUM = 16;
const UDP_CHECKSUM = 6;

/** Of a packet that is exactly its `innerLength` long; in place. */
export function fillChecksum(packet: Uint8Array): void {
  const { transport } = classify(packet);
  if (!transport) return;
  const { protocol, at } = transport;
  const length = packet.length - at;
  const checksum = at + (protocol === PROTOCOL_TCP ? TCP_CHECKSUM : UDP_CHECKSUM);
  const pseudo = sumPseudoHeader(packet, 0, { protocol, length });
  if (loadBe16(packet, checksum) !== foldSum(pseudo)) return;
  storeBe16(packet, checksum, 0);
  // Zero would mean that there is none (RFC 768).
  storeBe16(packet, checksum, checksumOf(pseudo + sumBytes(packet, at, length)) || 0xffff);
}
