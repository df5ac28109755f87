/**
 * Carries a host plan out through netlink and takes it back. What was done is remembered step by
 * step, so that taking back touches nothing else, and a step that fails midway leaves nothing
 * behind.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { type Address, type Endpoint, parseAddress } from '../base/address.js';
import { present, unreachable } from '../base/assert.js';
import type { Log } from '../base/log.js';
import { FIRST_TABLE, type HostPlan, type HostStep } from '../route/host_plan.js';
import { type Link, type Netlink, NetlinkError, type Rule } from './netlink.js';

const MAIN_TABLE = 254;
const VALID_MARK = '/proc/sys/net/ipv4/conf/all/src_valid_mark';
/** Packets that the interface holds while the tunnel is busy; the kernel's 500 drops in bursts. */
const TRANSMIT_QUEUE = 1000;
/** Gone already, which is what taking back wants. */
const GONE = new Set(['ENOENT', 'ESRCH', 'EADDRNOTAVAIL', 'ENODEV', 'ENXIO']);
/** What the kernel says to IPv6 settings where IPv6 is off. */
const WITHOUT_IPV6 = new Set(['EACCES', 'EOPNOTSUPP', 'EAFNOSUPPORT']);
/** Addresses nobody is asked at: only where the kernel would send to them (RFC 5737, RFC 3849). */
const ANYWHERE = ['192.0.2.1', '2001:db8::1'].map((text) =>
  present(parseAddress(text), 'a valid address'),
);

type Undo = () => void;

export class Host {
  readonly #netlink: Netlink;
  readonly #log: Log;
  /** How to take back what was done, the last first. */
  readonly #undo: Undo[] = [];
  /** Why steps for IPv6 were skipped, one for each. */
  readonly #skipped: string[] = [];

  constructor(netlink: Netlink, log: Log) {
    this.#netlink = netlink;
    this.#log = log;
  }

  /** Carries the plan out on the interface. Throws NetlinkError, and then nothing of it is left. */
  apply(interfaceName: string, plan: HostPlan): void {
    const link = this.#netlink.linkByName(interfaceName);
    if (!link) throw new NetlinkError(`Find interface "${interfaceName}"`, 'ENODEV');
    try {
      for (const step of plan.steps) this.#tryStep(link, step);
    } catch (error) {
      this.remove();
      throw error;
    }
    this.#reportSkipped();
  }

  /** Takes back everything that `apply` did. What is gone already is no fault. */
  remove(): void {
    for (let undo = this.#undo.pop(); undo; undo = this.#undo.pop()) {
      try {
        undo();
      } catch (error) {
        if (error instanceof NetlinkError && GONE.has(error.code)) continue;
        this.#log.warn('could not take back a host setting', { error: String(error) });
      }
    }
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
    return mtus.length > 0 ? mtus : this.#mtusTo(ANYWHERE, interfaceName);
  }

  /** A routing table number, usable as a mark, that holds no route. */
  freeTable(): number {
    let table = FIRST_TABLE;
    while (this.#netlink.isTableInUse(4, table) || this.#netlink.isTableInUse(6, table)) table++;
    return table;
  }

  #mtusTo(addresses: readonly Address[], interfaceName: string): number[] {
    const links = new Map(this.#netlink.links().map((link) => [link.index, link]));
    return addresses.flatMap((address) => {
      const way = this.#netlink.lookUpRoute(address, 0);
      const link = way && links.get(way.interfaceIndex);
      return link && link.name !== interfaceName ? [way.mtu ?? link.mtu] : [];
    });
  }

  /** A host without IPv6 gets what it can of the plan. */
  #tryStep(link: Link, step: HostStep): void {
    try {
      this.#carryOut(link, step);
    } catch (error) {
      const isSkipped =
        error instanceof NetlinkError && isIpv6(step) && WITHOUT_IPV6.has(error.code);
      if (!isSkipped) throw error;
      this.#skipped.push(error.message);
    }
  }

  #reportSkipped(): void {
    const [first] = this.#skipped;
    if (first === undefined) return;
    const fields = { first, steps: this.#skipped.length };
    this.#log.warn('IPv6 is off here: its addresses and routes are skipped', fields);
  }

  #carryOut(link: Link, step: HostStep): void {
    const netlink = this.#netlink;
    switch (step.kind) {
      case 'link':
        // The interface is the hand's and goes with it, so there is nothing to take back.
        netlink.setLink(link, { mtu: step.mtu, transmitQueueLength: TRANSMIT_QUEUE, isUp: true });
        return;
      case 'address':
        netlink.addAddress(link.index, step.address);
        this.#undo.push(() => netlink.deleteAddress(link.index, step.address));
        return;
      case 'route': {
        const { prefix, table } = step;
        const route = {
          prefix,
          interfaceIndex: link.index,
          ...(table === undefined ? {} : { table }),
        };
        netlink.addRoute(route);
        this.#undo.push(() => netlink.deleteRoute(route));
        return;
      }
      case 'markRule':
        return this.#addRule({ family: step.family, table: step.table, notMark: step.mark });
      case 'mainRule':
        return this.#addRule({ family: step.family, table: MAIN_TABLE, suppressDefault: true });
      case 'validMark':
        return this.#setValidMark();
      default:
        return unreachable(step);
    }
  }

  #addRule(rule: Rule): void {
    this.#netlink.addRule(rule);
    this.#undo.push(() => this.#netlink.deleteRule(rule));
  }

  #setValidMark(): void {
    const before = readFileSync(VALID_MARK, 'utf8').trim();
    if (before === '1') return;
    try {
      writeFileSync(VALID_MARK, '1');
    } catch (error) {
      // As in a container, where /proc/sys is read-only; only a strict filter would miss it.
      const advice = 'with rp_filter=1, set net.ipv4.conf.all.src_valid_mark=1 from outside';
      this.#log.warn('cannot set src_valid_mark', { error: String(error), advice });
      return;
    }
    this.#undo.push(() => writeFileSync(VALID_MARK, before));
  }
}

function isIpv6(step: HostStep): boolean {
  if (step.kind === 'address') return step.address.address.family === 6;
  if (step.kind === 'route') return step.prefix.address.family === 6;
  return 'family' in step && step.family === 6;
}
