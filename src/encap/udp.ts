/**
 * Bare IP packets in UDP, in the clear, as Flannel's udp backend sends them: the payload is the
 * packet. Both ends are routers on its way, so the sender and the receiver each take one from its
 * TTL or hop limit (RFC 791 §3.1, RFC 8200 §3).
 */

import { loadBe16, storeBe16 } from '../base/bytes.js';
import { updateChecksum } from '../wire/checksum.js';

const TTL_AT = 8;
const CHECKSUM_AT = 10;
const HOP_LIMIT_AT = 7;

/**
 * Takes one hop from the whole packet, in place, its checksum kept right as it was (RFC 1624).
 * False when none would be left: the packet ends here and is unchanged.
 */
export function takeHop(packet: Uint8Array): boolean {
  const isIpv4 = (packet[0] ?? 0) >> 4 === 4;
  const hopsAt = isIpv4 ? TTL_AT : HOP_LIMIT_AT;
  const hops = packet[hopsAt] ?? 0;
  if (hops <= 1) return false;
  const before = loadBe16(packet, TTL_AT);
  packet[hopsAt] = hops - 1;
  if (!isIpv4) return true;
  const checksum = loadBe16(packet, CHECKSUM_AT);
  const after = loadBe16(packet, TTL_AT);
  storeBe16(packet, CHECKSUM_AT, updateChecksum(checksum, { before, after }));
  return true;
}
