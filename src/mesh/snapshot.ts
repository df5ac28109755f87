/** A read-only picture of a mesh, for the API, the command and metrics. Holds no secret. */

import type { NodeId } from '../base/identifiers.js';
import type { WallTime } from '../base/time.js';
import type { MemberStatus } from '../gossip/action.js';

export interface MemberSnapshot {
  readonly id: NodeId;
  readonly name: string;
  readonly isSelf: boolean;
  readonly isAdmin: boolean;
  /** It holds the network's root key: known of ourselves only. */
  readonly isRoot: boolean;
  readonly status: MemberStatus | 'revoked' | 'unknown';
  /** X25519, in base64; undefined while it is not known. */
  readonly publicKey: string | undefined;
  readonly groups: readonly string[];
  /** As text. */
  readonly addresses: readonly string[];
  readonly subnet: string | undefined;
  readonly announces: readonly string[];
  readonly endpoint: string | undefined;
  readonly certificateExpires: WallTime | undefined;
  readonly incarnation: number;
}

export interface InvitationSnapshot {
  readonly id: string;
  readonly name: string | undefined;
  readonly groups: readonly string[];
  readonly isAdmin: boolean;
  readonly uses: number;
  /** Undefined where another admin counts them. */
  readonly used: number | undefined;
  readonly expires: WallTime;
  readonly state: 'open' | 'used' | 'expired' | 'revoked';
}

export interface MeshSnapshot {
  /**
   * none     no network: neither founded nor joined
   * joining  the join line is being redeemed; `waiting` says for what
   * member   certified
   * left     left, revoked or yielded; `waiting` says why
   */
  readonly phase: 'none' | 'joining' | 'member' | 'left';
  readonly waiting: string | undefined;
  /** The join line was refused: nothing more is tried with it. */
  readonly isRefused: boolean;
  readonly network: { readonly id: NodeId; readonly name: string } | undefined;
  readonly self: NodeId;
  readonly members: readonly MemberSnapshot[];
  readonly invitations: readonly InvitationSnapshot[];
  /** What an operator should look at: expiry, clones, a wrong clock, a full disk. */
  readonly warnings: readonly string[];
  /** Of rotations under way, each a line. */
  readonly progress: readonly string[];
  /** Messages and records that came to nothing, by reason. */
  readonly drops: Readonly<Record<string, number>>;
  /** Sent by this core: control messages and bytes of their bodies. */
  readonly sentMessages: number;
  readonly sentBytes: number;
  /** Hash of the store, 16 hexadecimal digits: the same on all members once they have converged. */
  readonly digest: string;
}
