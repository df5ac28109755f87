/** The routes that a plan leads into the tunnel's interface; there may be 100,000 of them. */

import type { Family } from '../base/address.js';
import { type Route, routeKey } from '../wire/netlink_route.js';
import type { Repaired } from './host_addresses.js';
import { isGone, isWithoutIpv6, unlessWithoutIpv6 } from './host_errors.js';
import type { Netlink } from './netlink.js';

type RouteNetlink = Pick<Netlink, 'addRoutes' | 'addEachRoute' | 'deleteRoutes' | 'ownRoutes'>;
export type PlannedRoute = Omit<Route, 'interfaceIndex'>;

const FAMILIES = [4, 6] as const;

export class HostRoutes {
  readonly #netlink: RouteNetlink;
  /** By `routeKey`. */
  readonly #ours: Record<Family, Map<string, PlannedRoute>> = { 4: new Map(), 6: new Map() };

  constructor(netlink: RouteNetlink) {
    this.#netlink = netlink;
  }

  /**
   * Adds those that are not ours yet; on an interface that is down, where the kernel takes none,
   * they wait for `repair`. Throws NetlinkError, and then none of them is added. `skipped` takes
   * why the kernel refused what needs IPv6, where that is off.
   */
  add(
    link: { readonly index: number; readonly isUp: boolean },
    wanted: readonly PlannedRoute[],
    skipped: string[],
  ): PlannedRoute[] {
    const fresh = wanted.filter((route) => !this.#of(route).has(routeKey(route)));
    const added: PlannedRoute[] = [];
    try {
      for (const family of FAMILIES) {
        const routes = fresh.filter(({ prefix }) => prefix.address.family === family);
        if (link.isUp && !this.#tryAdd(link.index, { routes, family, skipped })) continue;
        for (const route of routes) this.#of(route).set(routeKey(route), route);
        for (const route of routes) added.push(route);
      }
    } catch (error) {
      this.delete(link.index, added);
      throw error;
    }
    return added;
  }

  /** Deletes ours but these. */
  keepOnly(index: number, wanted: readonly PlannedRoute[]): void {
    const kept: Record<Family, Set<string>> = { 4: new Set(), 6: new Set() };
    for (const route of wanted) kept[route.prefix.address.family].add(routeKey(route));
    for (const family of FAMILIES) {
      const others = [...this.#ours[family]].filter(([key]) => !kept[family].has(key));
      this.delete(
        index,
        others.map(([, route]) => route),
      );
    }
  }

  /** What is gone already is no fault. */
  delete(index: number, routes: readonly PlannedRoute[]): void {
    for (const route of routes) this.#of(route).delete(routeKey(route));
    const refused = [...this.#netlink.deleteRoutes(placed(index, routes)).values()];
    const fault = refused.find((error) => !isGone(error));
    if (fault) throw fault;
  }

  /** Adds again those of ours that the kernel does not have: one dump of each family with any. */
  repair(index: number): Repaired {
    let count = 0;
    const refusals: string[] = [];
    for (const family of FAMILIES) {
      const ours = this.#ours[family];
      if (ours.size === 0) continue;
      const there = unlessWithoutIpv6(family, () => this.#netlink.ownRoutes(family, index));
      const missing: PlannedRoute[] = [];
      for (const [key, route] of ours) if (!there?.has(key)) missing.push(route);
      const refused = this.#netlink.addEachRoute(placed(index, missing));
      count += missing.length - refused.size;
      refusals.push(...[...refused.values()].map(({ message }) => message));
    }
    return { count, refusals };
  }

  /** False when the host has no IPv6. */
  #tryAdd(
    index: number,
    what: { routes: readonly PlannedRoute[]; family: Family; skipped: string[] },
  ): boolean {
    try {
      this.#netlink.addRoutes(placed(index, what.routes));
      return true;
    } catch (error) {
      if (!isWithoutIpv6(error, what.family)) throw error;
      what.skipped.push(...what.routes.map(() => error.message));
      return false;
    }
  }

  #of({ prefix }: PlannedRoute): Map<string, PlannedRoute> {
    return this.#ours[prefix.address.family];
  }
}

function placed(interfaceIndex: number, routes: readonly PlannedRoute[]): Route[] {
  return routes.map((route) => ({ ...route, interfaceIndex }));
}
