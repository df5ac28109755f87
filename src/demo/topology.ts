/**
 * The network of the demo: three hosts and a switch, each a network namespace of its own, named
 * after the process that made them. Nothing is made in the namespace of this host.
 */

import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from './command.js';

const PREFIX = 'heddle-demo';
const NAMESPACES = '/run/netns';
export const HOST_NAMES = ['alpha', 'beta', 'gamma'] as const;
export type HostName = (typeof HOST_NAMES)[number];
/** The switch's namespace; its ports are named after the hosts. */
export const SWITCH = 'switch';

export interface DemoHost {
  readonly name: HostName;
  readonly namespace: string;
  /** Of its one interface, eth0 (RFC 5737, documentation). */
  readonly outerAddress: string;
  /** In the tunnel. */
  readonly innerAddresses: readonly string[];
  /** Of its VTEP, in clear VXLAN (RFC 7042, documentation). */
  readonly vtepMac: string;
}

export function demoHosts(pid: number): DemoHost[] {
  return HOST_NAMES.map((name, i) => ({
    name,
    namespace: namespaceOf(pid, name),
    outerAddress: `192.0.2.${i + 1}`,
    innerAddresses: [`10.77.0.${i + 1}`, `fd77::${i + 1}`],
    vtepMac: `02:00:5e:00:53:0${i + 1}`,
  }));
}

export function namespaceOf(pid: number, name: string): string {
  return `${PREFIX}-${pid}-${name}`;
}

/**
 * Makes the namespaces, the switch and the cables. What a failure leaves, `removeNetwork` removes.
 */
export async function makeNetwork(pid: number): Promise<void> {
  const hosts = demoHosts(pid);
  const hub = namespaceOf(pid, SWITCH);
  for (const name of [SWITCH, ...HOST_NAMES]) {
    await runCommand('ip', ['netns', 'add', namespaceOf(pid, name)]);
  }
  const ports = hosts.flatMap(({ name, namespace }) => [
    `link add ${name} type veth peer name eth0 netns ${namespace}`,
    `link set ${name} addrgenmode none master br0 up`,
  ]);
  const bridge = ['link add br0 type bridge', 'link set br0 addrgenmode none up'];
  await runIpBatch(hub, [...bridge, ...ports]);
  for (const { namespace, outerAddress } of hosts) {
    await runIpBatch(namespace, [
      'link set lo up',
      'link set eth0 addrgenmode none',
      `address add ${outerAddress}/24 dev eth0`,
      'link set eth0 up',
    ]);
  }
}

async function runIpBatch(namespace: string, lines: readonly string[]): Promise<void> {
  await runCommand('ip', ['-n', namespace, '-batch', '-'], `${lines.join('\n')}\n`);
}

/** Removes what is there of this process's namespaces, and ends what still runs in them. */
export async function removeNetwork(pid: number): Promise<void> {
  const mine = listNamespaces().filter((namespace) => ownerOf(namespace) === pid);
  for (const namespace of mine) {
    const { output } = await runCommand('ip', ['netns', 'pids', namespace]);
    for (const each of output.split('\n').filter((line) => line !== '')) kill(Number(each));
    await runCommand('ip', ['netns', 'delete', namespace]);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    return;
  }
}

export function makeFolder(pid: number): string {
  return fs.mkdtempSync(join(tmpdir(), `${PREFIX}-${pid}-`));
}

/** Removes what demos left that were killed before they could; the number of them. */
export async function removeStale(): Promise<number> {
  const folders = fs.readdirSync(tmpdir()).filter((name) => ownerOf(name) !== undefined);
  const owners = new Set([...listNamespaces(), ...folders].map(ownerOf));
  const stale = [...owners].filter((pid) => pid !== undefined).filter((pid) => !isDemo(pid));
  for (const pid of stale) {
    await removeNetwork(pid);
    for (const folder of folders.filter((name) => ownerOf(name) === pid)) {
      fs.rmSync(join(tmpdir(), folder), { recursive: true, force: true });
    }
  }
  return stale.length;
}

function listNamespaces(): string[] {
  if (!fs.existsSync(NAMESPACES)) return [];
  return fs.readdirSync(NAMESPACES).filter((name) => ownerOf(name) !== undefined);
}

/** The process that made the namespace or folder of this name; undefined where no demo did. */
export function ownerOf(name: string): number | undefined {
  const pid = new RegExp(`^${PREFIX}-(\\d+)-`).exec(name)?.[1];
  return pid === undefined ? undefined : Number(pid);
}

/** True for a process that is a demo; another may have got the number of one that is gone. */
function isDemo(pid: number): boolean {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('demo/main.js');
  } catch {
    return false;
  }
}
