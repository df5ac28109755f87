/**
 * The tunnel of a real host, part by part: the addon, the hand with its TUN device and UDP port,
 * the interface's MTU, addresses and routes, and the node core with the loop that drives it. The
 * order matters: outer datagrams carry their mark before a route could lead them into the tunnel,
 * and traffic finds the peers in the tables as soon as the routes stand.
 */

import { type Address, type Endpoint, endpointOf, parseAddress } from '../base/address.js';
import type { Log } from '../base/log.js';
import type { CryptoSuite } from '../crypto/suite.js';
import { type Clock, SystemClock } from '../io/clock.js';
import { SystemRandom } from '../io/entropy.js';
import { type Hand, HandError } from '../io/hand.js';
import { Host } from '../io/host.js';
import { NodeLoop } from '../io/loop.js';
import { type Addon, loadAddon } from '../io/native.js';
import { NativeHand } from '../io/native_hand.js';
import { Netlink } from '../io/netlink.js';
import { resolveHost } from '../io/resolver.js';
import { SodiumSuite } from '../io/sodium.js';
import type { Config, HostPort } from '../node/config.js';
import { Node } from '../node/node.js';
import { type HostPlan, innerMtu, planHost } from '../route/host_plan.js';
import { mac1Key } from '../session/cookie.js';
import { checkNotTaken } from './host_check.js';
import { noteLeftovers, removeLeftovers } from './leftovers.js';
import type { Tunnel, TunnelContext } from './tunnel.js';

/** Names looked up to measure the MTU of their way; more would only delay the start. */
const MEASURED_NAMES = 16;
const MEASURE_LIMIT_MS = 2_000;

interface HandParts {
  readonly addon: Addon;
  readonly suite: CryptoSuite;
  readonly clock: Clock;
}

export async function openTunnel(context: TunnelContext): Promise<Tunnel> {
  const { config, folders, log, teardown, step } = context;
  const addon = load();
  addon.processHygiene();
  const clock = new SystemClock(addon);
  const suite = new SodiumSuite();

  const hand = await openHand({ addon, suite, clock }, config).catch((error: unknown) => {
    // Somebody came between the check and us: say who it is.
    if (isTaken(error)) checkNotTaken(config);
    throw error;
  });
  teardown.add('hand', () => hand.close());
  hand.write({ kind: 'setMac1Key', key: mac1Key(suite.publicKey(config.privateKey)) }, clock.now());
  step('tunnel', `${hand.interfaceName}, UDP port ${hand.listenPort}, ${hand.kind} datapath`);

  const node = new Node({ crypto: suite, random: new SystemRandom(), log });
  const loop = new NodeLoop({ node, hand, clock, resolve: resolveHost });
  teardown.add('sessions', () => loop.stop());
  loop.handle({ kind: 'configure', config });

  const netlink = new Netlink(addon);
  removeLeftovers(folders, netlink, log);
  const host = new Host(netlink, log);
  const mtu = config.mtu ?? (await measureMtu(host, config, hand.interfaceName));
  hand.write({ kind: 'setMtu', mtu }, clock.now());
  const plan = planFor(config, mtu, host);
  if (plan.mark !== 0) hand.setMark(plan.mark);
  teardown.add('notes', noteLeftovers(folders, plan));
  teardown.add('host', () => host.remove());
  host.apply(hand.interfaceName, plan);
  step('network', describePlan(plan, config, mtu));

  logRemarks(hand, log);
  return {
    interfaceName: hand.interfaceName,
    listenPort: hand.listenPort,
    mtu,
    fwMark: plan.mark,
    datapath: hand.kind,
    now: () => clock.now(),
    remarks: () => hand.remarks(),
    snapshot: () => node.snapshot(),
    traffic: (peer) => hand.traffic(peer),
    counters: () => {
      const { walk, native } = hand.counters();
      return { ...walk, ...native };
    },
    drops: () => hand.counters().drops,
  };
}

function load(): Addon {
  try {
    return loadAddon();
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new HandError('NO_ADDON', `The native part does not load: ${why}; run \`npm run build\``);
  }
}

/** The reference hand is loaded only where it is wanted: the daemon stays small without it. */
async function openHand(parts: HandParts, config: Config): Promise<Hand> {
  const { interface: tun, listenPort: port } = config;
  if (config.datapath === 'native') {
    return new NativeHand(parts.addon, { tun, port, offload: true, threads: true });
  }
  const { ReferenceHand } = await import('../io/reference_hand.js');
  return ReferenceHand.open(parts, { tun, port });
}

function isTaken(error: unknown): boolean {
  return error instanceof HandError && (error.code === 'EBUSY' || error.code === 'EADDRINUSE');
}

function planFor(config: Config, mtu: number, host: Host): HostPlan {
  return planHost({
    addresses: config.addresses,
    mtu,
    table: config.table,
    fwMark: config.fwMark,
    allowedIps: config.peers.flatMap((peer) => peer.allowedIps),
    freeTable: () => host.freeTable(),
  });
}

/** What the ways to the peers leave room for. A name that does not resolve soon has no say. */
async function measureMtu(host: Host, config: Config, interfaceName: string): Promise<number> {
  const named = config.peers.flatMap((peer) => (peer.endpoint ? [peer.endpoint] : []));
  const endpoints = await resolveAll(named);
  return innerMtu(host.underlayMtus(endpoints, interfaceName));
}

async function resolveAll(named: readonly HostPort[]): Promise<Endpoint[]> {
  const literal = named.filter((each) => parseAddress(each.host));
  const names = named.filter((each) => !parseAddress(each.host)).slice(0, MEASURED_NAMES);
  const addresses = await Promise.all(
    [...literal, ...names].map(async (each): Promise<[HostPort, Address | undefined]> => {
      return [each, await resolveHost(each.host, MEASURE_LIMIT_MS)];
    }),
  );
  return addresses.flatMap(([each, address]) => (address ? [endpointOf(address, each.port)] : []));
}

function describePlan(plan: HostPlan, config: Config, mtu: number): string {
  const routes = plan.steps.filter((step) => step.kind === 'route').length;
  const addresses = config.addresses.map((address) => address.text).join(', ') || 'no address';
  return `${addresses}, MTU ${mtu}, ${routes === 1 ? '1 route' : `${routes} routes`}`;
}

function logRemarks(hand: Hand, log: Log): void {
  for (const remark of hand.remarks()) log.info('datapath', { remark });
}
