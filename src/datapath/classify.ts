/** Inner packet -> whether it is whole, and where its addresses stand. IPv4: RFC 791 §3.1, IPv6: RFC 8200 §3. */

import type { Family } from '../base/address.js';
import { loadBe16 } from '../base/bytes.js';

const IPV4_HEADER = 20;
const IPV6_HEADER = 40;

/**
 * The packet's own length when `packet` begins with a whole IPv4 or IPv6 packet; 0 when it does not. What stands behind that
 * length is padding.
 */
export function innerLength(packet: Uint8Array): number {
  const version = innerVersion(packet);
  if (version === 4 && packet.length >= IPV4_HEADER) {
    const headerLength = ((packet[0] ?? 0) & 15) * 4;
    const total = loadBe16(packet, 2);
    const isWhole = headerLength >= IPV4_HEADER && total >= headerLength && total <= packet.length;
    return isWhole ? total : 0;
  }
  if (version === 6 && packet.length >= IPV6_HEADER) {
    const total = IPV6_HEADER + loadBe16(packet, 4);
    return total <= packet.length ? total : 0;
  }
  return 0;
}

/** The first nibble: 4 and 6 are IP, everything else something that peers would have to negotiate. */
export function innerVersion(packet: Uint8Array): number {
  return (packet[0] ?? 0) >> 4;
}

/** Of a packet whose `innerLength` is not 0. */
export function innerFamily(packet: Uint8Array): Family {
  return innerVersion(packet) === 4 ? 4 : 6;
}

export function sourceAt(family: Family): number {
  return family === 4 ? 12 : 8;
}

export function destinationAt(family: Family): number {
  return family === 4 ? 16 : 24;
}
