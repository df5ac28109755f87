/** What the daemon asks of a running tunnel, and what a start gives to whoever opens one. */

import type { DatapathSource } from '../api/datapath_status.js';
import type { TrafficReading } from '../api/status.js';
import type { PeerSlot } from '../base/identifiers.js';
import type { Log } from '../base/log.js';
import type { Instant } from '../base/time.js';
import type { Config } from '../node/config.js';
import type { MeshAnswer, MeshCommand } from '../mesh/command.js';
import type { NodeSnapshot } from '../node/snapshot.js';
import type { Folders } from './folders.js';
import type { KeptMesh, MeshFiles } from './mesh_files.js';
import type { MeshOptions } from './mesh_options.js';
import type { Teardown } from './teardown.js';

/**
 * What a change may touch: the whole host, or (`peers`) only keys, port and peers, as WireGuard's
 * configuration socket does, and leave addresses and routes to whoever made the change.
 */
export type ChangeScope = 'host' | 'peers';

/** The mesh of a tunnel, as commands reach it; its picture is in the snapshot. */
export interface MeshControl {
  /** Never rejects. */
  command(command: MeshCommand): Promise<MeshAnswer>;
}

/** What a start found of its mesh. */
export interface MeshStart {
  readonly options: MeshOptions;
  readonly files: MeshFiles;
  /** Holds secrets; wiped by the start. */
  readonly kept: KeptMesh;
  /** The network is forgotten: stop. */
  readonly onForgotten: (why: string) => void;
}

export interface Tunnel {
  readonly interfaceName: string;
  readonly listenPort: number;
  readonly mtu: number;
  readonly fwMark: number;
  readonly datapath: 'native' | 'reference';
  readonly lanes: number;
  now(): Instant;
  remarks(): readonly string[];
  snapshot(): NodeSnapshot;
  traffic(peer: PeerSlot): TrafficReading;
  counters(): Readonly<Record<string, bigint>>;
  drops(): Readonly<Record<string, bigint>>;
  /** What others changed of ours in the host and was put right, by kind. */
  repairs(): Readonly<Record<string, number>>;
  /** What the datapath runs on. */
  footing(): DatapathSource;
  /** Undefined: the tunnel's peers are those of its configuration alone. */
  readonly mesh?: MeshControl | undefined;
  /** In force now. Holds secrets. */
  readonly config: Config;
  /**
   * Takes over what `change` makes of the configuration in force, but for what needs a restart.
   * Rejects with HandError or NetlinkError, and then nothing has changed.
   */
  reconfigure(
    change: (running: Config) => Config,
    scope: ChangeScope,
  ): Promise<{ readonly before: Config; readonly after: Config }>;
}

export interface TunnelContext {
  readonly config: Config;
  /** Undefined: there is to be none. */
  readonly mesh?: MeshStart;
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
