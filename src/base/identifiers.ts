/** Small identifiers, branded so that one is never passed where another is meant. */

declare const peerSlotBrand: unique symbol;
declare const sessionIndexBrand: unique symbol;
declare const nodeIdBrand: unique symbol;

/**
 * A peer's place in the tables of this daemon: 0 to MAX_PEERS - 1, reused after the peer is
 * removed.
 */
export type PeerSlot = number & { readonly [peerSlotBrand]: true };

/**
 * A session's 32-bit index as it stands on the wire (WireGuard §5.4: sender and receiver fields).
 */
export type SessionIndex = number & { readonly [sessionIndexBrand]: true };

/** As many peers as the kernel's WireGuard takes (messages.h MAX_PEERS_PER_DEVICE). */
export const MAX_PEERS = 1 << 20;

export function peerSlot(value: number): PeerSlot {
  return value as PeerSlot;
}

export function sessionIndex(value: number): SessionIndex {
  return (value >>> 0) as SessionIndex;
}

/** A node's label: 16 lower-case hexadecimal digits, the first 8 bytes of its identity's hash. */
export type NodeId = string & { readonly [nodeIdBrand]: true };

export const NODE_ID_BYTES = 8;

/** `text`: 16 lower-case hexadecimal digits. */
export function nodeId(text: string): NodeId {
  return text as NodeId;
}
