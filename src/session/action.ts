/**
 * What the session core of one peer can want; node/ adds whose it is and passes it on. Carried out
 * in order.
 */

import type { Endpoint } from '../base/address.js';
import type { SessionIndex } from '../base/identifiers.js';
import type { HandshakeDrop } from './handshake_drop.js';
import type { Keypair } from './keypair.js';

/** A keypair with its keys, 32 bytes each, as the walk takes them over. */
export interface KeyedKeypair extends Keypair {
  readonly sendKey: Uint8Array;
  readonly receiveKey: Uint8Array;
}

export type SessionAction =
  /** Table writes of the same names (datapath/tables.ts). */
  | { readonly kind: 'setEndpoint'; readonly endpoint: Endpoint }
  | { readonly kind: 'installKeypair'; readonly keypair: KeyedKeypair }
  | { readonly kind: 'useKeypair'; readonly localIndex: SessionIndex }
  | { readonly kind: 'removeKeypair'; readonly localIndex: SessionIndex }
  | { readonly kind: 'flushStaged'; readonly orKeepalive: boolean }
  | { readonly kind: 'dropStaged' }
  | { readonly kind: 'sendKeepalive' }
  | { readonly kind: 'noteHandshake'; readonly direction: 'received'; readonly bytes: number }
  | { readonly kind: 'readActivity' }
  /** A handshake message to the peer. */
  | { readonly kind: 'send'; readonly endpoint: Endpoint; readonly datagram: Uint8Array }
  /** A handshake message came to nothing. */
  | { readonly kind: 'handshakeDropped'; readonly reason: HandshakeDrop }
  /** A session is in use from now on. */
  | { readonly kind: 'established'; readonly isInitiator: boolean }
  /** No session came of REKEY_ATTEMPT_TIME; what was staged is dropped. */
  | { readonly kind: 'gaveUp' };
