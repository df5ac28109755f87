/**
 * The tunnel of a real host, part by part: the addon, the hand with its TUN device and UDP port,
 * the interface's MTU, addresses and routes, and the node core with the loop that drives it. The
 * order matters: outer datagrams carry their mark before a route could lead them into the tunnel,
 * and traffic finds the peers in the tables as soon as the routes stand.
 */

import { availableParallelism } from 'node:os';
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
import type { Mesh } from '../mesh/mesh.js';
import { abilitiesOf } from '../node/abilities.js';
import type { Config } from '../node/config.js';
import type { HostMeshAction } from '../node/mesh_port.js';
import { Node } from '../node/node.js';
import { AUTO_OFFLOADS } from '../node/offloads.js';
import type { HostPlan } from '../route/host_plan.js';
import { uapiPath } from './folders.js';
import { checkNotTaken } from './host_check.js';
import { chooseMtu, planFor } from './host_planning.js';
import { HostWatch } from './host_watch.js';
import { laneCount } from './lane_count.js';
import { LeftoverNotes, removeLeftovers } from './leftovers.js';
import { clearPorts, RunningTunnel } from './running_tunnel.js';
import { createMesh, createMeshHost, startMesh, stateOf } from './open_mesh.js';
import { ownEndpoints } from './mesh_setup.js';
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
  step('tunnel', describeHand(hand));

  const mesh = context.mesh && createMesh(suite, log);
  const node = createNode({ addon, suite, clock }, hand, log, mesh);
  const onMesh = (action: HostMeshAction): void => meshHost?.carryOut(action);
  const loopParts = { node, hand, clock, resolve: resolveHost };
  const loop = new NodeLoop(mesh ? { ...loopParts, onMesh } : loopParts);
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
    onUnderlayChange: () => followUnderlay(context, { node, loop, netlink, hand, tunnel }),
    fail: context.fail,
  });
  teardown.add('host watch', () => watch.close());
  const meshHost = context.mesh && createMeshHost(context, context.mesh, loop, () => tunnel);
  if (meshHost) teardown.add('mesh', () => meshHost.close());
  const onPortChange = (): void => tellEndpoints(context, { loop, netlink, hand, tunnel });
  const withoutMesh = { hand, host, node, loop, clock, onPortChange };
  const parts = meshHost ? { ...withoutMesh, mesh: meshHost } : withoutMesh;
  const tunnel = new RunningTunnel(parts, { config, mtu, plan }, () => watch.counts());
  notes.noteSocket(uapiPath(folders, tunnel.interfaceName));
  await openWireguard(context, tunnel, suite);
  if (context.mesh) startMesh(context.mesh, loop, stateOf(netlink, hand, plan.mark));
  return tunnel;
}

interface EndpointParts {
  readonly loop: NodeLoop;
  readonly netlink: Netlink;
  readonly hand: Hand;
  readonly tunnel: RunningTunnel;
}

interface UnderlayParts extends EndpointParts {
  readonly node: Node;
}

/** Peers and mesh learn where we are from now on, and the MTU is measured again. */
function followUnderlay(context: TunnelContext, parts: UnderlayParts): void {
  const { log, fail } = context;
  const { node, loop, netlink, tunnel } = parts;
  const { peers } = node.snapshot();
  const unaffected = unaffectedPeers(peers, netlink, tunnel.fwMark);
  loop.handle({ kind: 'underlayChanged', unaffected });
  tellEndpoints(context, parts);
  void tunnel.measureAgain().catch((error: unknown) => {
    if (!isSystemRefusal(error)) return fail(error);
    log.warn('cannot follow the MTU of the underlay', { why: error.message });
  });
}

/** Where others reach us from now on; a node without a mesh does not mind. */
function tellEndpoints({ mesh }: TunnelContext, parts: EndpointParts): void {
  const { loop, netlink, hand, tunnel } = parts;
  const state = stateOf(netlink, hand, tunnel.fwMark);
  const endpoints = ownEndpoints(state, mesh?.options.announce ?? []);
  loop.handle({ kind: 'mesh', input: { kind: 'endpoints', endpoints } });
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
  const { interface: tun, listenPort: port, offloads = AUTO_OFFLOADS } = config;
  if (config.datapath === 'native') {
    const lanes = laneCount(config.lanes, availableParallelism());
    return new NativeHand(parts.addon, { tun, port, offloads, threads: true, lanes });
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

function createNode(
  { addon, suite: crypto }: HandParts,
  { lanes }: Hand,
  log: Log,
  mesh: Mesh | undefined,
): Node {
  const abilities = abilitiesOf({ hasAes: addon.hasAesInstructions(), lanes });
  const parts = { crypto, random: new SystemRandom(), log, abilities };
  return new Node(mesh ? { ...parts, mesh } : parts);
}

function describeHand({ interfaceName, listenPort, kind, lanes }: Hand): string {
  const means = lanes === 1 ? `${kind} datapath` : `${kind} datapath, ${lanes} lanes`;
  return `${interfaceName}, UDP port ${listenPort}, ${means}`;
}

function describePlan(plan: HostPlan, config: Config, mtu: number): string {
  const routes = plan.steps.filter((step) => step.kind === 'route').length;
  const addresses = config.addresses.map((address) => address.text).join(', ') || 'no address';
  return `${addresses}, MTU ${mtu}, ${routes === 1 ? '1 route' : `${routes} routes`}`;
}

function logRemarks(hand: Hand, log: Log): void {
  for (const remark of hand.remarks()) log.info('datapath', { remark });
}
