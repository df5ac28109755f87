/** First bytes of a datagram -> who gets it (WireGuard §5.4). The full 32-bit type is matched, so reserved bytes must be zero. */

import { loadLe32 } from '../base/bytes.js';
import { SHORTEST_DATA_BYTES } from '../session/transport.js';
import type { Drop } from './drop.js';

/** The exact lengths of handshake messages by their type, and whether a first MAC stands in them. */
const HANDSHAKES: readonly { type: number; bytes: number; hasMac1: boolean }[] = [
  { type: 1, bytes: 148, hasMac1: true },
  { type: 2, bytes: 92, hasMac1: true },
  { type: 3, bytes: 64, hasMac1: false },
];
const DATA = 4;

export type Demultiplexed =
  | { readonly kind: 'handshake'; readonly hasMac1: boolean }
  | { readonly kind: 'data' }
  | { readonly kind: 'drop'; readonly reason: Drop };

export function demultiplex(datagram: Uint8Array): Demultiplexed {
  if (datagram.length < 4) return { kind: 'drop', reason: 'datagram_length' };
  const type = loadLe32(datagram, 0);
  if (type === DATA) {
    const isWhole = datagram.length >= SHORTEST_DATA_BYTES;
    return isWhole ? { kind: 'data' } : { kind: 'drop', reason: 'datagram_length' };
  }
  const handshake = HANDSHAKES.find((known) => known.type === type);
  if (!handshake) return { kind: 'drop', reason: 'datagram_type' };
  if (datagram.length !== handshake.bytes) return { kind: 'drop', reason: 'datagram_length' };
  return { kind: 'handshake', hasMac1: handshake.hasMac1 };
}
