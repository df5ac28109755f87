/**
 * A changed configuration file taken over while the daemon runs (SIGHUP, `heddle reload`). A file
 * that is broken, or that the host refuses, leaves the running configuration as it is; the last
 * failure is kept for the status until a reload succeeds.
 */

import type { Log } from '../base/log.js';
import { isSystemRefusal } from '../io/files.js';
import type { Config } from '../node/config.js';
import { type ConfigChange, describeChange } from './config_change.js';
import { ConfigError } from './config_fault.js';
import { wipeDropped, wipeSecrets } from './secrets.js';
import type { Tunnel } from './tunnel.js';

export type ReloadResult =
  | ({ readonly kind: 'applied' } & ConfigChange)
  | { readonly kind: 'refused'; readonly why: string };

export interface ReloadParts {
  /** Reads and judges the file; throws ConfigError. Undefined: there is no file. */
  readonly read: (() => Config) | undefined;
  readonly tunnel: Pick<Tunnel, 'reconfigure'>;
  readonly log: Log;
}

export class Reloader {
  readonly #parts: ReloadParts;
  #failure: string | undefined;

  constructor(parts: ReloadParts) {
    this.#parts = parts;
  }

  /** Why the last reload was refused; undefined when it was not. */
  get failure(): string | undefined {
    return this.#failure;
  }

  async reload(): Promise<ReloadResult> {
    const result = await this.#try();
    const { log } = this.#parts;
    this.#failure = result.kind === 'refused' ? result.why : undefined;
    if (result.kind === 'refused') {
      log.error('configuration not reloaded, the old one stays', { why: result.why });
    } else {
      const { applied, needsRestart } = result;
      const fields = { changes: applied.length, needsRestart: needsRestart.length };
      log.info('configuration reloaded', fields);
    }
    return result;
  }

  async #try(): Promise<ReloadResult> {
    const { read, tunnel } = this.#parts;
    if (!read) {
      const why = 'the daemon runs its built-in configuration; start it with -c FILE to have one';
      return { kind: 'refused', why };
    }
    try {
      return await adopt(read(), tunnel);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return { kind: 'refused', why: error.message };
    }
  }
}

async function adopt(next: Config, tunnel: ReloadParts['tunnel']): Promise<ReloadResult> {
  try {
    const withMesh = ({ mesh }: Config): Config => (mesh ? { ...next, mesh } : next);
    const { before, after } = await tunnel.reconfigure(withMesh, 'host');
    const change = describeChange(before, next);
    wipeDropped(before, after);
    return { kind: 'applied', ...change };
  } catch (error) {
    wipeSecrets(next);
    throw error;
  }
}

/** Where nothing could be recorded or made, as on a full disk, nothing was. */
function isRefusal(error: unknown): error is Error {
  return error instanceof ConfigError || isSystemRefusal(error);
}
