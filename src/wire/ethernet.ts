/**
 * The Ethernet header (IEEE 802.3 §3.2), network byte order, without a VLAN tag (RFC 7348 §6.1
 * has inner frames without one):
 *
 *   0             6        12          14
 *   +-------------+--------+-----------+
 *   | destination | source | ethertype |
 *   +-------------+--------+-----------+
 */

import { type Mac, macFromBytes } from '../base/address.js';
import { loadBe16, storeBe16 } from '../base/bytes.js';

export const ETHERNET_HEADER_BYTES = 14;
export const MAC_BYTES = 6;

export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;
export const ETHERTYPE_IPV6 = 0x86dd;

const SOURCE_AT = 6;
const ETHERTYPE_AT = 12;
const GROUP_BIT = 0x01;

export function checkEthernet(bytes: Uint8Array, at: number): boolean {
  return bytes.length - at >= ETHERNET_HEADER_BYTES;
}

/** A copy. */
export function ethernetDestination(bytes: Uint8Array, at: number): Mac {
  return macFromBytes(bytes, at);
}

/** A copy. */
export function ethernetSource(bytes: Uint8Array, at: number): Mac {
  return macFromBytes(bytes, at + SOURCE_AT);
}

export function ethertype(bytes: Uint8Array, at: number): number {
  return loadBe16(bytes, at + ETHERTYPE_AT);
}

/** Whether the address is of a group; no frame comes from one. */
export function isGroupMac(mac: Mac): boolean {
  return ((mac.bytes[0] ?? 0) & GROUP_BIT) !== 0;
}

export function isBroadcastMac(mac: Mac): boolean {
  return mac.bytes.every((byte) => byte === 0xff);
}

/** Whether it is where solicited-node multicast goes: 33:33:ff and three bytes (RFC 2464 §7). */
export function isSolicitedNodeMac({ bytes }: Mac): boolean {
  return bytes[0] === 0x33 && bytes[1] === 0x33 && bytes[2] === 0xff;
}

export interface EthernetHeader {
  readonly destination: Mac;
  readonly source: Mac;
  readonly ethertype: number;
}

/** Undefined when `checkEthernet` does not hold. */
export function parseEthernetHeader(bytes: Uint8Array, at: number): EthernetHeader | undefined {
  if (!checkEthernet(bytes, at)) return undefined;
  return {
    destination: ethernetDestination(bytes, at),
    source: ethernetSource(bytes, at),
    ethertype: ethertype(bytes, at),
  };
}

/** Writes 14 bytes; returns how many. */
export function emitEthernetHeader(bytes: Uint8Array, at: number, header: EthernetHeader): number {
  bytes.set(header.destination.bytes, at);
  bytes.set(header.source.bytes, at + SOURCE_AT);
  storeBe16(bytes, at + ETHERTYPE_AT, header.ethertype);
  return ETHERNET_HEADER_BYTES;
}
