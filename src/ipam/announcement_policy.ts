/**
 * What may be announced by whom. The same everywhere, for it depends on what everybody knows (the
 * network's prefixes and the author's certificate), but for one thing: default routes are taken
 * only by a host that says so, and nobody's own networks are taken from it.
 *
 * A default route is any so short that it takes most of the internet: two halves are one, too. A
 * certificate that names one allows just this, and nothing more specific: else who may be the way
 * out could take every site's prefix.
 */

import { type Family, type Prefix, parsePrefix } from '../base/address.js';
import { covers, overlaps } from './overlap.js';

export const ANNOUNCEMENT_REFUSALS = [
  'malformed',
  'too_many', // of this author
  'special', // not a prefix that can be behind somebody
  'overlay', // shares addresses with the overlay's own
  'not_certified', // the certificate names no prefix around it
  'default_not_accepted', // a default route, and this host takes none
  'own_network', // this host has it itself
] as const;

export type AnnouncementRefusal = (typeof ANNOUNCEMENT_REFUSALS)[number];

/** What a certificate allows its member. */
export interface Permit {
  readonly prefixes: readonly Prefix[];
  readonly mayAnnounceDefault: boolean;
}

/** Shorter ones are default routes. */
const DEFAULT_BELOW: Readonly<Record<Family, number>> = { 4: 8, 6: 16 };

/** RFC 6890: this host, loopback, link-local, multicast and reserved. */
const SPECIAL: readonly Prefix[] = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/3',
  '::/127',
  'fe80::/10',
  'ff00::/8',
]
  .map(parsePrefix)
  .filter((prefix) => prefix !== undefined);

export function isDefaultRoute({ address, length }: Prefix): boolean {
  return length < DEFAULT_BELOW[address.family];
}

/** Why nobody takes it; undefined: everybody does. `overlay`: the pool and the IPv6 prefix. */
export function judgeAnnouncement(
  prefix: Prefix,
  permit: Permit | undefined,
  overlay: readonly Prefix[],
): AnnouncementRefusal | undefined {
  if (SPECIAL.some((special) => covers(special, prefix))) return 'special';
  const isDefault = isDefaultRoute(prefix);
  for (const own of overlay) {
    if (isDefault ? covers(own, prefix) : overlaps(own, prefix)) return 'overlay';
  }
  if (!permit || (isDefault && !permit.mayAnnounceDefault)) return 'not_certified';
  const isCovered = permit.prefixes.some(
    (allowed) => covers(allowed, prefix) && (isDefault || !isDefaultRoute(allowed)),
  );
  return isCovered ? undefined : 'not_certified';
}
