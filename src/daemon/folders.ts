/** Where the daemon keeps what lasts and what does not. */

import { join, resolve } from 'node:path';

export interface Folders {
  /** What outlives the daemon; mode 0700. */
  readonly state: string;
  /** What does not; mode 0750. */
  readonly run: string;
  /** Where `wg` looks for configuration sockets; mode 0755, shared with other WireGuards. */
  readonly wireguard: string;
}

export const CONFIG_FILE = '/etc/heddle/heddle.yaml';

/**
 * The folders of this environment: HEDDLE_STATE_DIR, HEDDLE_RUN_DIR and HEDDLE_WG_DIR, or the
 * system's.
 */
export function readFolders(env: NodeJS.ProcessEnv): Folders {
  return {
    state: resolve(env.HEDDLE_STATE_DIR || '/var/lib/heddle'),
    run: resolve(env.HEDDLE_RUN_DIR || '/run/heddle'),
    wireguard: resolve(env.HEDDLE_WG_DIR || '/var/run/wireguard'),
  };
}

export function socketPath(folders: Folders): string {
  return join(folders.run, 'api.sock');
}

/** WireGuard's configuration socket of the interface. */
export function uapiPath(folders: Folders, interfaceName: string): string {
  return join(folders.wireguard, `${interfaceName}.sock`);
}

export function lockPath(folders: Folders): string {
  return join(folders.run, 'heddle.pid');
}

/** Two daemons may not share a state, with run folders of their own either. */
export function stateLockPath(folders: Folders): string {
  return join(folders.state, 'heddle.lock');
}

/** Where a detached daemon's messages go. */
export function logPath(folders: Folders): string {
  return join(folders.run, 'heddle.log');
}
