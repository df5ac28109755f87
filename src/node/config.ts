/**
 * What a node is told to be: validated values, produced by daemon/config_file.ts. Holds secrets:
 * never log it whole.
 */

import type { Endpoint, InterfaceAddress, Mac, Prefix } from '../base/address.js';
import type { Duration, WallTime } from '../base/time.js';
import type { Suite } from '../crypto/suite.js';
import type { OffloadSwitches } from './offloads.js';

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
  /** Where a mesh says that it is, which goes before `endpoint`; absent: that alone says it. */
  readonly at?: Endpoint | undefined;
  readonly allowedIps: readonly Prefix[];
  /** Absent: off. */
  readonly persistentKeepalive?: Duration;
  /** `heddle`: control messages, sub-keypairs and faster suites; absent: stock WireGuard. */
  readonly protocol?: 'heddle';
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

/** What a mesh gives its host. */
export interface MeshRouting {
  readonly addresses: readonly InterfaceAddress[];
  /** Behind other members, besides the prefixes of the addresses. */
  readonly prefixes: readonly Prefix[];
}

/** What a host is to be in its mesh. */
export interface MeshSettings {
  /** Absent: as the host calls itself. */
  readonly name?: string;
  readonly announce: readonly Prefix[];
  /** Of a subnet of its own; absent: none. */
  readonly subnetLength?: number;
  readonly acceptsDefaultRoutes: boolean;
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
  /** What peers of heddle's own protocol may seal with, the preferred first; absent: all. */
  readonly ciphers?: readonly Suite[];
  /** 1 to MAX_LANES; absent: as many as the machine has use for. */
  readonly lanes?: number;
  /** Absent: each one `auto`. */
  readonly offloads?: OffloadSwitches;
  readonly peers: readonly PeerConfig[];
  readonly clearPeers: readonly ClearPeerConfig[];
  /** The host is to be in a mesh, whatever the command line says; absent: that alone decides. */
  readonly meshSettings?: MeshSettings;
  /** Beside what is configured; absent: the host is in no mesh, or has nothing of it yet. */
  readonly mesh?: MeshRouting;
}

/** Those that are configured, and those that the mesh gave. */
export function addressesOf({ addresses, mesh }: Config): readonly InterfaceAddress[] {
  return mesh ? [...addresses, ...mesh.addresses] : addresses;
}
