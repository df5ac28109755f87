/** The typed face of the addon: loads it, checks that it is of this source tree, and checks arguments before it sees them. */

import { createRequire } from 'node:module';

interface Addon {
  /** Sends one or more rtnetlink messages on a fresh socket; returns all reply messages, or a negative errno. */
  netlinkRequest(request: Uint8Array): Uint8Array | number;
}

let loaded: Addon | undefined;

/** The addon; loaded on first use, so that commands which only talk to the daemon start without it. */
export function addon(): Addon {
  const require = createRequire(import.meta.url);
  loaded ??= require('../../../native/build/release/heddle.node') as Addon;
  return loaded;
}
