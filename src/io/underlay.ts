/**
 * What the host's other interfaces offer: their addresses, and the ways to the rest of the world,
 * as text that differs when tunnels must look for other ways.
 */

import { type Address, parseAddress } from '../base/address.js';
import { present } from '../base/assert.js';
import type { Link } from '../wire/netlink_link.js';
import type { Netlink, PlacedAddress } from './netlink.js';

/** Addresses nobody is asked at: only where the kernel would send to them (RFC 5737, RFC 3849). */
export const ANYWHERE: readonly Address[] = ['192.0.2.1', '2001:db8::1'].map((text) =>
  present(parseAddress(text), 'a valid address'),
);
/** Each is a question to the kernel. */
const MOST_DESTINATIONS = 64;

export interface Underlay extends Surroundings {
  /** The global addresses of interfaces other than the tunnel's, each once. */
  readonly addresses: readonly Address[];
}

/** What tunnels depend on. */
export interface Surroundings {
  /** Interfaces, their addresses, and the ways to anywhere. */
  readonly here: string;
  /** To each destination that was asked for, by its text. */
  readonly ways: ReadonlyMap<string, string>;
}

/**
 * A destination that was not asked for before is a new peer, and no change; but where the kernel
 * told of other routes since (`isTold`), the way to it may have been another.
 */
export function isSameUnderlay(
  before: Surroundings,
  after: Surroundings,
  isTold: boolean,
): boolean {
  if (before.here !== after.here) return false;
  return [...after.ways].every(([to, way]) => {
    const former = before.ways.get(to) ?? (isTold ? undefined : way);
    return former === way;
  });
}

export interface UnderlayQuestion {
  readonly netlink: Pick<Netlink, 'lookUpRoute'>;
  readonly links: readonly Link[];
  readonly placed: readonly PlacedAddress[];
  /** The tunnel's interface, which is no underlay. */
  readonly ownIndex: number | undefined;
  /** Ways to these matter, and to anywhere. */
  readonly destinations: readonly Address[];
  /** What the tunnel's own datagrams carry. */
  readonly mark: number;
}

export function readUnderlay(question: UnderlayQuestion): Underlay {
  const { netlink, links, placed, ownIndex, destinations, mark } = question;
  const global = placed.filter((each) => each.isGlobal && each.interfaceIndex !== ownIndex);
  const used = new Set(global.map(({ interfaceIndex }) => interfaceIndex));
  const lines = [
    // Interfaces without a global address come and go with containers, and carry nothing of ours.
    ...links.filter(({ index }) => used.has(index)).map(formatLink),
    ...global.map(({ interfaceIndex, address }) => `address ${interfaceIndex} ${address.text}`),
  ];
  const wayTo = (to: Address): [string, string] => {
    const way = netlink.lookUpRoute(to, mark);
    const isWay = way !== undefined && way.interfaceIndex !== ownIndex;
    return [to.text, isWay ? `${way.interfaceIndex} ${way.via} ${way.mtu ?? ''}` : 'none'];
  };
  for (const [to, way] of ANYWHERE.map(wayTo)) lines.push(`way ${to} ${way}`);
  const byText = new Map(global.map(({ address }) => [address.address.text, address.address]));
  return {
    addresses: [...byText.values()],
    here: lines.sort().join('\n'),
    ways: new Map(destinations.slice(0, MOST_DESTINATIONS).map(wayTo)),
  };
}

function formatLink({ index, isUp, hasCarrier }: Link): string {
  return `link ${index} ${isUp ? 'up' : 'down'} ${hasCarrier ? 'carrier' : 'no carrier'}`;
}
