/**
 * Two hosts with a tunnel between them, and a third that is linked to the near one alone and lies
 * on its way to everywhere else.
 */

import * as fs from 'node:fs';
import * as assert from 'uvu/assert';
import { ip, Lab, type LabHost, reaches, requireTools } from '../support/netns.js';
import { HeddleEnd, type KeyPair, type LabTunnel, makeKeyPair } from './tunnels.js';

export const NEAR = { under: '192.0.2.1', inner: '10.77.0.1', evil: '198.18.0.1' };
export const FAR = { under: '192.0.2.2', inner: '10.77.0.2' };
export const FOE = { evil: '198.18.0.2', inner: '10.77.0.3' };
export const PORT = 51820;
const TICKS_PER_SECOND = 100;

export interface Rig {
  readonly lab: Lab;
  readonly near: LabHost;
  readonly far: LabHost;
  readonly foe: LabHost;
  readonly foeKeys: KeyPair;
  readonly nearKey: string;
  readonly nearTunnel: LabTunnel;
  readonly farTunnel: LabTunnel;
}

const TOOLS = {
  ping: 'iputils-ping',
  tcpdump: 'tcpdump',
  nft: 'nftables',
  strace: 'strace',
  python3: 'python3',
};

/** Removed when `use` ends. */
export async function withRig(use: (rig: Rig) => Promise<void>): Promise<void> {
  requireTools(TOOLS);
  const lab = new Lab();
  try {
    await use(makeRig(lab));
  } finally {
    lab.remove();
  }
}

function makeRig(lab: Lab): Rig {
  const [near, far, foe] = [lab.host('n'), lab.host('f'), lab.host('x')];
  lab.link('under', [
    [near, [`${NEAR.under}/24`]],
    [far, [`${FAR.under}/24`]],
  ]);
  lab.link('evil', [
    [near, [`${NEAR.evil}/24`]],
    [foe, [`${FOE.evil}/24`]],
  ]);
  ip(near, 'route', 'add', 'default', 'via', FOE.evil);
  const [nearKeys, farKeys, foeKeys] = [makeKeyPair(), makeKeyPair(), makeKeyPair()];
  const shared = { interface: 'hd0', listenPort: PORT, mtu: 1420 };
  const farPeer = { publicKey: farKeys.publicKey, endpoint: `${FAR.under}:${PORT}` };
  const nearPeer = { publicKey: nearKeys.publicKey, endpoint: `${NEAR.under}:${PORT}` };
  return {
    ...{ lab, near, far, foe, foeKeys },
    nearKey: nearKeys.publicKey,
    nearTunnel: {
      ...shared,
      privateKey: nearKeys.privateKey,
      addresses: [`${NEAR.inner}/24`],
      peers: [
        { name: 'far', ...farPeer, allowedIps: [`${FAR.inner}/32`] },
        { name: 'foe', publicKey: foeKeys.publicKey, allowedIps: [`${FOE.inner}/32`] },
      ],
    },
    farTunnel: {
      ...shared,
      privateKey: farKeys.privateKey,
      addresses: [`${FAR.inner}/24`],
      peers: [{ name: 'near', ...nearPeer, allowedIps: [`${NEAR.inner}/32`] }],
    },
  };
}

/** Both daemons, with a session between them. */
export async function startBoth({ lab, near, far, nearTunnel, farTunnel }: Rig) {
  const starting = [HeddleEnd.start(lab, near, nearTunnel), HeddleEnd.start(lab, far, farTunnel)];
  const [nearEnd, farEnd] = await Promise.all(starting);
  if (!nearEnd || !farEnd) throw new Error('both ends start');
  assert.ok(await reaches(near, FAR.inner), 'the tunnel carries a ping');
  return { nearEnd, farEnd };
}

/** Pings for so long, every 10 ms; how many went out and how many were lost. */
export async function pingAlong(
  from: LabHost,
  to: string,
  seconds: number,
): Promise<{ sent: number; lost: number }> {
  const count = String(seconds * 100);
  const { stdout } = await from.run(['ping', '-q', '-i', '0.01', '-W', '1', '-c', count, to]);
  const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(stdout) ?? [];
  return { sent: Number(sent), lost: Number(sent) - Number(received) };
}

/** A reading of everything that the daemon counts, by name. */
export async function readCounts(end: HeddleEnd): Promise<Record<string, number>> {
  const { counters, dropsByReason } = await end.status();
  return { ...counters, ...dropsByReason };
}

/** What of `after` differs from `before`, by how much. */
export function growth(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
): Record<string, number> {
  const changed = Object.entries(after).map(
    ([name, value]) => [name, value - (before[name] ?? 0)] as const,
  );
  return Object.fromEntries(changed.filter(([, by]) => by !== 0));
}

export function residentBytes(pid: number): number {
  const kibibytes = /^VmRSS:\s*(\d+) kB/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kibibytes) * 1024;
}

/** Processor time of all threads, in milliseconds. */
export function processorMs(pid: number): number {
  const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS_PER_SECOND;
}
