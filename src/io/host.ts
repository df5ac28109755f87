/**
 * Carries a host plan out through netlink, follows a changed one, puts right what others change of
 * it, and takes it back. What was made is remembered, so that nothing else is touched, and a plan
 * that fails midway leaves nothing behind.
 *
 * What others do is not remembered but looked up: `reconcile` reads what there is and adds what is
 * missing. An interface that is down is left down, since somebody wants it so; its routes, which
 * the kernel took away, come back with it. One that is gone is for the caller to make again.
 */

import { writeFileSync } from 'node:fs';
import type { Address, Endpoint, InterfaceAddress } from '../base/address.js';
import type { Log } from '../base/log.js';
import { FIRST_TABLE, type HostPlan, type HostStep } from '../route/host_plan.js';
import type { Link } from '../wire/netlink_link.js';
import { HostAddresses, type Repaired } from './host_addresses.js';
import { unlessWithoutIpv6 } from './host_errors.js';
import { HostRoutes, type PlannedRoute } from './host_routes.js';
import { type HostJournal, HostRuleSet } from './host_rule_set.js';
import { type Netlink, NetlinkError, PROTOCOL_HEDDLE } from './netlink.js';
import { ANYWHERE, readUnderlay, type Surroundings, type Underlay } from './underlay.js';
import { turnOffValidMark, turnOnValidMark } from './valid_mark.js';

/** Packets that the interface holds while the tunnel is busy; the kernel's 500 drops in bursts. */
const TRANSMIT_QUEUE = 1000;
const FAMILIES = [4, 6] as const;
const NOTHING: HostPlan = { steps: [], mark: 0 };
/** Of the loopback interface. */
const LOOPBACK_MTU = 65_536;

export type RepairKind = 'link' | 'mtu' | 'address' | 'route' | 'rule' | 'sysctl';

export interface Reconciling {
  readonly destinations?: readonly Address[];
  readonly skipRoutes?: boolean;
}

export interface Reconciled {
  /** `down`: somebody set it down. `gone`: it was deleted, or moved to another namespace. */
  readonly link: 'up' | 'down' | 'gone';
  /** How many of each kind were put right. */
  readonly repairs: ReadonlyMap<RepairKind, number>;
  /** Why some could not be put right. */
  readonly refusals: readonly string[];
  /** Differs when the host's other interfaces, or the ways to the destinations, changed. */
  readonly underlay: Surroundings;
  /** The least MTU that a route into the tunnel sets, 0 for none; absent where it was not read. */
  readonly routeMtu: number | undefined;
}

export class Host {
  readonly #netlink: Netlink;
  readonly #log: Log;
  readonly #addresses: HostAddresses;
  readonly #routes: HostRoutes;
  readonly #rules: HostRuleSet;
  #plan = NOTHING;
  #link: Link | undefined;
  /** Who could not write it once has said so. */
  #isValidMarkRefused = false;

  constructor(netlink: Netlink, log: Log, journal: HostJournal = { note: () => {} }) {
    this.#netlink = netlink;
    this.#log = log;
    this.#addresses = new HostAddresses(netlink);
    this.#routes = new HostRoutes(netlink);
    this.#rules = new HostRuleSet(netlink, journal);
  }

  /** The interface as the kernel tells of it now; undefined when it is gone. */
  link(): Link | undefined {
    return this.#netlink.linkByIndex(this.#link?.index ?? 0);
  }

  /** The interface's name, which others may have changed. */
  get interfaceName(): string {
    return this.#link?.name ?? '';
  }

  /** Carries the plan out on the interface. Throws NetlinkError, and then nothing of it is left. */
  apply(interfaceName: string, plan: HostPlan): void {
    this.#link = this.#require(interfaceName);
    this.#setUp(this.#link, plan);
    this.update(plan);
  }

  /**
   * Makes this the plan: adds what is new, takes back what is no longer in it, and leaves alone
   * what stays. Throws NetlinkError, and then the plan before is still in force.
   */
  update(plan: HostPlan): void {
    const link = this.link();
    if (!link) throw new NetlinkError('Change the settings of the interface', 'ENODEV');
    const skipped: string[] = [];
    this.#add(link, plan, skipped);
    this.#limitGso(link, plan);
    this.#plan = plan;
    if (skipped[0] !== undefined) {
      const fields = { first: skipped[0], steps: skipped.length };
      this.#log.warn('IPv6 is off here: its addresses and routes are skipped', fields);
    }
    this.#keepOnly(link, plan);
  }

