/**
 * What a node is told to be: validated values, produced by daemon/config_file.ts. Holds secrets:
 * never log it whole.
 */

import type { Endpoint, InterfaceAddress, Mac, Prefix } from '../base/address.js';
import type { Duration, WallTime } from '../base/time.js';

/**
 * An endpoint as configured: the host may be a name that io resolves, again whenever the handshake
 * does not succeed.
 */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export interface PeerConfig {
  /**
   * Unique in a configuration; the first eight characters of the public key where the file names
   * none.
   */
  readonly name: string;
  /** X25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 32 bytes. */
  readonly presharedKey?: Uint8Array;
  readonly endpoint?: HostPort;
  readonly allowedIps: readonly Prefix[];
  /** Absent: off. */
  readonly persistentKeepalive?: Duration;
  /** Its messages go and come behind a VXLAN header with this VNI; absent: bare. */
  readonly sealedVni?: number;
}

/** A peer without a key: its packets cross the underlay in the clear. */
export interface ClearPeerConfig {
  /** Unique among all peers; the endpoint's text where the file names none. */
  readonly name: string;
  readonly carrier:
    | { readonly kind: 'vxlan'; readonly vni: number; readonly mac: Mac }
    | { readonly kind: 'udp' };
  /** The peer's outer address; the port is that of both ends. */
  readonly endpoint: Endpoint;
  /** Overlap no sealed peer's. */
  readonly allowedIps: readonly Prefix[];
  /** When it ends, both ways; absent: never. */
  readonly plaintextUntil?: WallTime;
}

export interface Config {
  readonly interface: string;
  /** X25519, 32 bytes, clamped; all zeros: none, so no sealed peer is talked to. */
  readonly privateKey: Uint8Array;
  /** Our VTEP's address in clear VXLAN; absent: derived from the public key. */
  readonly vtepMac?: Mac;
  /** 0: the kernel chooses. */
  readonly listenPort: number;
  readonly addresses: readonly InterfaceAddress[];
  /** Absent: measured from the underlay. */
  readonly mtu?: number;
  /**
   * Where routes for allowedIps go: `auto` as wg-quick does, `off` for none, or a table's number.
   */
  readonly table: 'auto' | 'off' | number;
  /** 0: none, unless a default route makes one necessary. */
  readonly fwMark: number;
  readonly datapath: 'native' | 'reference';
  readonly peers: readonly PeerConfig[];
  readonly clearPeers: readonly ClearPeerConfig[];
}
