/**
 * Links, addresses, routes and rules of this network namespace, through rtnetlink. Every call is
 * synchronous and short.
 */

import {
  type Address,
  addressFromBytes,
  bitsOf,
  type Family,
  type InterfaceAddress,
  type Prefix,
} from '../base/address.js';
import { concat, loadLe16, loadLe32, storeLe32 } from '../base/bytes.js';
import {
  type Attribute,
  emitMessage,
  errorOf,
  FLAG,
  type Message,
  parseAttributes,
  parseMessages,
  readText,
  TYPE,
  u32,
} from '../wire/netlink.js';
import type { Addon } from './native.js';

const AF: Record<Family, number> = { 4: 2, 6: 10 };
const LINK_FIXED = 16;
const ADDRESS_FIXED = 8;
const ROUTE_FIXED = 12;
const IFF_UP = 1;
const IFLA = { name: 3, mtu: 4, transmitQueueLength: 13 };
const IFA = { address: 1, local: 2 };
const IFA_F_NODAD = 0x02;
const RTA = { destination: 1, outInterface: 4, metrics: 8, table: 15, mark: 16 };
const RTAX_MTU = 2;
const RT_TABLE_MAIN = 254;
/**
 * Who made a route or rule, among the numbers free for anybody: tells heddle's from others', and
 * what is taken back must carry it. `ip` shows it as `proto 104`.
 */
const PROTOCOL_HEDDLE = 104;
const RT_SCOPE_UNIVERSE = 0;
const RT_SCOPE_LINK = 253;
const RTN_UNICAST = 1;
const FRA = { mark: 10, suppressPrefixLength: 14, table: 15, protocol: 21 };
const FR_ACT_TO_TBL = 1;
const FIB_RULE_INVERT = 2;
const ROUTES_PER_REQUEST = 500;

export interface Link {
  readonly index: number;
  readonly name: string;
  readonly mtu: number;
  readonly isUp: boolean;
}

export interface Route {
  readonly prefix: Prefix;
  readonly interfaceIndex: number;
  /** The main table where absent. */
  readonly table?: number;
}

/**
 * Traffic (not) carrying `mark` looks in `table`; or, with `suppressDefault`, in `table` for all
 * but a default route.
 */
export interface Rule {
  readonly family: Family;
  readonly table: number;
  readonly notMark?: number;
  readonly suppressDefault?: boolean;
}

/** What the way to a destination is now. */
export interface RouteLookup {
  readonly interfaceIndex: number;
  /** The route's own MTU; absent where it has none. */
  readonly mtu: number | undefined;
}

/** The kernel refused a request: which, why, and what to do. */
export class NetlinkError extends Error {
  override readonly name = 'NetlinkError';
  readonly code: string;

  constructor(action: string, code: string) {
    const advice = ADVICE[code];
    super(`${action}: ${code}${advice ? `; ${advice}` : ''}`);
    this.code = code;
  }
}

const ADVICE: Readonly<Record<string, string>> = {
  EPERM: 'heddle needs CAP_NET_ADMIN: run it as root',
  EEXIST: 'another program has set it up already: remove that, or use `table: off`',
  EACCES: 'IPv6 may be off on this host or interface (net.ipv6.conf.*.disable_ipv6)',
  EOPNOTSUPP: 'this kernel lacks the feature, or IPv6 is off',
};

export class Netlink {
  readonly #addon: Addon;

  constructor(addon: Addon) {
    this.#addon = addon;
  }

  linkByName(name: string): Link | undefined {
    return this.links().find((link) => link.name === name);
  }

  linkByIndex(index: number): Link | undefined {
    return this.links().find((link) => link.index === index);
  }

  links(): Link[] {
    const request = { type: TYPE.getLink, flags: FLAG.dump };
    return this.#ask('List links', request, new Uint8Array(LINK_FIXED), [])
      .filter((message) => message.type === TYPE.newLink)
      .map(parseLink);
  }

  /** Each setting that is given is set. */
  setLink(
    link: { readonly index: number; readonly name: string },
    to: { readonly mtu?: number; readonly isUp?: boolean; readonly transmitQueueLength?: number },
  ): void {
    const fixed = new Uint8Array(LINK_FIXED);
    storeLe32(fixed, 4, link.index);
    storeLe32(fixed, 8, to.isUp ? IFF_UP : 0);
    storeLe32(fixed, 12, to.isUp === undefined ? 0 : IFF_UP);
    const attributes: Attribute[] = [];
    if (to.mtu !== undefined) attributes.push(u32(IFLA.mtu, to.mtu));
    if (to.transmitQueueLength !== undefined) {
      attributes.push(u32(IFLA.transmitQueueLength, to.transmitQueueLength));
    }
    this.#ask(`Set up link "${link.name}"`, { type: TYPE.newLink, flags: 0 }, fixed, attributes);
  }

  deleteLink(link: { readonly index: number; readonly name: string }): void {
    const fixed = new Uint8Array(LINK_FIXED);
    storeLe32(fixed, 4, link.index);
    this.#ask(`Delete link "${link.name}"`, { type: TYPE.deleteLink, flags: 0 }, fixed, []);
  }

