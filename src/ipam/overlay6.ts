/**
 * The overlay's IPv6 addresses, which nobody allocates: each network has a unique local prefix
 * (RFC 4193 §3.2) of 48 bits from a hash of its id, and in its subnet 0 each node the address whose
 * last 64 bits are its own id.
 */

import { type Address, addressFromBytes, type Prefix, prefixOf } from '../base/address.js';
import { concat, fromHex } from '../base/bytes.js';
import type { NodeId } from '../base/identifiers.js';
import { blake2s } from '../crypto/blake2s.js';

const LABEL = new TextEncoder().encode('heddle overlay 1');
/** RFC 4193 §3.1: fc00::/7 with the bit L set. */
const LOCAL = 0xfd;
const GLOBAL_ID_BYTES = 5;
const PREFIX_LENGTH = 48;

/** `fdXX:XXXX:XXXX::/48` of the network. */
export function overlayPrefix(network: NodeId): Prefix {
  return prefixOf(addressFromBytes(bytesOf(network), 0, 6), PREFIX_LENGTH);
}

/** `fdXX:XXXX:XXXX:0:` of the network's prefix, and the 64 bits of the node's id. */
export function overlayAddress({ address }: Prefix, node: NodeId): Address {
  const { bytes } = address;
  bytes.set(fromHex(node) ?? [], 8);
  return addressFromBytes(bytes, 0, 6);
}

function bytesOf(network: NodeId): Uint8Array {
  const hash = blake2s(concat(LABEL, fromHex(network) ?? new Uint8Array(0)));
  const bytes = new Uint8Array(16);
  bytes[0] = LOCAL;
  bytes.set(hash.subarray(0, GLOBAL_ID_BYTES), 1);
  return bytes;
}
