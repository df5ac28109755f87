/**
 * Routes in rtnetlink (linux/rtnetlink.h), in host byte order: those that lead to an interface
 * without a gateway, as a tunnel's do. The fixed part, with the attributes behind it:
 *
 *   0        1       2       3      4       5          6       7      8
 *   +--------+-------+-------+------+-------+----------+-------+------+---------+
 *   | family |dst len|src len| tos  | table | protocol | scope | type | flags   |
 *   +--------+-------+-------+------+-------+----------+-------+------+---------+
 */

import type { Family, Prefix } from '../base/address.js';
import { loadLe32 } from '../base/bytes.js';
import { type Attribute, attributeOf, u32 } from './netlink.js';

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

export function routeProtocol(body: Uint8Array): number {
  return body[5] ?? 0;
}

export function routeInterface(body: Uint8Array): number {
  return attributeNumber(body, RTA.outInterface);
}

export function routeTable(body: Uint8Array): number {
  return attributeNumber(body, RTA.table);
}

/** The key of the route that a message tells of. */
export function keyOfRoute(body: Uint8Array): string {
  const destination = attributeOf(body, ROUTE_FIXED, RTA.destination);
  return formatKey(routeTable(body), body[1] ?? 0, destination);
}

/** One text a destination and table, within a family. */
export function routeKey({ prefix, table }: Omit<Route, 'interfaceIndex'>): string {
  const { address, length } = prefix;
  return formatKey(table ?? RT_TABLE_MAIN, length, length === 0 ? undefined : address.bytes);
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

function formatKey(table: number, length: number, bytes: Uint8Array | undefined): string {
  return `${table}/${length}/${bytes?.join('.') ?? ''}`;
}

function attributeNumber(body: Uint8Array, type: number): number {
  const value = attributeOf(body, ROUTE_FIXED, type);
  return value && value.length >= 4 ? loadLe32(value, 0) : 0;
}
