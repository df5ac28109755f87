/**
 * From a configuration to what the host needs for it: the MTU, measured where none is configured,
 * and the plan of addresses, routes and rules.
 */

import { type Address, type Endpoint, endpointOf, parseAddress } from '../base/address.js';
import { overheadOf } from '../encap/encapsulation.js';
import type { Host } from '../io/host.js';
import { resolveHost } from '../io/resolver.js';
import { addressesOf, type Config, type HostPort } from '../node/config.js';
import { type HostPlan, innerMtu, planHost, type Way } from '../route/host_plan.js';

/** Names looked up to measure the MTU of their way; more would only delay the start. */
const MEASURED_NAMES = 16;
const MEASURE_LIMIT_MS = 2_000;
/** IPv6's and UDP's. */
const OUTER_HEADERS = 48;

export function allPrefixes(config: Config): Config['peers'][number]['allowedIps'] {
  const configured = [...config.peers, ...config.clearPeers].flatMap((peer) => peer.allowedIps);
  return [...configured, ...(config.mesh?.prefixes ?? [])];
}

/** The table of `before`, the plan in force, serves again where one is needed. */
export function planFor(
  config: Config,
  mtu: number,
  host: Pick<Host, 'freeTable'>,
  before?: HostPlan,
): HostPlan {
  const ours = before?.steps.find((step) => step.kind === 'markRule');
  return planHost({
    addresses: addressesOf(config),
    mtu,
    messageOverhead: messageOverhead(config),
    table: config.table,
    fwMark: config.fwMark,
    allowedIps: allPrefixes(config),
    freeTable: () => ours?.table ?? host.freeTable(),
  });
}

/**
 * The configured MTU, or what the ways to the peers leave room for. A name that does not resolve
 * soon has no say.
 */
export async function chooseMtu(
  host: Pick<Host, 'underlayMtus'>,
  config: Config,
  interfaceName: string,
): Promise<number> {
  if (config.mtu !== undefined) return config.mtu;
  const ways: Way[] = [];
  for (const [overhead, named] of placesByOverhead(config)) {
    const mtus = host.underlayMtus(await resolveAll(named), interfaceName);
    for (const mtu of mtus.length > 0 ? mtus : [0]) ways.push({ mtu, overhead });
  }
  return innerMtu(ways);
}

/** Where peers are, by what their encapsulation takes of the underlay's MTU. */
function placesByOverhead(config: Config): Map<number, HostPort[]> {
  const places = new Map<number, HostPort[]>();
  const add = (overhead: number, place?: HostPort): void => {
    const known = places.get(overhead) ?? [];
    if (place) known.push(place);
    places.set(overhead, known);
  };
  for (const { sealedVni, endpoint } of config.peers) {
    add(overheadOf(sealedVni === undefined ? 'wireguard' : 'vxlan-sealed', 6), endpoint);
  }
  for (const { carrier, endpoint } of config.clearPeers) {
    const { address, port } = endpoint;
    add(overheadOf(carrier.kind, address.family), { host: address.text, port });
  }
  if (places.size === 0) add(overheadOf('wireguard', 6));
  return places;
}

/** What a message to any peer is longer than its inner packet; without peers, WireGuard's. */
function messageOverhead(config: Config): number {
  const sealed = config.peers.map(({ sealedVni }) => (sealedVni ? 'vxlan-sealed' : 'wireguard'));
  const clear = config.clearPeers.map(({ carrier }) => carrier.kind);
  const kinds = [...sealed, ...clear];
  const ways = kinds.length > 0 ? kinds : (['wireguard'] as const);
  return Math.max(...ways.map((kind) => overheadOf(kind, 6) - OUTER_HEADERS));
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
