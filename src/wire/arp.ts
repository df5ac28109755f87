/**
 * ARP for IPv4 over Ethernet (RFC 826), network byte order:
 *
 *   0               2               4      5      6           8
 *   +---------------+---------------+------+------+-----------+
 *   | hardware: 1   | protocol: 800h| 6    | 4    | operation |
 *   +---------------+---------------+------+------+-----------+
 *   8            14             18           24             28
 *   +------------+--------------+------------+--------------+
 *   | sender MAC | sender IPv4  | target MAC | target IPv4  |
 *   +------------+--------------+------------+--------------+
 *
 * What stands behind it is the padding of a short frame.
 */

import { type Address, addressFromBytes, type Mac, macFromBytes } from '../base/address.js';
import { loadBe16, storeBe16 } from '../base/bytes.js';
import { ETHERTYPE_IPV4, MAC_BYTES } from './ethernet.js';

export const ARP_BYTES = 28;
export const ARP_REQUEST = 1;
export const ARP_REPLY = 2;

const PROTOCOL_AT = 2;
const HARDWARE_LENGTH_AT = 4;
const PROTOCOL_LENGTH_AT = 5;
const OPERATION_AT = 6;
const SENDER_MAC_AT = 8;
const SENDER_AT = 14;
const TARGET_MAC_AT = 18;
const TARGET_AT = 24;

const HARDWARE_ETHERNET = 1;
const IPV4_BYTES = 4;

/** Whether a whole message for IPv4 over Ethernet stands at `at`, of any operation. */
export function checkArp(bytes: Uint8Array, at: number): boolean {
  return (
    bytes.length - at >= ARP_BYTES &&
    loadBe16(bytes, at) === HARDWARE_ETHERNET &&
    loadBe16(bytes, at + PROTOCOL_AT) === ETHERTYPE_IPV4 &&
    bytes[at + HARDWARE_LENGTH_AT] === MAC_BYTES &&
    bytes[at + PROTOCOL_LENGTH_AT] === IPV4_BYTES
  );
}

export function arpOperation(bytes: Uint8Array, at: number): number {
  return loadBe16(bytes, at + OPERATION_AT);
}

export interface ArpMessage {
  readonly operation: number;
  readonly senderMac: Mac;
  /** Of IPv4, as is `target`. */
  readonly sender: Address;
  /** Of a request: means nothing. */
  readonly targetMac: Mac;
  readonly target: Address;
}

/** Undefined when `checkArp` does not hold. */
export function parseArp(bytes: Uint8Array, at: number): ArpMessage | undefined {
  if (!checkArp(bytes, at)) return undefined;
  return {
    operation: arpOperation(bytes, at),
    senderMac: macFromBytes(bytes, at + SENDER_MAC_AT),
    sender: addressFromBytes(bytes, at + SENDER_AT, 4),
    targetMac: macFromBytes(bytes, at + TARGET_MAC_AT),
    target: addressFromBytes(bytes, at + TARGET_AT, 4),
  };
}

/** Writes 28 bytes; returns how many. */
export function emitArp(bytes: Uint8Array, at: number, message: ArpMessage): number {
  storeBe16(bytes, at, HARDWARE_ETHERNET);
  storeBe16(bytes, at + PROTOCOL_AT, ETHERTYPE_IPV4);
  bytes[at + HARDWARE_LENGTH_AT] = MAC_BYTES;
  bytes[at + PROTOCOL_LENGTH_AT] = IPV4_BYTES;
  storeBe16(bytes, at + OPERATION_AT, message.operation);
  bytes.set(message.senderMac.bytes, at + SENDER_MAC_AT);
  bytes.set(message.sender.bytes, at + SENDER_AT);
  bytes.set(message.targetMac.bytes, at + TARGET_MAC_AT);
  bytes.set(message.target.bytes, at + TARGET_AT);
  return ARP_BYTES;
}
