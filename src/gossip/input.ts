/** Everything that can happen to the gossip core. What it is told was verified before. */

import type { NodeId } from '../base/identifiers.js';
import type { Duration } from '../base/time.js';
import type { GossipMessage } from '../wire/gossip.js';

export type GossipInput =
  /** Who we are, once, first. Our own incarnation is the mesh's to raise. */
  | { readonly kind: 'start'; readonly self: NodeId }
  /**
   * A node record of somebody else came into force: what that member says of itself. `isFresh`: it
   * is news from the mesh, not from our own disk.
   */
  | {
      readonly kind: 'member';
      readonly id: NodeId;
      readonly incarnation: number;
      readonly status: 'alive' | 'left';
      readonly isFresh: boolean;
    }
  /** A member says that another does not answer it. `id` may be ourselves. */
  | {
      readonly kind: 'suspicion';
      readonly id: NodeId;
      readonly incarnation: number;
      readonly accuser: NodeId;
    }
  /** It is a member no more: revoked, or its certificate ended. */
  | { readonly kind: 'forget'; readonly id: NodeId }
  /** A gossip message of a member's, from inside a session with it. */
  | { readonly kind: 'message'; readonly from: NodeId; readonly message: GossipMessage }
  /** Something came of a comparison with it: a sync message. */
  | { readonly kind: 'compared'; readonly from: NodeId }
  /** Anything else authentic came from it: a handshake. */
  | { readonly kind: 'heard'; readonly from: NodeId }
  /** Whether there is a session with it that can be used without a handshake. */
  | { readonly kind: 'link'; readonly id: NodeId; readonly isWarm: boolean }
  /** How late the event loop runs; fed about once a second. */
  | { readonly kind: 'lag'; readonly lag: Duration }
  /**
   * A record to spread; a later one of the same place takes its place in the queue. `record` is
   * kept, not copied.
   */
  | { readonly kind: 'spread'; readonly place: string; readonly record: Uint8Array }
  /** Our own store's digest changed: it stands in every ping and ack, 8 bytes. */
  | { readonly kind: 'digest'; readonly digest: Uint8Array };
