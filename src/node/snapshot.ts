/** A read-only picture of a node, for the API, the command and metrics. Holds no secret. */

import type { Endpoint, Mac, Prefix } from '../base/address.js';
import type { PeerSlot } from '../base/identifiers.js';
import type { Duration, Instant, WallTime } from '../base/time.js';
import type { Suite } from '../crypto/suite.js';
import type { MeshSnapshot } from '../mesh/snapshot.js';
import type { ClearPeerConfig } from './config.js';
import { literalEndpoint } from './peer_settings.js';
import type { Peer } from './peer_table.js';

export interface PeerSnapshot {
  readonly slot: PeerSlot;
  readonly name: string;
  readonly publicKey: Uint8Array;
  /** By the mesh, not by the configuration. */
  readonly isMesh: boolean;
  readonly hasPresharedKey: boolean;
  readonly endpoint: Endpoint | undefined;
  readonly allowedIps: readonly Prefix[];
  /** Its messages are behind a VXLAN header with this VNI; undefined: bare. */
  readonly sealedVni: number | undefined;
  readonly persistentKeepalive: Duration | undefined;
  /** When the session in use was made: by CLOCK_BOOTTIME for ages, by the wall clock for people. */
  readonly latestHandshake: { readonly at: Instant; readonly wall: WallTime } | undefined;
  /**
   * From sending an initiation to having its response: the round trip as the last handshake saw it.
   */
  readonly handshakeRoundTrip: Duration | undefined;
  readonly state: 'idle' | 'handshaking' | 'established';
  /** What the session in use speaks; `wireguard` until hellos were exchanged, and without one. */
  readonly protocol: 'wireguard' | 'heddle';
  /** What data messages are sealed with now. */
  readonly suite: Suite;
  /** Lanes that send to it now. */
  readonly lanes: number;
  /** Whether packets with partial checksums go to it now. */
  readonly trustsChecksums: boolean;
}

/** A peer in the clear. */
export interface ClearPeerSnapshot {
  readonly slot: PeerSlot;
  readonly name: string;
  readonly carrier: ClearPeerConfig['carrier'];
  readonly endpoint: Endpoint;
  readonly allowedIps: readonly Prefix[];
  /** When it was first in the configuration of this node. */
  readonly since: WallTime;
  readonly plaintextUntil: WallTime | undefined;
  readonly hasEnded: boolean;
}

export interface NodeSnapshot {
  /** All zeros: none. */
  readonly publicKey: Uint8Array;
  /** Undefined before there is a configuration. */
  readonly vtepMac: Mac | undefined;
  readonly peers: readonly PeerSnapshot[];
  readonly clearPeers: readonly ClearPeerSnapshot[];
  /** Handshake messages that came to nothing, by reason (session/handshake_drop.ts). */
  readonly handshakeDrops: Readonly<Record<string, number>>;
  /** Control messages that came to nothing, by reason (session/control_drop.ts). */
  readonly controlDrops: Readonly<Record<string, number>>;
  readonly underLoad: boolean;
  /** Undefined: the node has no mesh. */
  readonly mesh: MeshSnapshot | undefined;
}

/** `allowedIps`: those that it owns. */
export function snapshotOf(peer: Peer, allowedIps: readonly Prefix[], now: Instant): PeerSnapshot {
  const { slot, config, isMesh, latestHandshake } = peer;
  // To look at a peer is no reason to make its session.
  const session = peer.hasSession ? peer.session : undefined;
  const agreement = session?.agreement(now);
  return {
    slot,
    name: config.name,
    publicKey: config.publicKey.slice(),
    isMesh,
    hasPresharedKey: config.presharedKey !== undefined,
    endpoint: session ? session.endpoint : literalEndpoint(config),
    allowedIps,
    sealedVni: config.sealedVni,
    persistentKeepalive: config.persistentKeepalive,
    latestHandshake,
    handshakeRoundTrip: session?.roundTrip,
    state: session?.state(now) ?? 'idle',
    protocol: agreement ? 'heddle' : 'wireguard',
    suite: agreement?.suite ?? 'chacha20-poly1305',
    lanes: agreement?.lanes ?? 1,
    trustsChecksums: agreement?.trustsChecksums ?? false,
  };
}
