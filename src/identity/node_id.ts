/** The label of a key: what names a member, an admin key or a network in every record. */

import { toHex } from '../base/bytes.js';
import { NODE_ID_BYTES, type NodeId, nodeId } from '../base/identifiers.js';
import { blake2s } from '../crypto/blake2s.js';

/** The first 8 bytes of BLAKE2s-256 of an Ed25519 public key. A label, never a proof. */
export function nodeIdOf(publicKey: Uint8Array): NodeId {
  return nodeId(toHex(blake2s(publicKey).subarray(0, NODE_ID_BYTES)));
}
