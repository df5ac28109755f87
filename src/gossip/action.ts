/** Everything that the gossip core can want. Carried out in order. */

import type { NodeId } from '../base/identifiers.js';
import type { GossipMessage } from '../wire/gossip.js';

export type MemberStatus = 'alive' | 'suspect' | 'failed' | 'left';

export type GossipAction =
  /** Inside a session with the member; one is made where there is none. */
  | { readonly kind: 'send'; readonly to: NodeId; readonly message: GossipMessage }
  /** To be signed and spread: the member did not answer us. */
  | { readonly kind: 'accuse'; readonly id: NodeId; readonly incarnation: number }
  /** We are suspected at this incarnation, and live: say so with a higher one. */
  | { readonly kind: 'refute'; readonly incarnation: number }
  /** What this node takes the member for, from now on. */
  | { readonly kind: 'changed'; readonly id: NodeId; readonly status: MemberStatus }
  /** The member's store differs from ours: compare. */
  | { readonly kind: 'compare'; readonly with: NodeId };
