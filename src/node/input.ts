/** Everything that can happen to a node. */

import type { Endpoint } from '../base/address.js';
import type { PeerSlot } from '../base/identifiers.js';
import type { WallTime } from '../base/time.js';
import type { WalkEvent } from '../datapath/tables.js';
import type { MeshInput } from '../mesh/input.js';
import type { Config } from './config.js';

export type NodeInput =
  /** Adopt this configuration; peers that are in both keep their sessions. */
  | { readonly kind: 'configure'; readonly config: Config }
  /**
   * What the wall clock shows now; fed at start, every minute, and when it was found to have
   * jumped.
   */
  | { readonly kind: 'wallClock'; readonly wall: WallTime }
  | { readonly kind: 'walk'; readonly event: WalkEvent }
  /**
   * The answer to a `resolve` action; `endpoint` is undefined when the name does not resolve now.
   */
  | { readonly kind: 'resolved'; readonly request: number; readonly endpoint: Endpoint | undefined }
  /**
   * Our addresses or routes in the underlay changed: peers learn at once where we speak from now.
   * Acted on once a second at most. What `unaffected` have of us is as right as before.
   */
  | { readonly kind: 'underlayChanged'; readonly unaffected: ReadonlySet<PeerSlot> }
  /** For the mesh, which a node without one ignores. */
  | { readonly kind: 'mesh'; readonly input: MeshInput }
  /** The daemon is stopping: forget every key. */
  | { readonly kind: 'stop' };
