/**
 * Everything that can happen to the session core of one peer. Datagrams are borrowed for the call.
 */

import type { Endpoint } from '../base/address.js';
import type { SessionIndex } from '../base/identifiers.js';
import type { Duration } from '../base/time.js';
import type { Features } from './features.js';
import type { OpenedInitiation } from './handshake.js';
import type { Traffic } from './timers.js';

export type SessionInput =
  /** Walk events of the same names (datapath/tables.ts). */
  | { readonly kind: 'sessionNeeded'; readonly reason: 'staged' | 'rekey' }
  | { readonly kind: 'confirmed'; readonly localIndex: SessionIndex }
  | { readonly kind: 'activity'; readonly traffic: Traffic }
  | {
      readonly kind: 'control';
      readonly localIndex: SessionIndex;
      readonly message: Uint8Array;
    }
  /**
   * Where the peer is from now on: configured, resolved, or the source of a data message that
   * authenticated.
   */
  | { readonly kind: 'endpoint'; readonly endpoint: Endpoint }
  /**
   * An initiation that names this peer; that it comes from the peer is still to be seen. Its state
   * is used up.
   */
  | {
      readonly kind: 'initiation';
      readonly opened: OpenedInitiation;
      readonly datagram: Uint8Array;
      readonly source: Endpoint;
    }
  | { readonly kind: 'response'; readonly datagram: Uint8Array; readonly source: Endpoint }
  | { readonly kind: 'cookieReply'; readonly datagram: Uint8Array }
  /** Absent: none, which is 32 zero bytes. Sessions that exist are kept. */
  | { readonly kind: 'presharedKey'; readonly key: Uint8Array | undefined }
  /** What we can do with a peer of heddle's own protocol; absent: the peer is a stock one. */
  | { readonly kind: 'protocol'; readonly features: Features | undefined }
  /** Absent: off. */
  | { readonly kind: 'persistentKeepalive'; readonly interval: Duration | undefined }
  /** A control message of the mesh's, whole: it waits for a session, and one is made for it. */
  | { readonly kind: 'sendControl'; readonly message: Uint8Array }
  /** The peer lost its sessions: where there is one, another is made at once. */
  | { readonly kind: 'peerRestarted' }
  /** The peer goes by this static public key from now on, 32 bytes; its sessions stay. */
  | { readonly kind: 'publicKey'; readonly publicKey: Uint8Array }
  /** Our own addresses or routes in the underlay changed. */
  | { readonly kind: 'underlayChanged' }
  /** Our own static keys changed, or went: nothing made under the old ones stays. */
  | { readonly kind: 'identityChanged' }
  /** Forget every key. */
  | { readonly kind: 'stop' };
