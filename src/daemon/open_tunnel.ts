/**
 * The tunnel of a real host, part by part: the addon, the hand with its TUN device and UDP port,
 * the interface's MTU, addresses and routes, and the node core with the loop that drives it. The
 * order matters: outer datagrams carry their mark before a route could lead them into the tunnel,
 * and traffic finds the peers in the tables as soon as the routes stand.
 */

import type { Address } from '../base/address.js';
import type { Log } from '../base/log.js';
import type { CryptoSuite } from '../crypto/suite.js';
import { type Clock, SystemClock } from '../io/clock.js';
import { SystemRandom } from '../io/entropy.js';
import { FileError, isSystemRefusal } from '../io/files.js';
import { type Hand, HandError } from '../io/hand.js';
import { Host } from '../io/host.js';
import { NodeLoop } from '../io/loop.js';
import { type Addon, loadAddon } from '../io/native.js';
import { NativeHand } from '../io/native_hand.js';
import { Netlink } from '../io/netlink.js';
import { resolveHost } from '../io/resolver.js';
import { SodiumSuite } from '../io/sodium.js';
import type { Config } from '../node/config.js';
import { Node } from '../node/node.js';
import type { HostPlan } from '../route/host_plan.js';
import { uapiPath } from './folders.js';
import { checkNotTaken } from './host_check.js';
import { chooseMtu, planFor } from './host_planning.js';
import { HostWatch } from './host_watch.js';
import { LeftoverNotes, removeLeftovers } from './leftovers.js';
import { clearPorts, RunningTunnel } from './running_tunnel.js';
import type { Tunnel, TunnelContext } from './tunnel.js';
import { openUapi } from './uapi.js';
import { unaffectedPeers } from './unaffected_peers.js';

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
  step('tunnel', `${hand.interfaceName}, UDP port ${hand.listenPort}, ${hand.kind} datapath`);

  const node = new Node({ crypto: suite, random: new SystemRandom(), log });
  const loop = new NodeLoop({ node, hand, clock, resolve: resolveHost });
  teardown.add('sessions', () => loop.stop());
  if (config.clearPeers.length > 0) hand.setClearPorts(clearPorts(config));
  loop.handle({ kind: 'configure', config });

  const netlink = new Netlink(addon);
  await removeLeftovers(folders, netlink, log);
  const notes = new LeftoverNotes(folders);
  teardown.add('notes', () => notes.strikeOff());
  const host = new Host(netlink, log, notes);
  const mtu = await chooseMtu(host, config, hand.interfaceName);
  hand.write({ kind: 'setMtu', mtu }, clock.now());
  const plan = planFor(config, mtu, host);
  if (plan.mark !== 0) hand.setMark(plan.mark);
  teardown.add('host', () => host.remove());
  host.apply(hand.interfaceName, plan);
  step('network', describePlan(plan, config, mtu));

  logRemarks(hand, log);
  const watch = new HostWatch({
    addon,
    host,
    hand,
    log,
    now: () => clock.now(),
    destinations: () => endpointsOf(node),
    onUnderlayChange: () => {
      const { peers } = node.snapshot();
      const unaffected = unaffectedPeers(peers, netlink, tunnel.fwMark);
      loop.handle({ kind: 'underlayChanged', unaffected });
      void tunnel.measureAgain().catch((error: unknown) => {
        if (!isSystemRefusal(error)) return context.fail(error);
        log.warn('cannot follow the MTU of the underlay', { why: error.message });
      });
    },
    fail: context.fail,
  });
  teardown.add('host watch', () => watch.close());
  const parts = { hand, host, node, loop, clock };
  const tunnel = new RunningTunnel(parts, { config, mtu, plan }, () => watch.counts());
  notes.noteSocket(uapiPath(folders, tunnel.interfaceName));
  await openWireguard(context, tunnel, suite);
  return tunnel;
}

/**
 * WireGuard's configuration socket. Without it everything else works, so a place that is taken or
 * cannot be written is only told.
 */
async function openWireguard(
  { folders, log, teardown, step, fail }: TunnelContext,
  tunnel: Tunnel,
  crypto: CryptoSuite,
): Promise<void> {
  const path = uapiPath(folders, tunnel.interfaceName);
  try {
    const socket = await openUapi({ path, tunnel, crypto, log, fail });
    teardown.add('WireGuard socket', () => socket.close());
    step('wireguard', path);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    log.warn('`wg` cannot drive this interface', { why: error.message });
  }
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

/** Where peers are, as far as it is known. */
function endpointsOf(node: Node): Address[] {
  const { peers, clearPeers } = node.snapshot();
  return [...peers, ...clearPeers].flatMap(({ endpoint }) => endpoint?.address ?? []);
}

function describePlan(plan: HostPlan, config: Config, mtu: number): string {
  const routes = plan.steps.filter((step) => step.kind === 'route').length;
  const addresses = config.addresses.map((address) => address.text).join(', ') || 'no address';
  return `${addresses}, MTU ${mtu}, ${routes === 1 ? '1 route' : `${routes} routes`}`;
}

function logRemarks(hand: Hand, log: Log): void {
  for (const remark of hand.remarks()) log.info('datapath', { remark });
}
