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
  dumpError,
  emitMessage,
  errorOf,
  FLAG,
  type Message,
  parseAttributes,
  parseMessages,
  TYPE,
  u32,
} from '../wire/netlink.js';
import {
  emitLink,
  LINK_FIXED,
  type Link,
  type LinkSettings,
  parseLink,
} from '../wire/netlink_link.js';
import {
  emitRoute,
  parseLeastMtu,
  parseDestinations,
  parseRouteKeys,
  ROUTE_FIXED,
  type Route,
  RTA,
  RTAX_MTU,
  routeTable,
} from '../wire/netlink_route.js';
import {
  emitRule,
  type FoundRule,
  formatRule,
  parseRule,
  type Rule,
} from '../wire/netlink_rule.js';
import type { Addon } from './native.js';

const AF: Record<Family, number> = { 4: 2, 6: 10 };
const ADDRESS_FIXED = 8;
const RULE_FIXED = 12;
const IFA = { address: 1, local: 2 };
const IFA_F_NODAD = 0x02;
/**
 * Who made a route or rule, among the numbers free for anybody: tells heddle's from others', and
 * what is taken back must carry it. `ip` shows it as `proto 104`.
 */
export const PROTOCOL_HEDDLE = 104;
/** `site` and what administrators name lie between the universe and the link. */
const RT_SCOPE_LINK = 253;
const ROUTES_PER_REQUEST = 500;

/** An address, and where it is. */
export interface PlacedAddress {
  readonly interfaceIndex: number;
  readonly address: InterfaceAddress;
  /** It means the same host everywhere, unlike `127.0.0.1` or `fe80::1`. */
  readonly isGlobal: boolean;
}

