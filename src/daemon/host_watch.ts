/**
 * Watches the host while a tunnel runs. What the kernel tells of is only that something of a kind
 * changed; then, and every five seconds for what no notice told of, everything is read again and
 * compared (Host.reconcile). So lost notices are no special case, and neither is a change that
 * was undone before we looked.
 *
 * What is ours is put right; a deleted interface is made again, and one that was moved to another
 * namespace is left there; a change of the underlay is passed on. A burst of notices is one look,
 * looks keep a distance, and the log gets at most a line a second, so that somebody who changes the
 * host all the time does not keep this process busy.
 */

import type { Address } from '../base/address.js';
import type { Log } from '../base/log.js';
import { elapsed, type Instant, micros, millis, seconds, toMillis } from '../base/time.js';
import { isSystemRefusal } from '../io/files.js';
import type { Hand } from '../io/hand.js';
import type { Host, Reconciled } from '../io/host.js';
import { type Addon, NETLINK_CHANGES } from '../io/native.js';
import { NetlinkWatcher } from '../io/netlink_watch.js';
import { isSameUnderlay, type Surroundings } from '../io/underlay.js';
import { QuietLog } from './quiet_log.js';

/** A change is rarely alone: what follows within this time is seen in the same look. */
const SETTLE = millis(20);
const LEAST_DISTANCE = millis(250);
/** Between the looks of a host whose tables take long to read, and how many times that long. */
const SLOW_DISTANCE = seconds(1);
const SLOW = millis(50);
const REST = 4;
const WITHOUT_NOTICE_MS = 5_000;
/** Where routes take long to read: how often, without a notice. */
const SLOW_ROUTES = seconds(60);
/** After these the kernel may have fewer routes. */
const TOUCHES_ROUTES =
  NETLINK_CHANGES.link | NETLINK_CHANGES.address | NETLINK_CHANGES.route | NETLINK_CHANGES.overrun;

export interface HostWatchParts {
  readonly addon: Addon;
  readonly host: Pick<Host, 'reconcile' | 'reattach' | 'interfaceName'>;
  readonly hand: Pick<Hand, 'interfaceName' | 'hasTun' | 'reopenTun' | 'write'>;
  readonly log: Log;
  readonly now: () => Instant;
  /** Endpoints, so that a change of the ways to them is one of the underlay. */
  readonly destinations: () => readonly Address[];
  /** Other addresses, uplinks or routes are there to reach peers. */
  readonly onUnderlayChange: () => void;
  /** Takes an error that is a defect. */
  readonly fail: (error: unknown) => void;
}

export class HostWatch {
  readonly #parts: HostWatchParts;
  readonly #log: QuietLog;
  readonly #watcher: NetlinkWatcher;
  readonly #counts = new Map<string, number>();
  /** The next look, which is always due at some time. */
  #next: NodeJS.Timeout | undefined;
  /** It is for a notice. */
  #isSoon = false;
  #lastLook: Instant;
  #lastRoutes: Instant;
  #areRoutesDue = false;
  #areRoutesSlow = false;
  #distance = LEAST_DISTANCE;
  #underlay: Surroundings;
  #routeMtu = 0;
  #link: Reconciled['link'] | 'in another namespace' | 'none' = 'up';

  /** The plan is carried out. Throws NetlinkError. */
  constructor(parts: HostWatchParts) {
    this.#parts = parts;
    this.#log = new QuietLog(parts.log, parts.now);
    this.#watcher = new NetlinkWatcher(parts.addon, (bits) => this.#notice(bits));
    const found = parts.host.reconcile({ destinations: parts.destinations() });
    this.#underlay = found.underlay;
    this.#bound(found.routeMtu);
    this.#lastLook = parts.now();
    this.#lastRoutes = this.#lastLook;
    this.#lookIn(WITHOUT_NOTICE_MS);
  }

