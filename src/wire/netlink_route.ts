/**
 * Routes in Linux's rtnetlink(7), in host byte order: those that lead to an interface
 * without a gateway, as a tunnel's do. The fixed part, with the attributes behind it:
 *
 *   0        1       2       3      4       5          6       7      8
 *   +--------+-------+-------+------+-------+----------+-------+------+---------+
 *   | family |dst len|src len| tos  | table | protocol | scope | type | flags   |
 *   +--------+-------+-------+------+-------+----------+-------+------+---------+
 */

import { addressFromBytes, bitsOf, type Family, type Prefix, prefixOf } from '../base/address.js';
import { loadLe16, loadLe32 } from '../base/bytes.js';
import { type Attribute, findAttribute, TYPE, u32, visitMessages } from './netlink.js';

export const ROUTE_FIXED = 12;
export const RTA = {
  destination: 1,
  outInterface: 4,
  gateway: 5,
  preferredSource: 7,
  metrics: 8,
  table: 15,
  mark: 16,
};
/** Among the metrics. */
export const RTAX_MTU = 2;
const ATTRIBUTE_HEADER = 4;
const AF: Record<Family, number> = { 4: 2, 6: 10 };
const RT_TABLE_MAIN = 254;
const RT_SCOPE_UNIVERSE = 0;
const RT_SCOPE_LINK = 253;
const RTN_UNICAST = 1;

export interface Route {
  readonly prefix: Prefix;
  readonly interfaceIndex: number;
  /** The main table where absent. */
  readonly table?: number;
}

/** The table of the route that a message tells of. */
export function routeTable(body: Uint8Array): number {
  return numberAt(body, findAttribute(body, ROUTE_FIXED, body.length, RTA.table));
}

/** Of a dump's messages, the least MTU that a route to the interface sets; 0: none sets one. */
export function parseLeastMtu(bytes: Uint8Array, interfaceIndex: number): number {
  let least = 0;
  visitMessages(bytes, (type, at, end) => {
    if (type !== TYPE.newRoute) return;
    const attributes = at + ROUTE_FIXED;
    const out = findAttribute(bytes, attributes, end, RTA.outInterface);
    const metrics = findAttribute(bytes, attributes, end, RTA.metrics);
    if (metrics < 0 || numberAt(bytes, out) !== interfaceIndex) return;
    const metricsEnd = metrics - ATTRIBUTE_HEADER + loadLe16(bytes, metrics - ATTRIBUTE_HEADER);
    const mtu = numberAt(bytes, findAttribute(bytes, metrics, metricsEnd, RTAX_MTU));
    if (mtu !== 0 && (least === 0 || mtu < least)) least = mtu;
  });
  return least;
}

/** Of a dump's messages, where routes lead to, other than by the interface. */
export function parseDestinations(bytes: Uint8Array, interfaceIndex: number): Prefix[] {
  const found: Prefix[] = [];
  visitMessages(bytes, (type, at, end) => {
    if (type !== TYPE.newRoute) return;
    const find = (each: number): number => findAttribute(bytes, at + ROUTE_FIXED, end, each);
    const destination = find(RTA.destination);
    const family = bytes[at] === AF[4] ? 4 : 6;
    const isWhole = destination >= 0 && destination + bitsOf(family) / 8 <= end;
    if (!isWhole || numberAt(bytes, find(RTA.outInterface)) === interfaceIndex) return;
    found.push(prefixOf(addressFromBytes(bytes, destination, family), bytes[at + 1] ?? 0));
  });
  return found;
}

/** By `routeKey`, of a dump's messages, the routes of `protocol` that lead to the interface. */
export function parseRouteKeys(
  bytes: Uint8Array,
  wanted: { readonly protocol: number; readonly interfaceIndex: number },
): Set<string> {
  const keys = new Set<string>();
  visitMessages(bytes, (type, at, end) => {
    if (type !== TYPE.newRoute || bytes[at + 5] !== wanted.protocol) return;
    const attributes = at + ROUTE_FIXED;
    const find = (attribute: number): number => findAttribute(bytes, attributes, end, attribute);
    if (numberAt(bytes, find(RTA.outInterface)) !== wanted.interfaceIndex) return;
    const table = numberAt(bytes, find(RTA.table));
    const [length = 0, addressBytes] = [bytes[at + 1], bytes[at] === AF[4] ? 4 : 16];
    const destination = find(RTA.destination);
    const to = destination + addressBytes > end ? -1 : destination;
    keys.add(formatKey({ table, length }, bytes, to, addressBytes));
  });
  return keys;
}

/** One text a destination and table, within a family. */
export function routeKey({ prefix, table }: Omit<Route, 'interfaceIndex'>): string {
  const { bytes } = prefix.address;
  const where = { table: table ?? RT_TABLE_MAIN, length: prefix.length };
  return formatKey(where, bytes, prefix.length === 0 ? -1 : 0, bytes.length);
}

/** The fixed part and the attributes of a request about the route, made by `protocol`. */
export function emitRoute(
  route: Route,
  protocol: number,
): { fixed: Uint8Array; attributes: Attribute[] } {
  const { address, length } = route.prefix;
  const fixed = new Uint8Array(ROUTE_FIXED);
  fixed[0] = AF[address.family];
  fixed[1] = length;
  const table = route.table ?? RT_TABLE_MAIN;
  fixed[4] = table < 256 ? table : 0;
  fixed[5] = protocol;
  fixed[6] = address.family === 4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  fixed[7] = RTN_UNICAST;
  const attributes = [u32(RTA.outInterface, route.interfaceIndex), u32(RTA.table, table)];
  if (length > 0) attributes.unshift({ type: RTA.destination, value: address.bytes });
  return { fixed, attributes };
}

/** Words rather than text, since there may be 100,000. A default route's address is at -1. */
function formatKey(
  { table, length }: { readonly table: number; readonly length: number },
  bytes: Uint8Array,
  at: number,
  addressBytes: number,
): string {
  let key = `${table}/${length}`;
  if (at < 0) return key;
  for (let i = 0; i < addressBytes; i += 4) key += `/${loadLe32(bytes, at + i)}`;
  return key;
}

function numberAt(bytes: Uint8Array, at: number): number {
  return at < 0 || at + 4 > bytes.length ? 0 : loadLe32(bytes, at);
}
