/**
 * What the hand that carries a node's packets can do beyond WireGuard's own, and what of that the
 * configuration leaves for peers of heddle's own protocol.
 */

import type { Suite } from '../crypto/suite.js';
import type { Features } from '../session/features.js';
import type { Config } from './config.js';

export interface Abilities {
  /** The fastest first; ChaCha20-Poly1305 is among them. */
  readonly suites: readonly Suite[];
  /** 1 to MAX_LANES. */
  readonly lanes: number;
}

/** What every hand can do. */
export const LEAST_ABILITIES: Abilities = { suites: ['chacha20-poly1305'], lanes: 1 };

/** Of either hand. Without the processor's instructions AES is slower than ChaCha20. */
export function abilitiesOf({ hasAes, lanes }: { hasAes: boolean; lanes: number }): Abilities {
  const { suites } = LEAST_ABILITIES;
  return { suites: hasAes ? ['aes-256-gcm', ...suites] : suites, lanes };
}

export function featuresOf(
  { ciphers, lanes, offloads }: Pick<Config, 'ciphers' | 'lanes' | 'offloads'>,
  abilities: Abilities,
): Features {
  const wanted = ciphers ?? abilities.suites;
  return {
    suites: wanted.filter((suite) => abilities.suites.includes(suite)),
    lanes: Math.min(lanes ?? abilities.lanes, abilities.lanes),
    trustsChecksums: offloads?.checksums !== 'off',
  };
}