  addresses(interfaceIndex: number): InterfaceAddress[] {
    const request = { type: TYPE.getAddress, flags: FLAG.dump };
    return this.#ask('List addresses', request, new Uint8Array(ADDRESS_FIXED), [])
      .filter((message) => message.type === TYPE.newAddress)
      .filter((message) => loadLe32(message.body, 4) === interfaceIndex)
      .map(parseInterfaceAddress);
  }

  /** An IPv6 address is usable at once: duplicate detection has nobody to ask on a tunnel. */
  addAddress(interfaceIndex: number, address: InterfaceAddress): void {
    const request = { type: TYPE.newAddress, flags: FLAG.create | FLAG.exclusive };
    this.#askAddress(`Add address "${address.text}"`, request, interfaceIndex, address);
  }

  deleteAddress(interfaceIndex: number, address: InterfaceAddress): void {
    const request = { type: TYPE.deleteAddress, flags: 0 };
    this.#askAddress(`Delete address "${address.text}"`, request, interfaceIndex, address);
  }

  /** Fails with EEXIST where the same destination is in the table already. */
  addRoute(route: Route): void {
    const request = { type: TYPE.newRoute, flags: FLAG.create | FLAG.exclusive };
    this.#askRoute(`Add route "${route.prefix.text}"`, request, route);
  }

  /**
   * Adds all of them, or none: where one is refused, those before and behind it are taken back, and
   * the error names it.
   */
  addRoutes(routes: readonly Route[]): void {
    const request = { type: TYPE.newRoute, flags: FLAG.create | FLAG.exclusive };
    const added: Route[] = [];
    for (let at = 0; at < routes.length; at += ROUTES_PER_REQUEST) {
      const batch = routes.slice(at, at + ROUTES_PER_REQUEST);
      const errnos = this.#tryRoutes(request, batch);
      added.push(...batch.filter((_, i) => errnos[i] === 0));
      const failed = errnos.findIndex((errno) => errno !== 0);
      if (failed < 0) continue;
      this.#takeBack(added);
      const code = this.#addon.errnoName(errnos[failed] ?? 0);
      throw new NetlinkError(`Add route "${batch[failed]?.prefix.text}"`, code);
    }
  }

  /** Of several to the destination, only one that heddle made. */
  deleteRoute(route: Route): void {
    const request = { type: TYPE.deleteRoute, flags: 0 };
    this.#askRoute(`Delete route "${route.prefix.text}"`, request, route);
  }

  /** Where a packet to `destination` would go now; undefined when nowhere. */
  lookUpRoute(destination: Address, mark: number): RouteLookup | undefined {
    const fixed = new Uint8Array(ROUTE_FIXED);
    fixed[0] = AF[destination.family];
    fixed[1] = bitsOf(destination.family);
    const attributes = [{ type: RTA.destination, value: destination.bytes }, u32(RTA.mark, mark)];
    const code = { type: TYPE.getRoute, flags: 0 };
    const replies = this.#try(code, fixed, attributes);
    const reply = replies.messages.find((message) => message.type === TYPE.newRoute);
    if (!reply) return undefined;
    const found = parseAttributes(reply.body, ROUTE_FIXED);
    const metrics = parseAttributes(found.get(RTA.metrics) ?? new Uint8Array(0), 0);
    const mtu = metrics.get(RTAX_MTU);
    return { interfaceIndex: loadU32(found.get(RTA.outInterface)), mtu: mtu && loadU32(mtu) };
  }

  /** Whether the table has any route of the family. */
  isTableInUse(family: Family, table: number): boolean {
    const fixed = new Uint8Array(ROUTE_FIXED);
    fixed[0] = AF[family];
    const request = { type: TYPE.getRoute, flags: FLAG.dump };
    return this.#ask('List routes', request, fixed, [])
      .filter((message) => message.type === TYPE.newRoute)
      .some(
        (message) => loadU32(parseAttributes(message.body, ROUTE_FIXED).get(RTA.table)) === table,
      );
  }

  /** Two equal rules may stand side by side; deleting takes one of heddle's away. */
  addRule(rule: Rule): void {
    const request = { type: TYPE.newRule, flags: FLAG.create };
    this.#askRule(`Add rule for table ${rule.table}`, request, rule);
  }

  deleteRule(rule: Rule): void {
    this.#askRule(`Delete rule for table ${rule.table}`, { type: TYPE.deleteRule, flags: 0 }, rule);
  }

