/** A read-only picture of a node, for the API, the command and metrics. Holds no secret. */

import type { Endpoint, Prefix } from '../base/address.js';
import type { PeerSlot } from '../base/identifiers.js';
import type { Duration, Instant, WallTime } from '../base/time.js';

export interface PeerSnapshot {
  readonly slot: PeerSlot;
  readonly name: string;
  readonly publicKey: Uint8Array;
  readonly hasPresharedKey: boolean;
  readonly endpoint: Endpoint | undefined;
  readonly allowedIps: readonly Prefix[];
  readonly persistentKeepalive: Duration | undefined;
  /** When the session in use was made: by CLOCK_BOOTTIME for ages, by the wall clock for people. */
  readonly latestHandshake: { readonly at: Instant; readonly wall: WallTime } | undefined;
  /**
   * From sending an initiation to having its response: the round trip as the last handshake saw it.
   */
  readonly handshakeRoundTrip: Duration | undefined;
  readonly state: 'idle' | 'handshaking' | 'established';
}

export interface NodeSnapshot {
  readonly publicKey: Uint8Array;
  readonly peers: readonly PeerSnapshot[];
  /** Handshake messages that came to nothing, by reason (session/handshake_drop.ts). */
  readonly handshakeDrops: Readonly<Record<string, number>>;
  readonly underLoad: boolean;
}
