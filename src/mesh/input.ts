/** Everything that can happen to the mesh core. */

import type { Endpoint } from '../base/address.js';
import type { Duration, WallTime } from '../base/time.js';
import type { MeshCommand } from './command.js';
import type { MeshSetup } from './setup.js';

export type MeshInput =
  /** First, once. */
  | { readonly kind: 'start'; readonly setup: MeshSetup }
  /** As node/input.ts; the first comes before `start`. */
  | { readonly kind: 'wallClock'; readonly wall: WallTime }
  /** A control message of the peer with this key, other than a hello; the body is borrowed. */
  | {
      readonly kind: 'control';
      /** X25519, 32 bytes. */
      readonly publicKey: Uint8Array;
      readonly message: { readonly kind: number; readonly body: Uint8Array };
    }
  /**
   * What became of the session with a mesh peer. `established` and `renewed`: it can be used from
   * now on, REKEY_AFTER_TIME of it warm. `gaveUp`: no answer to handshakes.
   */
  | {
      readonly kind: 'session';
      readonly publicKey: Uint8Array;
      readonly event: 'established' | 'gaveUp';
      /** Where the peer was heard, when established. */
      readonly endpoint: Endpoint | undefined;
    }
  /** The answer to `persist`. */
  | { readonly kind: 'persisted'; readonly request: number; readonly isSafe: boolean }
  /** Answered by an `answer` action with the same number. */
  | { readonly kind: 'command'; readonly request: number; readonly command: MeshCommand }
  /** Where others reach us changed. */
  | { readonly kind: 'endpoints'; readonly endpoints: readonly Endpoint[] }
  /** How late the event loop runs; fed about once a second. */
  | { readonly kind: 'lag'; readonly lag: Duration };
