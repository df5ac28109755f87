/**
 * First bytes of a datagram -> who gets it (WireGuard §5.4). The full 32-bit type is matched, so
 * reserved bytes must be zero.
 */

import {
  COOKIE_REPLY_BYTES,
  DATA_LEAST_BYTES,
  INITIATION_BYTES,
  MESSAGE_COOKIE_REPLY,
  MESSAGE_DATA,
  MESSAGE_HEDDLE,
  MESSAGE_HEDDLE_PARTIAL,
  MESSAGE_INITIATION,
  MESSAGE_RESPONSE,
  messageType,
  RESPONSE_BYTES,
} from '../wire/wireguard.js';
import type { Drop } from './drop.js';

const TYPE_BYTES = 4;

export type Demultiplexed =
  /** A cookie reply is the one handshake message without a first MAC. */
  | { readonly kind: 'handshake'; readonly hasMac1: boolean }
  | { readonly kind: 'data' }
  | { readonly kind: 'drop'; readonly reason: Drop };

const DATA: Demultiplexed = { kind: 'data' };
const WITH_MAC1: Demultiplexed = { kind: 'handshake', hasMac1: true };
const WITHOUT_MAC1: Demultiplexed = { kind: 'handshake', hasMac1: false };
const WRONG_LENGTH: Demultiplexed = { kind: 'drop', reason: 'datagram_length' };
const WRONG_TYPE: Demultiplexed = { kind: 'drop', reason: 'datagram_type' };

export function demultiplex(datagram: Uint8Array): Demultiplexed {
  const { length } = datagram;
  if (length < TYPE_BYTES) return WRONG_LENGTH;
  switch (messageType(datagram)) {
    case MESSAGE_INITIATION:
      return length === INITIATION_BYTES ? WITH_MAC1 : WRONG_LENGTH;
    case MESSAGE_RESPONSE:
      return length === RESPONSE_BYTES ? WITH_MAC1 : WRONG_LENGTH;
    case MESSAGE_COOKIE_REPLY:
      return length === COOKIE_REPLY_BYTES ? WITHOUT_MAC1 : WRONG_LENGTH;
    case MESSAGE_DATA:
    case MESSAGE_HEDDLE:
    case MESSAGE_HEDDLE_PARTIAL:
      return length >= DATA_LEAST_BYTES ? DATA : WRONG_LENGTH;
    default:
      return WRONG_TYPE;
  }
}
