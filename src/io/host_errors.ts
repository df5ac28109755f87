/** Which refusals of the kernel are none for whoever sets up a host. */

import type { Family } from '../base/address.js';
import { NetlinkError } from './netlink.js';

/** Gone already, which is what taking back wants. */
const GONE = new Set(['ENOENT', 'ESRCH', 'EADDRNOTAVAIL', 'ENODEV', 'ENXIO']);
/** What the kernel says to IPv6 settings where IPv6 is off. */
const WITHOUT_IPV6 = new Set(['EACCES', 'EOPNOTSUPP', 'EAFNOSUPPORT']);

/** What was to be taken back is not there. */
export function isGone(error: unknown): boolean {
  return error instanceof NetlinkError && GONE.has(error.code);
}

/** The host has no IPv6, so it gets what it can of a plan. */
export function isWithoutIpv6(error: unknown, family: Family): error is NetlinkError {
  return error instanceof NetlinkError && family === 6 && WITHOUT_IPV6.has(error.code);
}

/** The answer, or undefined where the host has no IPv6; throws other errors. */
export function unlessWithoutIpv6<T>(family: Family, ask: () => T): T | undefined {
  try {
    return ask();
  } catch (error) {
    if (isWithoutIpv6(error, family)) return undefined;
    throw error;
  }
}
