/**
 * What the session core of one peer can want; node/ adds whose it is and passes it on. Carried out
 * in order.
 */

import type { Endpoint } from '../base/address.js';
import type { SessionIndex } from '../base/identifiers.js';
import type { Suite } from '../crypto/suite.js';
import type { ControlDrop } from './control_drop.js';
import type { HandshakeDrop } from './handshake_drop.js';
import type { KeypairName } from './keypair.js';

/** A keypair with its keys, 32 bytes each, as the walk takes them over (datapath/tables.ts). */
export interface KeyedKeypair extends KeypairName {
  readonly sendKey: Uint8Array;
  readonly receiveKey: Uint8Array;
  readonly takesControl?: boolean;
  readonly heddle?: {
    readonly suite: Suite;
    readonly lane: number;
    readonly trustsChecksums: boolean;
  };
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
  | {
      readonly kind: 'sendControl';
      readonly localIndex: SessionIndex;
      readonly message: Uint8Array;
    }
  | { readonly kind: 'noteHandshake'; readonly direction: 'received'; readonly bytes: number }
  | { readonly kind: 'readActivity' }
  /** A handshake message to the peer. */
  | { readonly kind: 'send'; readonly endpoint: Endpoint; readonly datagram: Uint8Array }
  /** A handshake message came to nothing. */
  | { readonly kind: 'handshakeDropped'; readonly reason: HandshakeDrop }
  /** A control message came to nothing. */
  | { readonly kind: 'controlDropped'; readonly reason: ControlDrop }
  /** A control message came, not a hello; the body is the receiver's. */
  | {
      readonly kind: 'controlReceived';
      readonly message: { readonly kind: number; readonly body: Uint8Array };
    }
  /** The hellos of a session are exchanged: heddle's own protocol is spoken. */
  | { readonly kind: 'helloAnswered' }
  /** A session's hellos came to nothing: the peer is taken as a stock one in it. */
  | { readonly kind: 'helloUnanswered' }
  /** A session came to be: one that we made, or one of the peer's that is in use from now on. */
  | { readonly kind: 'established'; readonly isInitiator: boolean }
  /** No session came of an attempt in its time; what waited for it is dropped. */
  | { readonly kind: 'gaveUp' };
