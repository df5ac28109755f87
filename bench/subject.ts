/** What is compared: a tunnel between two hosts of its own, or what stands in for one. */

import { ip, type Lab, type LabHost, waitUntil } from '../test/support/netns.js';
import { packetsOf } from './flood_figures.js';
import type { Rivals } from './rivals.js';

/** On the wire between the hosts. */
export const OUTER = { near: '192.0.2.1', far: '192.0.2.2' };
/** In the tunnel. */
export const INNER = { near: '10.77.0.1', far: '10.77.0.2' };
export const PORT = 51820;
/** What WireGuard leaves of 1500 bytes; all tunnels that can have it. */
export const INNER_MTU = 1420;

export interface Subject {
  readonly id: string;
  readonly title: string;
  readonly version: string;
  readonly near: LabHost;
  readonly far: LabHost;
  /** The address of the far host that is reached through the tunnel. */
  readonly farAddress: string;
  /** Of the near and the far daemon; none where the kernel does it. */
  readonly pids: readonly number[];
  /** How many packets of a flood have come out of the tunnel at the far host, by its own count. */
  readonly delivered: () => Promise<number>;
}

export interface Hosts {
  readonly near: LabHost;
  readonly far: LabHost;
}

export interface Surroundings {
  readonly lab: Lab;
  readonly rivals: Rivals;
  /** The compiled one-packet proxy. */
  readonly proxy: string;
  readonly heddleVersion: string;
}

export interface SubjectSpec {
  readonly id: string;
  readonly title: string;
  /** Resolves when packets cross; rejects with why it cannot be compared. */
  readonly start: (hosts: Hosts, around: Surroundings) => Promise<Subject>;
}

/** Two hosts joined by a veth pair, for one subject. */
export function makeHosts(lab: Lab, label: string): Hosts {
  const [near, far] = [lab.host(`${label}n`), lab.host(`${label}f`)];
  lab.link('under', [
    [near, [`${OUTER.near}/24`]],
    [far, [`${OUTER.far}/24`]],
  ]);
  return { near, far };
}

/** Gives a device its addresses and brings it up. */
export function raise(
  host: LabHost,
  device: string,
  { address, mtu }: { address: string; mtu?: number },
): void {
  if (mtu !== undefined) ip(host, 'link', 'set', device, 'mtu', String(mtu));
  ip(host, 'link', 'set', device, 'up');
  ip(host, 'addr', 'add', `${address}/24`, 'dev', device);
}

const REACH_LIMIT_MS = 15_000;

/** Until a ping comes back. */
export function waitForAnswer({ near }: Hosts, address: string): Promise<void> {
  return waitUntil(`${near.name} reaches ${address}`, REACH_LIMIT_MS, async () => {
    return (await near.run(['ping', '-c', '1', '-W', '1', address])).code === 0;
  });
}

interface Statistics {
  readonly stats64?: { readonly rx: { readonly bytes: number; readonly packets: number } };
}

/**
 * Counts by a device of the far host: what the tunnel has written to it. `headerBytes` stand
 * before the payload of a packet as this kind of device counts it.
 */
export function deviceCount(
  host: LabHost,
  device: string,
  headerBytes: number,
): () => Promise<number> {
  return async () => {
    const text = await host.must(['ip', '-s', '-j', 'link', 'show', 'dev', device]);
    const parsed: readonly Statistics[] = JSON.parse(text);
    const rx = parsed[0]?.stats64?.rx;
    if (rx === undefined) throw new Error(`"${device}" has no counters in ${host.name}`);
    return packetsOf({ bytes: rx.bytes, units: rx.packets }, headerBytes);
  };
}
