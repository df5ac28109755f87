/**
 * A tunnel that carries traffic, and how it takes over another configuration. What can be refused
 * (ports, addresses, routes) is tried first and taken back when a later part is refused, so a
 * configuration is in force as a whole or not at all. Changes are made one after the other.
 */

import type { DatapathSource } from '../api/datapath_status.js';
import type { TrafficReading } from '../api/status.js';
import type { PeerSlot } from '../base/identifiers.js';
import type { Instant } from '../base/time.js';
import type { ClearPort } from '../encap/encapsulation.js';
import type { Clock } from '../io/clock.js';
import type { Hand } from '../io/hand.js';
import type { Host } from '../io/host.js';
import type { NodeLoop } from '../io/loop.js';
import type { Config } from '../node/config.js';
import type { Node } from '../node/node.js';
import { AUTO_OFFLOADS, type OffloadSwitches } from '../node/offloads.js';
import type { NodeSnapshot } from '../node/snapshot.js';
import type { HostPlan } from '../route/host_plan.js';
import { withoutRestart } from './config_change.js';
import { chooseMtu, planFor } from './host_planning.js';
import type { ChangeScope, MeshControl, Tunnel } from './tunnel.js';

export interface TunnelParts {
  readonly hand: Hand;
  readonly host: Host;
  readonly node: Node;
  readonly loop: NodeLoop;
  readonly clock: Clock;
  readonly mesh?: MeshControl;
  /** We are heard at another port. */
  readonly onPortChange?: () => void;
}

/** What is in force. */
interface InForce {
  readonly config: Config;
  readonly mtu: number;
  readonly plan: HostPlan;
}

export class RunningTunnel implements Tunnel {
  readonly datapath: 'native' | 'reference';
  readonly #parts: TunnelParts;
  #inForce: InForce;
  #changes: Promise<unknown> = Promise.resolve();
  readonly #repairs: () => Readonly<Record<string, number>>;

  constructor(
    parts: TunnelParts,
    inForce: InForce,
    repairs: () => Readonly<Record<string, number>>,
  ) {
    this.#parts = parts;
    this.#inForce = inForce;
    this.#repairs = repairs;
    this.datapath = parts.hand.kind;
  }

  get interfaceName(): string {
    return this.#parts.host.interfaceName;
  }

  get lanes(): number {
    return this.#parts.hand.lanes;
  }

  get listenPort(): number {
    return this.#parts.hand.listenPort;
  }

  get mtu(): number {
    return this.#inForce.mtu;
  }

  get fwMark(): number {
    return this.#inForce.plan.mark;
  }

  get mesh(): MeshControl | undefined {
    return this.#parts.mesh;
  }

  get config(): Config {
    return this.#inForce.config;
  }

  now(): Instant {
    return this.#parts.clock.now();
  }

  remarks(): readonly string[] {
    return this.#parts.hand.remarks();
  }

  snapshot(): NodeSnapshot {
    return this.#parts.node.snapshot();
  }

  traffic(peer: PeerSlot): TrafficReading {
    return this.#parts.hand.traffic(peer);
  }

  counters(): Readonly<Record<string, bigint>> {
    const { walk, native } = this.#parts.hand.counters();
    return { ...walk, ...native };
  }

  drops(): Readonly<Record<string, bigint>> {
    return this.#parts.hand.counters().drops;
  }

  repairs(): Readonly<Record<string, number>> {
    return this.#repairs();
  }

  footing(): DatapathSource {
    const { hand, host, clock } = this.#parts;
    const switches = offloadsOf(this.config);
    return { switches, footing: hand.footing?.(clock.now()), link: host.link() };
  }

  reconfigure(
    change: (running: Config) => Config,
    scope: ChangeScope,
  ): Promise<{ before: Config; after: Config }> {
    const done = this.#changes.then(() => this.#adopt(change, scope));
    this.#changes = done.catch(() => undefined);
    return done;
  }

  /** The underlay is another, so its MTU may be. */
  async measureAgain(): Promise<void> {
    if (this.config.mtu === undefined) await this.reconfigure((running) => running, 'host');
  }

  async #adopt(
    change: (running: Config) => Config,
    scope: ChangeScope,
  ): Promise<{ before: Config; after: Config }> {
    const { config: before, mtu: oldMtu, plan: oldPlan } = this.#inForce;
    const after = withoutRestart(before, change(before));
    const { hand, host, loop, clock } = this.#parts;
    const isWhole = scope === 'host';
    const mtu = isWhole ? await chooseMtu(host, after, this.interfaceName) : oldMtu;
    const plan = isWhole ? planFor(after, mtu, host, oldPlan) : markedPlan(oldPlan, before, after);
    const undo: (() => void)[] = [];
    try {
      const [ports, oldPorts] = [clearPorts(after), clearPorts(before)];
      if (JSON.stringify(ports) !== JSON.stringify(oldPorts)) {
        hand.setClearPorts(ports);
        undo.push(() => hand.setClearPorts(oldPorts));
      }
      if (before.listenPort !== after.listenPort) {
        const port = hand.listenPort;
        hand.setListenPort(after.listenPort);
        undo.push(() => hand.setListenPort(port));
      }
      const [offloads, oldOffloads] = [offloadsOf(after), offloadsOf(before)];
      if (JSON.stringify(offloads) !== JSON.stringify(oldOffloads)) {
        hand.setOffloads(offloads);
        undo.push(() => hand.setOffloads(oldOffloads));
      }
      if (plan.mark !== oldPlan.mark) {
        hand.setMark(plan.mark);
        undo.push(() => hand.setMark(oldPlan.mark));
      }
      if (isWhole) host.update(plan);
    } catch (error) {
      for (const step of undo.reverse()) step();
      throw error;
    }
    if (mtu !== oldMtu) hand.write({ kind: 'setMtu', mtu }, clock.now());
    this.#inForce = { config: after, mtu, plan };
    loop.handle({ kind: 'configure', config: after });
    if (before.listenPort !== after.listenPort) this.#parts.onPortChange?.();
    return { before, after };
  }
}

/** The ports on which clear peers of the configuration are heard. */
export function clearPorts(config: Config): ClearPort[] {
  const kinds = new Map(config.clearPeers.map(({ endpoint, carrier }) => [endpoint.port, carrier]));
  return [...kinds].map(([port, { kind }]) => ({ port, kind }));
}

function offloadsOf({ offloads = AUTO_OFFLOADS }: Config): OffloadSwitches {
  return offloads;
}

/** Without a new plan the mark is still the configuration's, unless a default route chose one. */
function markedPlan(plan: HostPlan, before: Config, after: Config): HostPlan {
  const isChosen = plan.mark !== before.fwMark;
  return isChosen && after.fwMark === before.fwMark ? plan : { ...plan, mark: after.fwMark };
}
