/** What comes out of the reference walk, in order, for its shell to carry out. */

import type { Endpoint } from '../base/address.js';
import type { PeerSlot } from '../base/identifiers.js';
import type { WalkEvent } from './tables.js';

export type WalkOutput =
  /** Send it to the endpoint; a failure comes back as a `failed` input with a reason `send_*`. */
  | {
      readonly kind: 'datagram';
      readonly peer: PeerSlot;
      readonly endpoint: Endpoint;
      readonly datagram: Uint8Array;
      /** The TTL or hop limit that it must leave with; 0: any. */
      readonly hops: number;
    }
  /** Write it to the TUN; a failure comes back as a `failed` input with the reason `tun_write`. */
  | { readonly kind: 'packet'; readonly packet: Uint8Array }
  | { readonly kind: 'event'; readonly event: WalkEvent };
