/** What comes out of the reference walk, in order, for its shell to carry out. */

import type { Endpoint } from '../base/address.js';
import type { PeerSlot } from '../base/identifiers.js';
import type { WalkEvent } from './tables.js';

/**
 * The port that a datagram leaves from. `sealed`: the listen port. `udp`: the clear port that is
 * the endpoint's too. `vxlan`: one of a few, chosen by the flow's hash, so that routers on the way
 * spread flows over their paths (RFC 7348 §5).
 */
export interface Via {
  readonly kind: 'sealed' | 'vxlan' | 'udp';
  /** 16 bits; of vxlan alone. */
  readonly flow: number;
}

export type WalkOutput =
  /** Send it to the endpoint; a failure comes back as a `failed` input with a reason `send_*`. */
  | {
      readonly kind: 'datagram';
      readonly peer: PeerSlot;
      readonly endpoint: Endpoint;
      readonly datagram: Uint8Array;
      readonly via: Via;
      /** The TTL or hop limit that it must leave with; 0: any. */
      readonly hops: number;
    }
  /** Write it to the TUN; a failure comes back as a `failed` input with the reason `tun_write`. */
  | { readonly kind: 'packet'; readonly packet: Uint8Array }
  | { readonly kind: 'event'; readonly event: WalkEvent };
