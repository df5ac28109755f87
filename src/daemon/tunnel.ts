/** What the daemon asks of a running tunnel, and what a start gives to whoever opens one. */

import type { TrafficReading } from '../api/status.js';
import type { PeerSlot } from '../base/identifiers.js';
import type { Log } from '../base/log.js';
import type { Instant } from '../base/time.js';
import type { Config } from '../node/config.js';
import type { NodeSnapshot } from '../node/snapshot.js';
import type { Folders } from './folders.js';
import type { Teardown } from './teardown.js';

export interface Tunnel {
  readonly interfaceName: string;
  readonly listenPort: number;
  readonly mtu: number;
  readonly fwMark: number;
  readonly datapath: 'native' | 'reference';
  now(): Instant;
  remarks(): readonly string[];
  snapshot(): NodeSnapshot;
  traffic(peer: PeerSlot): TrafficReading;
  counters(): Readonly<Record<string, bigint>>;
  drops(): Readonly<Record<string, bigint>>;
}

export interface TunnelContext {
  readonly config: Config;
  readonly folders: Folders;
  readonly log: Log;
  /** Takes how to unmake each thing that was made, in the order of making. */
  readonly teardown: Teardown;
  /**
   * The process has to end: an invariant is broken, so nothing it would still do can be trusted.
   */
  readonly fail: (error: unknown) => void;
  /** Says that a step of the start is done. */
  readonly step: (name: string, detail: string) => void;
}

/** Opens the tunnel; on failure what was made is in the teardown. */
export type OpenTunnel = (context: TunnelContext) => Promise<Tunnel>;
