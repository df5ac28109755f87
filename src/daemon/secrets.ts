/** The secrets of configurations, wiped when nobody uses them any more. */

import { wipe } from '../base/bytes.js';
import type { Config } from '../node/config.js';

export function wipeSecrets(config: Config): void {
  for (const secret of secretsOf(config)) wipe(secret);
}

/** Wipes what `before` held and `after`, which may share parts with it, does not. */
export function wipeDropped(before: Config, after: Config): void {
  const kept = new Set(secretsOf(after));
  for (const secret of secretsOf(before)) if (!kept.has(secret)) wipe(secret);
}

function secretsOf(config: Config): Uint8Array[] {
  const shared = config.peers.flatMap(({ presharedKey }) => (presharedKey ? [presharedKey] : []));
  return [config.privateKey, ...shared];
}
