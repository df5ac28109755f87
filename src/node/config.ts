/**
 * What a node is told to be: validated values, produced by daemon/config_file.ts. Holds secrets:
 * never log it whole.
 */

import type { InterfaceAddress, Prefix } from '../base/address.js';
import type { Duration } from '../base/time.js';

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
}

export interface Config {
  readonly interface: string;
  /** X25519, 32 bytes, clamped. */
  readonly privateKey: Uint8Array;
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
}
