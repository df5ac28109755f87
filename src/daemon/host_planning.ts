/**
 * From a configuration to what the host needs for it: the MTU, measured where none is configured,
 * and the plan of addresses, routes and rules.
 */

import { type Address, type Endpoint, endpointOf, parseAddress } from '../base/address.js';
import type { Host } from '../io/host.js';
import { resolveHost } from '../io/resolver.js';
import type { Config, HostPort } from '../node/config.js';
import { type HostPlan, innerMtu, planHost } from '../route/host_plan.js';

/** Names looked up to measure the MTU of their way; more would only delay the start. */
const MEASURED_NAMES = 16;
const MEASURE_LIMIT_MS = 2_000;

export function allPrefixes(config: Config): Config['peers'][number]['allowedIps'] {
  return [...config.peers, ...config.clearPeers].flatMap((peer) => peer.allowedIps);
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
    addresses: config.addresses,
    mtu,
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