/** What the way to a destination is now. */
export interface RouteLookup {
  readonly interfaceIndex: number;
  /** The route's own MTU; absent where it has none. */
  readonly mtu: number | undefined;
  /** By whom and from where, for comparing. */
  readonly via: string;
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
      .map(({ body }) => parseLink(body));
  }

  /** Each setting that is given is set. */
  setLink(link: { readonly index: number; readonly name: string }, to: LinkSettings): void {
    const { fixed, attributes } = emitLink(link.index, to);
    this.#ask(`Set up link "${link.name}"`, { type: TYPE.newLink, flags: 0 }, fixed, attributes);
  }

  deleteLink(link: { readonly index: number; readonly name: string }): void {
    const { fixed } = emitLink(link.index);
    this.#ask(`Delete link "${link.name}"`, { type: TYPE.deleteLink, flags: 0 }, fixed, []);
  }

  addresses(): PlacedAddress[] {
    const request = { type: TYPE.getAddress, flags: FLAG.dump };
    return this.#ask('List addresses', request, new Uint8Array(ADDRESS_FIXED), [])
      .filter((message) => message.type === TYPE.newAddress)
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

  /**
   * Adds all of them, or none: where one is refused, those before and behind it are taken back, and
   * the error names it.
   */
  addRoutes(routes: readonly Route[]): void {
    const added: Route[] = [];
    for (const batch of inBatches(routes)) {
      const refused = this.addEachRoute(batch);
      added.push(...batch.filter((route) => !refused.has(route)));
      const [error] = refused.values();
      if (!error) continue;
      this.deleteRoutes(added);
      throw error;
    }
  }

  /**
   * Adds those that the kernel takes; the others with why not: EEXIST where the same destination is
   * in the table already.
   */
  addEachRoute(routes: readonly Route[]): Map<Route, NetlinkError> {
    return this.#askRoutes('Add', TYPE.newRoute, FLAG.create | FLAG.exclusive, routes);
  }

  /**
   * Deletes those that are there; the others with why not. Of several to a destination it is only
   * one that heddle made.
   */
  deleteRoutes(routes: readonly Route[]): Map<Route, NetlinkError> {
    return this.#askRoutes('Delete', TYPE.deleteRoute, 0, routes);
  }

  /** By `routeKey`, heddle's routes of the family that lead to the interface. */
  ownRoutes(family: Family, interfaceIndex: number): Set<string> {
    const wanted = { protocol: PROTOCOL_HEDDLE, interfaceIndex };
    return parseRouteKeys(this.#dumpRoutes(family), wanted);
  }

  /** The least MTU that a route of the family to the interface sets, whoever made it; 0: none. */
  leastRouteMtu(family: Family, interfaceIndex: number): number {
    return parseLeastMtu(this.#dumpRoutes(family), interfaceIndex);
  }

  /** Where the host's routes of the family lead to, in whatever table, but by this interface. */
  destinations(family: Family, interfaceIndex: number): Prefix[] {
    return parseDestinations(this.#dumpRoutes(family), interfaceIndex);
  }

  #dumpRoutes(family: Family): Uint8Array {
    const fixed = new Uint8Array(ROUTE_FIXED);
    fixed[0] = AF[family];
    const request = emitMessage(
      { type: TYPE.getRoute, flags: FLAG.dump | FLAG.request },
      fixed,
      [],
    );
    const reply = this.#addon.netlinkRequest(request);
    const errno = typeof reply === 'number' ? -reply : dumpError(reply);
    if (typeof reply === 'number' || errno > 0) {
      throw new NetlinkError('List routes', this.#addon.errnoName(errno));
    }
    return reply;
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
    const via = [RTA.gateway, RTA.preferredSource].map((type) => found.get(type)?.join('.'));
    return {
      interfaceIndex: loadU32(found.get(RTA.outInterface)),
      mtu: mtu && loadU32(mtu),
      via: via.join(),
    };
  }

  /** Whether the table has any route of the family. */
  isTableInUse(family: Family, table: number): boolean {
    const fixed = new Uint8Array(ROUTE_FIXED);
    fixed[0] = AF[family];
    const request = { type: TYPE.getRoute, flags: FLAG.dump };
    return this.#ask('List routes', request, fixed, [])
      .filter((message) => message.type === TYPE.newRoute)
      .some(({ body }) => routeTable(body) === table);
  }

  rules(family: Family): FoundRule[] {
    const fixed = new Uint8Array(RULE_FIXED);
    fixed[0] = AF[family];
    return this.#ask('List rules', { type: TYPE.getRule, flags: FLAG.dump }, fixed, [])
      .filter((message) => message.type === TYPE.newRule)
      .flatMap((message) => parseRule(message.body) ?? []);
  }

  /** Two equal rules may stand side by side; deleting takes one of heddle's away. */
  addRule(rule: Rule): void {
    this.#askRule('Add', { type: TYPE.newRule, flags: FLAG.create }, rule);
  }

  deleteRule(rule: Rule): void {
    this.#askRule('Delete', { type: TYPE.deleteRule, flags: 0 }, rule);
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

  #askRoutes(
    verb: string,
    type: number,
    flags: number,
    routes: readonly Route[],
  ): Map<Route, NetlinkError> {
    const refused = new Map<Route, NetlinkError>();
    for (const batch of inBatches(routes)) {
      const errnos = this.#tryRoutes({ type, flags }, batch);
      for (const [i, route] of batch.entries()) {
        const errno = errnos[i] ?? 0;
        if (errno === 0) continue;
        const action = `${verb} route "${route.prefix.text}"`;
        refused.set(route, new NetlinkError(action, this.#addon.errnoName(errno)));
      }
    }
    return refused;
  }

  /** The positive errno of each, 0 where the kernel took it. */
  #tryRoutes(request: { type: number; flags: number }, routes: readonly Route[]): number[] {
    const flags = request.flags | FLAG.request | FLAG.acknowledge;
    const messages = routes.map((route) => {
      const { fixed, attributes } = emitRoute(route, PROTOCOL_HEDDLE);
      return emitMessage({ type: request.type, flags }, fixed, attributes);
    });
    const reply = this.#addon.netlinkRequest(concat(...messages));
    if (typeof reply === 'number') return routes.map(() => -reply);
    // Each request has one answer, in their order.
    return parseMessages(reply).map(errorOf);
  }

  #askRule(verb: string, request: { type: number; flags: number }, rule: Rule): void {
    const { fixed, attributes } = emitRule(rule, PROTOCOL_HEDDLE);
    this.#ask(`${verb} rule "${formatRule(rule)}"`, request, fixed, attributes);
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

function inBatches(routes: readonly Route[]): (readonly Route[])[] {
  const count = Math.ceil(routes.length / ROUTES_PER_REQUEST);
  return Array.from({ length: count }, (_, i) =>
    routes.slice(i * ROUTES_PER_REQUEST, (i + 1) * ROUTES_PER_REQUEST),
  );
}

function parseInterfaceAddress({ body }: Message): PlacedAddress {
  const attributes = parseAttributes(body, ADDRESS_FIXED);
  const family: Family = loadLe16(body, 0) % 256 === AF[4] ? 4 : 6;
  const bytes = attributes.get(IFA.local) ?? attributes.get(IFA.address) ?? new Uint8Array(16);
  const address = addressFromBytes(bytes, 0, family);
  const length = body[1] ?? 0;
  return {
    interfaceIndex: loadLe32(body, 4),
    address: { address, length, text: `${address.text}/${length}` },
    isGlobal: (body[3] ?? RT_SCOPE_LINK) < RT_SCOPE_LINK,
  };
}

function loadU32(value: Uint8Array | undefined): number {
  return value ? loadLe32(value, 0) : 0;
}
