/** How long an inner packet may be. */

import { DATA_LEAST_BYTES } from '../wire/wireguard.js';

/** What the outer headers take: IPv6, UDP, and WireGuard's own. IPv4 takes less. */
const OUTER_OVERHEAD_BYTES = 40 + 8 + DATA_LEAST_BYTES;

/**
 * The tunnel's MTU over an underlay of `underlayMtu`: what fits whichever outer family is used; 0
 * when nothing does.
 */
export function innerMtu(underlayMtu: number): number {
  return Math.max(0, underlayMtu - OUTER_OVERHEAD_BYTES);
}

/** Before the control plane says otherwise: over an Ethernet. */
export const DEFAULT_MTU = innerMtu(1500);
