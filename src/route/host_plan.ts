/**
 * What a node needs of its host, as an ordered list: the link's MTU, its addresses, routes for the
 * peers' prefixes, and, for a default route, the rules that keep the tunnel's own datagrams out of
 * the tunnel, and answers to those who came in over the underlay, too. The way is otherwise
 * wg-quick's, so that who knows wg-quick knows what to expect. Pure:
 * io/host.ts carries a plan out and takes it back.
 */

import { type Family, type InterfaceAddress, type Prefix, prefixOf } from '../base/address.js';
import type { GsoLimits } from '../wire/netlink_link.js';

/**
 * No measurement goes below it, whatever a forged message made of the route: IPv6 ends on a link
 * with less (RFC 8200 §5).
 */
export const LEAST_MTU = 1280;
/** 65,535 less WireGuard's overhead. */
export const GREATEST_MTU = 65_455;
/** Where nothing says how large the underlay's packets may be. */
const FALLBACK_UNDERLAY = 1500;
/** That less WireGuard's overhead. */
export const FALLBACK_MTU = 1420;
const GREATEST_SEND = 65_507;
const GREATEST_SEGMENTS = 63;
/** What a link without a limit of its own has. */
const GREATEST_GSO = 65_536;
/** The first table and mark tried for a default route, as wg-quick does. */
export const FIRST_TABLE = 51820;
/** default, main and local (rt_tables): a default route of ours in them would catch everything. */
const SYSTEM_TABLES = [253, 254, 255];

export type HostStep =
  | { readonly kind: 'link'; readonly mtu: number; readonly gso: GsoLimits }
  | { readonly kind: 'address'; readonly address: InterfaceAddress }
  | { readonly kind: 'route'; readonly prefix: Prefix; readonly table?: number }
  /**
   * What is sent from an address of another interface goes where it went without the tunnel, so
   * that answers leave the way that their question came.
   */
  | { readonly kind: 'answerRules'; readonly family: Family }
  /** What does not carry `mark` looks in `table`. */
  | {
      readonly kind: 'markRule';
      readonly family: Family;
      readonly table: number;
      readonly mark: number;
    }
  /** What the main table knows better than by its default route still goes there. */
  | { readonly kind: 'mainRule'; readonly family: Family }
  /** net.ipv4.conf.all.src_valid_mark: answers to marked datagrams pass the reverse path filter. */
  | { readonly kind: 'validMark' };

export interface HostPlan {
  readonly steps: readonly HostStep[];
  /** The mark that outer datagrams must carry; 0: none. */
  readonly mark: number;
}

export interface PlanInput {
  readonly addresses: readonly InterfaceAddress[];
  readonly mtu: number;
  /** What a message is longer than its inner packet at most. */
  readonly messageOverhead: number;
  readonly table: 'auto' | 'off' | number;
  readonly fwMark: number;
  readonly allowedIps: readonly Prefix[];
  /** A table number that nobody uses; asked for only when a default route needs one. */
  readonly freeTable: () => number;
}

export function planHost(input: PlanInput): HostPlan {
  const gso = gsoLimits(input.mtu, input.messageOverhead);
  const steps: HostStep[] = [{ kind: 'link', mtu: input.mtu, gso }];
  for (const address of input.addresses) steps.push({ kind: 'address', address });
  if (input.table === 'off') return { steps, mark: input.fwMark };
  const wanted = longestFirst(input.allowedIps);
  if (input.table !== 'auto') {
    for (const prefix of wanted) steps.push({ kind: 'route', prefix, table: input.table });
    return { steps, mark: input.fwMark };
  }
  const defaults = wanted.filter((prefix) => prefix.length === 0);
  for (const prefix of withoutOnLink(wanted, input.addresses)) {
    if (prefix.length > 0) steps.push({ kind: 'route', prefix });
  }
  if (defaults.length === 0) return { steps, mark: input.fwMark };
  const { mark, table } = chooseMark(input);
  for (const prefix of defaults) steps.push(...defaultSteps(prefix, table, mark));
  if (defaults.some((prefix) => prefix.address.family === 4)) steps.push({ kind: 'validMark' });
  return { steps, mark };
}

/**
 * The super-packets whose messages fit one UDP send, so that one read from the interface is one
 * send: 65,507 bytes of IPv4 payload, and one segment less than kernels before 6.9 take.
 */
export function gsoLimits(mtu: number, messageOverhead: number): GsoLimits {
  const fitting = Math.floor(GREATEST_SEND / (mtu + messageOverhead));
  const gsoMaxSegments = Math.max(1, Math.min(GREATEST_SEGMENTS, fitting));
  return { gsoMaxSegments, gsoMaxBytes: Math.min(GREATEST_GSO, gsoMaxSegments * mtu) };
}

/** A way to a peer, or to anywhere for peers that nobody has heard of yet. */
export interface Way {
  /** Of the underlay there; 0: unknown. */
  readonly mtu: number;
  /** What the peer's encapsulation takes of it. */
  readonly overhead: number;
}

/**
 * The largest inner packet that fits on every way; a way that is unknown has no say beside others.
 */
export function innerMtu(ways: readonly Way[]): number {
  const known = ways.filter(({ mtu }) => mtu > 0);
  const judged = known.length > 0 ? known : ways.map((way) => ({ ...way, mtu: FALLBACK_UNDERLAY }));
  const rooms = judged.map(({ mtu, overhead }) => mtu - overhead);
  const least = rooms.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const measured = rooms.length > 0 ? least : FALLBACK_MTU;
  return Math.min(Math.max(measured, LEAST_MTU), GREATEST_MTU);
}

/** Each prefix once. */
function longestFirst(prefixes: readonly Prefix[]): Prefix[] {
  const byText = new Map(prefixes.map((prefix) => [prefix.text, prefix]));
  return [...byText.values()].sort((a, b) => b.length - a.length || (a.text < b.text ? -1 : 1));
}

/** Without those that an interface address already puts on the link, in the main table. */
function withoutOnLink(
  prefixes: readonly Prefix[],
  addresses: readonly InterfaceAddress[],
): Prefix[] {
  const onLink = new Set(addresses.map(({ address, length }) => prefixOf(address, length).text));
  const lengths = [...new Set(addresses.map(({ length }) => length))];
  const isOnLink = (prefix: Prefix, length: number): boolean =>
    length <= prefix.length && onLink.has(prefixOf(prefix.address, length).text);
  return prefixes.filter((prefix) => !lengths.some((length) => isOnLink(prefix, length)));
}

/** One number for both, as wg-quick does, wherever that is possible. */
function chooseMark({ fwMark, freeTable }: PlanInput): { mark: number; table: number } {
  const mark = fwMark !== 0 ? fwMark : freeTable();
  return { mark, table: SYSTEM_TABLES.includes(mark) ? freeTable() : mark };
}

function defaultSteps(prefix: Prefix, table: number, mark: number): HostStep[] {
  const family = prefix.address.family;
  return [
    { kind: 'route', prefix, table },
    { kind: 'answerRules', family },
    { kind: 'markRule', family, table, mark },
    { kind: 'mainRule', family },
  ];
}