  /** Takes back everything that `apply` did. What is gone already is no fault. */
  remove(): void {
    this.#plan = NOTHING;
    if (this.#link) this.#keepOnly(this.#link, NOTHING);
  }

  /**
   * The interface was made again and has this name. Puts on it what the plan wants; rules are where
   * they were. Throws NetlinkError.
   */
  reattach(interfaceName: string): void {
    this.#link = this.#require(interfaceName);
    this.#setUp(this.#link, this.#plan);
    this.reconcile();
  }

  /**
   * Puts right what others changed. Ways to `destinations` are a part of the underlay. To read
   * 100,000 routes takes some 200 ms, which `skipRoutes` saves. Throws NetlinkError where the
   * kernel cannot be asked.
   */
  reconcile({ destinations = [], skipRoutes = false }: Reconciling = {}): Reconciled {
    const links = this.#netlink.links();
    const link = links.find(({ index }) => index === this.#link?.index);
    if (link) this.#link = link;
    const placed = this.#netlink.addresses();
    const asked = { links, placed, destinations, ownIndex: link?.index, mark: this.#plan.mark };
    const underlay = readUnderlay({ netlink: this.#netlink, ...asked });
    const outcomes = new Map<RepairKind, Repaired>();
    if (link) outcomes.set('mtu', this.#repairMtu(link));
    if (link?.isUp) {
      outcomes.set('address', this.#addresses.repair(link.index, placed));
      // With the last address of a family the kernel takes its routes away.
      if (!skipRoutes) outcomes.set('route', this.#routes.repair(link.index));
    }
    outcomes.set('rule', this.#rules.repair(this.#plan, this.#surroundings(underlay)));
    if (this.#setValidMark(this.#plan)) outcomes.set('sysctl', { count: 1, refusals: [] });
    const repaired = [...outcomes].filter(([, { count }]) => count > 0);
    return {
      link: link ? (link.isUp ? 'up' : 'down') : 'gone',
      repairs: new Map(repaired.map(([kind, { count }]) => [kind, count])),
      refusals: [...outcomes.values()].flatMap(({ refusals }) => refusals),
      underlay,
      routeMtu: link?.isUp && !skipRoutes ? this.#leastRouteMtu(link.index) : undefined,
    };
  }

  /**
   * The MTUs on the ways to the endpoints, or on the default routes where there is no way to any;
   * the named interface is no way.
   */
  underlayMtus(endpoints: readonly Endpoint[], interfaceName: string): number[] {
    const mtus = this.#mtusTo(
      endpoints.map(({ address }) => address),
      interfaceName,
    );
    if (mtus.length > 0) return mtus;
    // Where no route leads out, IPv6 names the loopback interface, which leads nowhere.
    return this.#mtusTo(ANYWHERE, interfaceName).filter((mtu) => mtu < LOOPBACK_MTU);
  }

  /** A routing table number, usable as a mark, that holds no route and that no rule names. */
  freeTable(): number {
    const named = new Set(
      FAMILIES.flatMap(
        (family) => unlessWithoutIpv6(family, () => this.#netlink.rules(family)) ?? [],
      ).flatMap(({ rule }) => rule.table ?? []),
    );
    const isTaken = (table: number): boolean =>
      named.has(table) || FAMILIES.some((family) => this.#netlink.isTableInUse(family, table));
    let table = FIRST_TABLE;
    while (isTaken(table)) table++;
    return table;
  }

  #leastRouteMtu(index: number): number {
    const least = FAMILIES.map(
      (family) => unlessWithoutIpv6(family, () => this.#netlink.leastRouteMtu(family, index)) ?? 0,
    ).filter((mtu) => mtu !== 0);
    return least.length > 0 ? Math.min(...least) : 0;
  }

  #mtusTo(addresses: readonly Address[], interfaceName: string): number[] {
    const links = new Map(this.#netlink.links().map((link) => [link.index, link]));
    return addresses.flatMap((address) => {
      const way = this.#netlink.lookUpRoute(address, 0);
      const link = way && links.get(way.interfaceIndex);
      return link && link.name !== interfaceName ? [way.mtu ?? link.mtu] : [];
    });
  }

  #require(interfaceName: string): Link {
    const link = this.#netlink.linkByName(interfaceName);
    if (!link) throw new NetlinkError(`Find interface "${interfaceName}"`, 'ENODEV');
    return link;
  }

  /** The interface is the hand's and goes with it, so there is nothing to take back. */
  #setUp(link: Link, plan: HostPlan): void {
    const mtu = mtuOf(plan) ?? link.mtu;
    this.#netlink.setLink(link, { mtu, transmitQueueLength: TRANSMIT_QUEUE, isUp: true });
    this.#limitGso(link, plan);
  }

  /** Kernels before 4.16 take no limit; then a super-packet is sent in two. */
  #limitGso(link: Link, plan: HostPlan): void {
    const limits = linkOf(plan)?.gso;
    if (limits) attempt(() => this.#netlink.setLink(link, limits));
  }

  /** Adds what the plan has and is not there, all or none. */
  #add(link: Link, plan: HostPlan, skipped: string[]): void {
    const mtu = mtuOf(plan);
    const undo: (() => void)[] = [];
    try {
      if (mtu !== undefined && mtu !== mtuOf(this.#plan) && this.#plan !== NOTHING) {
        this.#netlink.setLink(link, { mtu });
        undo.push(() => this.#repairMtu({ ...link, mtu }));
      }
      const addresses = this.#addresses.add(link.index, addressesOf(plan), skipped);
      undo.push(() => this.#addresses.delete(link.index, addresses));
      const routes = this.#routes.add(link, routesOf(plan), skipped);
      undo.push(() => this.#routes.delete(link.index, routes));
      const rules = this.#rules.add(plan, this.#surroundings(), skipped);
      undo.push(() => this.#rules.delete(rules));
      this.#setValidMark(plan);
    } catch (error) {
      for (const step of undo.reverse()) this.#takeBack(step);
      throw error;
    }
  }

  /** Takes back what is ours and not in the plan. */
  #keepOnly(link: Link, plan: HostPlan): void {
    this.#takeBack(() => this.#rules.keepOnly(plan, this.#surroundings()));
    this.#takeBack(() => this.#clearValidMark(plan));
    this.#takeBack(() => this.#routes.keepOnly(link.index, routesOf(plan)));
    this.#takeBack(() => this.#deleteAddresses(link, addressesOf(plan)));
  }

  #deleteAddresses(link: Link, kept: readonly InterfaceAddress[]): void {
    // So that with the first address of a network the others do not go, too.
    if (kept.length > 0) attempt(() => writeFileSync(promotionPath(link.name), '1'));
    this.#addresses.keepOnly(link.index, kept);
  }

  #takeBack(undo: () => void): void {
    try {
      undo();
    } catch (error) {
      this.#log.warn('could not take back a host setting', { error: String(error) });
    }
  }

  #repairMtu(link: Link): Repaired {
    const mtu = mtuOf(this.#plan);
    if (mtu === undefined || mtu === link.mtu) return { count: 0, refusals: [] };
    try {
      this.#netlink.setLink(link, { mtu });
      return { count: 1, refusals: [] };
    } catch (error) {
      if (!(error instanceof NetlinkError)) throw error;
      return { count: 0, refusals: [error.message] };
    }
  }

  #surroundings(underlay: Underlay = this.#readUnderlay()): {
    interfaceName: string;
    underlay: readonly Address[];
  } {
    return { interfaceName: this.interfaceName, underlay: underlay.addresses };
  }

  #readUnderlay(): Underlay {
    const netlink = this.#netlink;
    const [links, placed] = [netlink.links(), netlink.addresses()];
    const asked = { links, placed, ownIndex: this.#link?.index, destinations: [], mark: 0 };
    return readUnderlay({ netlink, ...asked });
  }

  /** True when it was off and is on now. */
  #setValidMark(plan: HostPlan): boolean {
    if (this.#isValidMarkRefused || !needsValidMark(plan)) return false;
    try {
      return turnOnValidMark();
    } catch (error) {
      this.#isValidMarkRefused = true;
      // As in a container, where /proc/sys is read-only; only a strict filter would miss it.
      const advice = 'with rp_filter=1, set net.ipv4.conf.all.src_valid_mark=1 from outside';
      this.#log.warn('cannot set src_valid_mark', { error: String(error), advice });
      return false;
    }
  }

  /** Another heddle in this namespace may need it: then the last of them turns it off. */
  #clearValidMark(plan: HostPlan): void {
    if (needsValidMark(plan)) return;
    const rules = this.#netlink.rules(4);
    if (!rules.some(({ protocol }) => protocol === PROTOCOL_HEDDLE)) turnOffValidMark();
  }
}

function linkOf(plan: HostPlan): (HostStep & { kind: 'link' }) | undefined {
  return plan.steps.find((step) => step.kind === 'link');
}

function mtuOf(plan: HostPlan): number | undefined {
  return linkOf(plan)?.mtu;
}

function addressesOf(plan: HostPlan): InterfaceAddress[] {
  return plan.steps.flatMap((step) => (step.kind === 'address' ? [step.address] : []));
}

function routesOf(plan: HostPlan): PlannedRoute[] {
  return plan.steps.flatMap((step) => (step.kind === 'route' ? [step] : []));
}

function needsValidMark(plan: HostPlan): boolean {
  return plan.steps.some(({ kind }) => kind === 'validMark');
}

function promotionPath(interfaceName: string): string {
  return `/proc/sys/net/ipv4/conf/${interfaceName}/promote_secondaries`;
}

/** What is only better so. */
function attempt(call: () => void): void {
  try {
    call();
  } catch {
    return;
  }
}
