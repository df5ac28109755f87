/** How long an inner packet may be: the control plane measures it (route/host_plan.ts). */

import { DATA_LEAST_BYTES } from '../wire/wireguard.js';

/** What the outer headers take: IPv6, UDP, and WireGuard's own. IPv4 takes less. */
const OUTER_OVERHEAD_BYTES = 40 + 8 + DATA_LEAST_BYTES;

/**
 * Before the control plane says otherwise: what fits an Ethernet whichever outer family is used.
 */
export const DEFAULT_MTU = 1500 - OUTER_OVERHEAD_BYTES;
