/** Everything that can happen to the ipam core. Records are verified before. */

import type { Prefix } from '../base/address.js';
import type { NodeId } from '../base/identifiers.js';
import type { Instant, WallTime } from '../base/time.js';

/** What becomes of a member's leases: left and revoked free them, failed does in time. */
export type Standing = 'alive' | 'left' | 'failed' | 'revoked';

export interface LeaseRecord {
  readonly author: NodeId;
  /** Which of the author's leases. */
  readonly key: string;
  readonly version: number;
  readonly body: Uint8Array;
}

export type IpamInput =
  /** First, once. */
  | {
      readonly kind: 'start';
      readonly network: NodeId;
      readonly self: NodeId;
      readonly pool: Prefix;
      /** Of the network: nothing was claimed earlier. */
      readonly createdAt: WallTime;
      /** What time the group has now. */
      readonly wall: WallTime;
      /** Our own leases as the disk has them. */
      readonly own: readonly LeaseRecord[];
      /** Of the subnet that we want; undefined: none, and one that we have is given back. */
      readonly subnetLength: number | undefined;
    }
  /** The network has another pool, or what it has was said again. */
  | { readonly kind: 'pool'; readonly pool: Prefix; readonly createdAt: WallTime }
  /** What time the group has now; fed now and then. */
  | { readonly kind: 'time'; readonly wall: WallTime }
  /** The members' leases that can be known are known: no need to wait before the first claim. */
  | { readonly kind: 'synced' }
  /** Of another member or our own, in force in the store. */
  | ({ readonly kind: 'lease' } & LeaseRecord)
  /** The member's records are in the store no more. */
  | { readonly kind: 'gone'; readonly id: NodeId }
  /** `since`: when we learned of it. */
  | {
      readonly kind: 'standing';
      readonly id: NodeId;
      readonly standing: Standing;
      readonly since: Instant;
    }
  /** The answers to `claim`. */
  | { readonly kind: 'claimed'; readonly key: string }
  | { readonly kind: 'notClaimed'; readonly key: string };
