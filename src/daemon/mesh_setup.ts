/** What a mesh core starts from, gathered from the state folder, the command line and the host. */

import { hostname } from 'node:os';
import { bitsOf, type Endpoint, endpointOf, type Prefix, prefixOf } from '../base/address.js';
import { toHex } from '../base/bytes.js';
import type { Random } from '../base/random.js';
import { generatePrivateKey } from '../crypto/keys.js';
import { SEED_BYTES } from '../crypto/signature.js';
import { choosePool } from '../ipam/choose_pool.js';
import { firstOverlap } from '../ipam/overlap.js';
import type { Netlink, PlacedAddress } from '../io/netlink.js';
import { ANYWHERE } from '../io/underlay.js';
import type { Keys } from '../mesh/keys.js';
import type { MeshSetup } from '../mesh/setup.js';
import { NODE_ENDPOINTS } from '../wire/node_record.js';
import type { KeptMesh } from './mesh_files.js';
import { MeshError, type MeshOptions } from './mesh_options.js';

const INSTANCE_BYTES = 8;
const NAME_LENGTH = 63;
/** Every namespace's first interface. */
const LOOPBACK = 1;

type HostNetlink = Pick<Netlink, 'addresses' | 'destinations' | 'lookUpRoute'>;

/** What the tunnel is by now. */
export interface MeshHostState {
  readonly netlink: HostNetlink;
  /** Of the tunnel's interface. */
  readonly interfaceIndex: number;
  readonly listenPort: number;
  /** Of the tunnel's own datagrams, where a default route leads into it. */
  readonly mark: number;
}

/** Throws MeshError where there is no prefix left for a network. */
export function meshSetup(
  options: MeshOptions,
  kept: KeptMesh,
  host: MeshHostState,
  random: Random,
): MeshSetup {
  const { announce, acceptsDefaultRoutes, subnetLength, line } = options;
  const hostName = options.name ?? hostNameOf(hostname());
  return {
    keys: kept.keys ?? newKeys(random),
    own: kept.own,
    records: kept.records,
    entry: line ? { kind: 'join', line } : founding(options, kept, host, random, hostName),
    hostName,
    announce,
    acceptsDefaultRoutes,
    subnetLength,
    instance: toHex(random.bytes(INSTANCE_BYTES)),
    endpoints: ownEndpoints(host, announce),
  };
}

/**
 * Where others reach this host: what it has outside of the tunnel. They try one after the other, so
 * those that the way to everywhere leaves by come first, and last what many hosts have on an
 * interface of their own or what lies behind this one; among equals, those of IPv4 first.
 */
export function ownEndpoints(host: MeshHostState, announce: readonly Prefix[]): Endpoint[] {
  const { netlink, interfaceIndex, listenPort, mark } = host;
  const leaving = new Set(ANYWHERE.map((to) => netlink.lookUpRoute(to, mark)?.interfaceIndex));
  const rank = ({ interfaceIndex: index, address: { address } }: PlacedAddress): number => {
    const alone = prefixOf(address, bitsOf(address.family));
    if (index === LOOPBACK || firstOverlap(alone, announce)) return 2;
    return leaving.has(index) ? 0 : 1;
  };
  return netlink
    .addresses()
    .filter((each) => each.isGlobal && each.interfaceIndex !== interfaceIndex)
    .map((each) => ({ address: each.address.address, rank: rank(each) }))
    .sort((a, b) => a.rank - b.rank || a.address.family - b.address.family)
    .slice(0, NODE_ENDPOINTS)
    .map(({ address }) => endpointOf(address, listenPort));
}

/** A label of a host name made of what one may hold. */
export function hostNameOf(text: string): string {
  const label = (text.split('.')[0] ?? '').toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  const name = label.slice(0, NAME_LENGTH).replaceAll(/^-+|-+$/g, '');
  return name === '' ? 'host' : name;
}

function founding(
  options: MeshOptions,
  kept: KeptMesh,
  host: MeshHostState,
  random: Random,
  hostName: string,
): MeshSetup['entry'] {
  if (kept.own?.network) return undefined;
  const choice = choosePool(usedBy(host), random.u32(), options.subnetLength !== undefined);
  if (choice.kind === 'none') throw new MeshError(choice.reason);
  return { kind: 'found', name: options.networkName ?? hostName, pool: choice.pool };
}

/** What the host has and routes of IPv4, the tunnel apart. */
function usedBy({ netlink, interfaceIndex }: MeshHostState): Prefix[] {
  const own = netlink
    .addresses()
    .filter((each) => each.address.address.family === 4 && each.interfaceIndex !== interfaceIndex)
    .map(({ address }) => prefixOf(address.address, address.length));
  return [...own, ...netlink.destinations(4, interfaceIndex)];
}

function newKeys(random: Random): Keys {
  return {
    identity: random.bytes(SEED_BYTES),
    staticKey: generatePrivateKey(random),
    nextStaticKey: undefined,
    admin: undefined,
    root: undefined,
  };
}