  /** How much was put right, by kind; `resync`: how often notices were lost. */
  counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }

  close(): void {
    this.#watcher.close();
    clearTimeout(this.#next);
    this.#log.close();
  }

  #notice(bits: number): void {
    if (bits & NETLINK_CHANGES.overrun) {
      this.#count('resync', 1);
      this.#log.info('notices of changes were lost, so all is read again', {});
    }
    if (bits & TOUCHES_ROUTES) this.#areRoutesDue = true;
    this.#lookSoon();
  }

  #lookSoon(): void {
    if (this.#isSoon) return;
    this.#isSoon = true;
    const since = elapsed(this.#lastLook, this.#parts.now());
    this.#lookIn(Math.ceil(toMillis(micros(Math.max(SETTLE, this.#distance - since)))));
  }

  #lookIn(waitMs: number): void {
    clearTimeout(this.#next);
    this.#next = setTimeout(() => this.#lookSafely(), waitMs);
  }

  #lookSafely(): void {
    this.#isSoon = false;
    this.#lookIn(WITHOUT_NOTICE_MS);
    const started = this.#parts.now();
    const isTold = this.#areRoutesDue;
    const skipRoutes = this.#skipsRoutes(started);
    try {
      this.#look(skipRoutes, isTold);
    } catch (error) {
      if (!isSystemRefusal(error)) {
        this.#parts.fail(error);
        return;
      }
      this.#log.warn('cannot follow changes of the host', { why: error.message });
    }
    this.#lastLook = this.#parts.now();
    const took = elapsed(started, this.#lastLook);
    const isSlow = took > SLOW;
    if (!skipRoutes) this.#areRoutesSlow = isSlow;
    const rest = Math.max(toMillis(SLOW_DISTANCE), REST * toMillis(took));
    this.#distance = isSlow ? millis(rest) : LEAST_DISTANCE;
    // One that could not be made again is tried for again, without waiting for a notice.
    if (this.#link === 'none') this.#lookSoon();
  }

  #look(skipRoutes: boolean, isTold: boolean): void {
    const { host, destinations, onUnderlayChange } = this.#parts;
    const found = host.reconcile({ destinations: destinations(), skipRoutes });
    for (const [kind, count] of found.repairs) this.#count(kind, count);
    if (found.repairs.size > 0) {
      this.#log.info('put right what others changed', Object.fromEntries(found.repairs));
    }
    const [refusal] = found.refusals;
    if (refusal !== undefined) this.#log.warn('cannot put right what others changed', { refusal });
    this.#follow(found.link);
    this.#bound(found.routeMtu);
    const isSame = isSameUnderlay(this.#underlay, found.underlay, isTold);
    this.#underlay = found.underlay;
    if (isSame) return;
    this.#log.info('the underlay changed', {});
    onUnderlayChange();
  }

  /** A route into the tunnel may have an MTU of its own, which padding must not pass. */
  #bound(routeMtu: number | undefined): void {
    if (routeMtu === undefined || routeMtu === this.#routeMtu) return;
    this.#routeMtu = routeMtu;
    this.#parts.hand.write({ kind: 'setRouteMtu', mtu: routeMtu }, this.#parts.now());
  }

  #skipsRoutes(now: Instant): boolean {
    const isSoon = elapsed(this.#lastRoutes, now) < SLOW_ROUTES;
    if (this.#areRoutesSlow && isSoon && !this.#areRoutesDue) return true;
    this.#areRoutesDue = false;
    this.#lastRoutes = now;
    return false;
  }

  #follow(found: Reconciled['link']): void {
    const { host, hand } = this.#parts;
    // Whoever moved it sees to its addresses and routes; packets go on as before.
    const link = found === 'gone' && hand.hasTun() ? 'in another namespace' : found;
    if (link !== 'gone' && link !== this.#link) this.#log.info(`the interface is ${link}`, {});
    this.#link = link;
    if (link !== 'gone') return;
    this.#link = 'none';
    hand.reopenTun();
    host.reattach(hand.interfaceName);
    this.#link = 'up';
    this.#count('link', 1);
    this.#log.info('made the interface again, which was gone', { interface: hand.interfaceName });
  }

  #count(kind: string, by: number): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + by);
  }
}
