/** Everything that the cores of joining can want, in order: one union for each of the three. */

import type { Endpoint, Prefix } from '../base/address.js';
import type { NodeId } from '../base/identifiers.js';
import type { JoinMessage, JoinRefusal } from '../wire/join.js';
import type { RedeemerMessage } from './input.js';

export type JoinerAction =
  /** Make handshakes by this X25519 private key (owned by the receiver); undefined: by our own. */
  | { readonly kind: 'useKey'; readonly privateKey: Uint8Array | undefined }
  | { readonly kind: 'addPeer'; readonly publicKey: Uint8Array; readonly endpoint: Endpoint }
  /**
   * The peer's sessions were made by a key that is used no more: remove it. Where it is to be a
   * peer all the same, as a member, add it again behind that.
   */
  | { readonly kind: 'removePeer'; readonly publicKey: Uint8Array }
  | { readonly kind: 'send'; readonly publicKey: Uint8Array; readonly message: JoinMessage }
  /** Verify it, and merge it. A copy. */
  | { readonly kind: 'granted'; readonly record: Uint8Array }
  /** The introducers are there and wait for the admin with this key; said once for each. */
  | { readonly kind: 'waiting'; readonly admin: NodeId }
  /** No introducer has answered yet, and the line may have expired; said once. */
  | { readonly kind: 'silent'; readonly isExpired: boolean }
  /** The end: nothing more is tried with this line. */
  | { readonly kind: 'refused'; readonly why: JoinRefusal }
  /** The end: we are a member. */
  | { readonly kind: 'joined' };

export type IntroducerAction =
  /** To a joiner, in the session by its invitation's key. */
  | { readonly kind: 'send'; readonly publicKey: Uint8Array; readonly message: JoinMessage }
  /** To the member that holds this admin key; where that is us, to our redeemer. */
  | {
      readonly kind: 'forward';
      readonly admin: NodeId;
      readonly message: Extract<JoinMessage, { kind: 'forward' }>;
    };

/** One use of one invitation, and who has it. */
export interface Redemption {
  /** 16 hexadecimal digits. */
  readonly invitation: string;
  readonly use: number;
  readonly member: NodeId;
}

export type RedeemerAction =
  /** Keep this redemption (with all of `redemptions()`), then feed `redeemed`. */
  | { readonly kind: 'redeem'; readonly request: number; readonly redemption: Redemption }
  /**
   * Certify it, then feed `signed`, or `unsigned`. Asked again for the same host when an answer was
   * lost: what is in force of it is answered then, and nothing signed anew.
   */
  | {
      readonly kind: 'grant';
      readonly request: number;
      readonly member: NodeId;
      /** Ed25519, 32 bytes. */
      readonly identityKey: Uint8Array;
      /** That of the invitation, or what it calls itself. */
      readonly name: string;
      readonly groups: readonly string[];
      readonly prefixes: readonly Prefix[];
      readonly isAdmin: boolean;
      /** The joiner's node record: a copy. */
      readonly record: Uint8Array;
    }
  /** To the introducer that forwarded; where that is us, to our introducer. */
  | { readonly kind: 'reply'; readonly to: NodeId; readonly message: RedeemerMessage };