  #askAddress(
    action: string,
    request: { type: number; flags: number },
    interfaceIndex: number,
    { address, length }: InterfaceAddress,
  ): void {
    const fixed = new Uint8Array(ADDRESS_FIXED);
    fixed[0] = AF[address.family];
    fixed[1] = length;
    fixed[2] = address.family === 6 ? IFA_F_NODAD : 0;
    storeLe32(fixed, 4, interfaceIndex);
    const attributes = [
      { type: IFA.local, value: address.bytes },
      { type: IFA.address, value: address.bytes },
    ];
    this.#ask(action, request, fixed, attributes);
  }

  #askRoute(action: string, request: { type: number; flags: number }, route: Route): void {
    const { fixed, attributes } = routeParts(route);
    this.#ask(action, request, fixed, attributes);
  }

  /** The positive errno of each, 0 where the kernel took it. */
  #tryRoutes(request: { type: number; flags: number }, routes: readonly Route[]): number[] {
    const flags = request.flags | FLAG.request | FLAG.acknowledge;
    const messages = routes.map((route) => {
      const { fixed, attributes } = routeParts(route);
      return emitMessage({ type: request.type, flags }, fixed, attributes);
    });
    const reply = this.#addon.netlinkRequest(concat(...messages));
    if (typeof reply === 'number') return routes.map(() => -reply);
    // Each request has one answer, in their order.
    return parseMessages(reply).map(errorOf);
  }

  #takeBack(routes: readonly Route[]): void {
    for (let at = 0; at < routes.length; at += ROUTES_PER_REQUEST) {
      const batch = routes.slice(at, at + ROUTES_PER_REQUEST);
      this.#tryRoutes({ type: TYPE.deleteRoute, flags: 0 }, batch);
    }
  }

  #askRule(action: string, request: { type: number; flags: number }, rule: Rule): void {
    const fixed = new Uint8Array(ROUTE_FIXED);
    fixed[0] = AF[rule.family];
    fixed[4] = rule.table < 256 ? rule.table : 0;
    fixed[7] = FR_ACT_TO_TBL;
    storeLe32(fixed, 8, rule.notMark === undefined ? 0 : FIB_RULE_INVERT);
    const attributes = [
      u32(FRA.table, rule.table),
      { type: FRA.protocol, value: Uint8Array.of(PROTOCOL_HEDDLE) },
    ];
    if (rule.notMark !== undefined) attributes.push(u32(FRA.mark, rule.notMark));
    if (rule.suppressDefault) attributes.push(u32(FRA.suppressPrefixLength, 0));
    this.#ask(action, request, fixed, attributes);
  }

  /** The replies; throws NetlinkError where the kernel refused. */
  #ask(
    action: string,
    head: { type: number; flags: number },
    fixed: Uint8Array,
    attributes: readonly Attribute[],
  ): Message[] {
    const { messages, errno } = this.#try(head, fixed, attributes);
    if (errno > 0) throw new NetlinkError(action, this.#addon.errnoName(errno));
    return messages;
  }

  #try(
    head: { type: number; flags: number },
    fixed: Uint8Array,
    attributes: readonly Attribute[],
  ): { messages: Message[]; errno: number } {
    const wanted = head.flags === FLAG.dump ? 0 : FLAG.acknowledge;
    const flags = head.flags | FLAG.request | wanted;
    const reply = this.#addon.netlinkRequest(emitMessage({ ...head, flags }, fixed, attributes));
    if (typeof reply === 'number') return { messages: [], errno: -reply };
    const messages = parseMessages(reply);
    const failed = messages.find((message) => errorOf(message) > 0);
    return { messages, errno: failed ? errorOf(failed) : 0 };
  }
}

function routeParts(route: Route): { fixed: Uint8Array; attributes: Attribute[] } {
  const { address, length } = route.prefix;
  const fixed = new Uint8Array(ROUTE_FIXED);
  fixed[0] = AF[address.family];
  fixed[1] = length;
  const table = route.table ?? RT_TABLE_MAIN;
  fixed[4] = table < 256 ? table : 0;
  fixed[5] = PROTOCOL_HEDDLE;
  fixed[6] = address.family === 4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  fixed[7] = RTN_UNICAST;
  const attributes = [u32(RTA.outInterface, route.interfaceIndex), u32(RTA.table, table)];
  if (length > 0) attributes.unshift({ type: RTA.destination, value: address.bytes });
  return { fixed, attributes };
}

function parseLink({ body }: Message): Link {
  const attributes = parseAttributes(body, LINK_FIXED);
  return {
    index: loadLe32(body, 4),
    name: readText(attributes.get(IFLA.name)),
    mtu: loadU32(attributes.get(IFLA.mtu)),
    isUp: (loadLe32(body, 8) & IFF_UP) !== 0,
  };
}

function parseInterfaceAddress({ body }: Message): InterfaceAddress {
  const attributes = parseAttributes(body, ADDRESS_FIXED);
  const family: Family = loadLe16(body, 0) % 256 === AF[4] ? 4 : 6;
  const bytes = attributes.get(IFA.local) ?? attributes.get(IFA.address) ?? new Uint8Array(16);
  const address = addressFromBytes(bytes, 0, family);
  const length = body[1] ?? 0;
  return { address, length, text: `${address.text}/${length}` };
}

function loadU32(value: Uint8Array | undefined): number {
  return value ? loadLe32(value, 0) : 0;
}
