/** Everything that can happen to the cores of joining: one union for each of the three. */

import type { NodeId } from '../base/identifiers.js';
import type { WallTime } from '../base/time.js';
import type { Invitation } from '../identity/invitation.js';
import type { JoinMessage, JoinRefusal, JoinRequest } from '../wire/join.js';

export type JoinerInput =
  /** Our node record, signed: the first begins the joining, a later one takes its place. */
  | { readonly kind: 'record'; readonly record: Uint8Array }
  /** What became of the session with an introducer; `publicKey` as in the join line. */
  | { readonly kind: 'session'; readonly publicKey: Uint8Array; readonly isMade: boolean }
  /** A join message of an introducer; borrowed. */
  | { readonly kind: 'message'; readonly publicKey: Uint8Array; readonly message: JoinMessage }
  /** Our certificate is in force, and another member is known to talk to. */
  | { readonly kind: 'certified' };

export type IntroducerInput =
  /** Records that tell a joiner who we are (certificate, node record): it gets them, too. */
  | { readonly kind: 'self'; readonly records: readonly Uint8Array[] }
  /** A request in a session of an invitation's key; borrowed. */
  | {
      readonly kind: 'request';
      /** X25519, 32 bytes: the joiner's of this use. */
      readonly publicKey: Uint8Array;
      /** 16 hexadecimal digits. */
      readonly invitation: string;
      readonly use: number;
      /** The key that made the invitation, and redeems it. */
      readonly admin: NodeId;
      readonly request: JoinRequest;
    }
  /** What a redeemer says, here or at another member, which holds these admin keys; borrowed. */
  | {
      readonly kind: 'answer';
      readonly admins: readonly NodeId[];
      readonly message: RedeemerMessage;
    };

/** What a redeemer says to an introducer. */
export type RedeemerMessage = Extract<JoinMessage, { kind: 'granted' | 'refused' }>;

export type RedeemerInput =
  /** Forwarded by a member, or by our own introducer; borrowed. */
  | {
      readonly kind: 'request';
      readonly from: NodeId;
      readonly message: Extract<JoinMessage, { kind: 'forward' }>;
      /** Of the admin key that we hold; undefined: there is none of this id. */
      readonly invitation: Invitation | undefined;
      readonly wall: WallTime;
      /** The signature of the request's node record is that of the identity that asks. */
      readonly isGenuine: boolean;
      /** Whether this identity was revoked. */
      readonly isRevoked: boolean;
    }
  /** The answer to `redeem`. */
  | { readonly kind: 'redeemed'; readonly request: number; readonly isSafe: boolean }
  /** The answer to `grant`: in the order in which they are sent, the certificate last. */
  | { readonly kind: 'signed'; readonly request: number; readonly records: readonly Uint8Array[] }
  /** The answer to `grant` where there is no certificate. */
  | { readonly kind: 'unsigned'; readonly request: number; readonly why: JoinRefusal }
  /** The invitation is gone for good: who used it does not matter any more. */
  | { readonly kind: 'forget'; readonly invitation: string };
