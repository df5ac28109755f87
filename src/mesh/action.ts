/** Everything that the mesh core can want. Carried out in order. */

import type { Endpoint, InterfaceAddress, Prefix } from '../base/address.js';
import type { LogFields } from '../base/log.js';
import type { MeshAnswer } from './command.js';

/** A peer by gossip: always of heddle's own protocol, never with a preshared key. */
export interface MeshPeer {
  /** X25519, 32 bytes: initiations go to this key. */
  readonly publicKey: Uint8Array;
  /**
   * Another key of the same member, while it changes keys: the one before or the one to come. An
   * initiation by it is taken as the peer's, too. When `publicKey` of an upsert is what was the
   * alternate of a known peer, that peer changes keys: slot, sessions and endpoint stay.
   */
  readonly alternateKey: Uint8Array | undefined;
  readonly name: string;
  /** Undefined: keeps what was learned. */
  readonly endpoint: Endpoint | undefined;
  readonly allowedIps: readonly Prefix[];
}

/** What of a mesh is kept on disk, a file each. `keys` holds secrets. */
export type MeshFile = 'keys' | 'own' | 'members';

export type MeshAction =
  /** Add it, or change it. */
  | { readonly kind: 'upsertPeer'; readonly peer: MeshPeer }
  | { readonly kind: 'removePeer'; readonly publicKey: Uint8Array }
  /**
   * Seal it in the session with this peer; one is made where there is none, the message waits for
   * it and is dropped when none comes. Priority over data.
   */
  | {
      readonly kind: 'sendControl';
      readonly publicKey: Uint8Array;
      readonly message: { readonly kind: number; readonly body: Uint8Array };
    }
  /** The peer lost its sessions: make another at once, if there is one. */
  | { readonly kind: 'restartSession'; readonly publicKey: Uint8Array }
  /** Our X25519 private keys: the first makes our handshakes, all are answered by. Borrowed. */
  | { readonly kind: 'staticKeys'; readonly privateKeys: readonly Uint8Array[] }
  /** Keep these bytes safely, then feed `persisted`; owned by the receiver. */
  | {
      readonly kind: 'persist';
      readonly request: number;
      readonly file: MeshFile;
      readonly content: Uint8Array;
    }
  /** What the interface has, and which prefixes are behind it besides those of the addresses. */
  | {
      readonly kind: 'addresses';
      readonly addresses: readonly InterfaceAddress[];
      readonly prefixes: readonly Prefix[];
    }
  | { readonly kind: 'answer'; readonly request: number; readonly answer: MeshAnswer }
  /** Something an operator should see: a line in the log and in `heddle up`. */
  | {
      readonly kind: 'tell';
      readonly level: 'info' | 'warn';
      readonly message: string;
      readonly fields: LogFields;
    }
  /** Everything of this network is forgotten on disk; the daemon is to stop. */
  | { readonly kind: 'forgetNetwork'; readonly why: string };
