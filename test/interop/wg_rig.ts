/**
 * Two heddles that Debian's `wg` drives. It finds an interface by its socket's path, which all
 * namespaces share: so the interfaces have names of this process.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Finished, Lab, type LabHost, requireTools } from '../support/netns.js';
import { FAR, NEAR, neighbours, PORT, tunnels } from './pair.js';
import { HeddleEnd, type LabPeer, type LabTunnel } from './tunnels.js';

/** Where `wg` looks. */
const WG_FOLDER = '/var/run/wireguard';
export const UNDER = { near: '192.0.2.1', far: '192.0.2.2' };

export class WgEnd {
  readonly host: LabHost;
  readonly tunnel: LabTunnel;
  readonly heddle: HeddleEnd;
  readonly #folder: string;
  #files = 0;

  constructor(lab: Lab, host: LabHost, tunnel: LabTunnel, heddle: HeddleEnd) {
    this.host = host;
    this.tunnel = tunnel;
    this.heddle = heddle;
    this.#folder = mkdtempSync(join(lab.folder, 'wg-'));
  }

  get name(): string {
    return this.tunnel.interface;
  }

  /** `wg`, which must succeed; what it printed. */
  wg(...words: readonly string[]): Promise<string> {
    return this.host.must(['wg', ...words]);
  }

  tryWg(...words: readonly string[]): Promise<Finished> {
    return this.host.run(['wg', ...words]);
  }

  /** `wg set` of this interface. */
  set(...words: readonly string[]): Promise<string> {
    return this.wg('set', this.name, ...words);
  }

  /** A private file with this content. */
  file(content: string): string {
    const path = join(this.#folder, String(this.#files++));
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  }

  /** The fields of `wg show IFACE dump`: the interface's, then each peer's by its public key. */
  async dump(): Promise<{ own: string[]; peers: Map<string, DumpedPeer> }> {
    const [first = '', ...others] = (await this.wg('show', this.name, 'dump')).trim().split('\n');
    const peers = new Map<string, DumpedPeer>();
    for (const line of others) {
      const [key = '', psk = '', endpoint = '', allowed = '', ...rest] = line.split('\t');
      const [handshake = '', rx = '', tx = '', keepalive = ''] = rest;
      const allowedIps = allowed === '(none)' ? [] : allowed.split(',').sort();
      peers.set(key, { psk, endpoint, allowedIps, handshake, rx, tx, keepalive });
    }
    return { own: first.split('\t'), peers };
  }
}

export interface DumpedPeer {
  readonly psk: string;
  readonly endpoint: string;
  readonly allowedIps: readonly string[];
  readonly handshake: string;
  readonly rx: string;
  readonly tx: string;
  readonly keepalive: string;
}

export interface WgRig {
  readonly lab: Lab;
  readonly near: WgEnd;
  readonly far: WgEnd;
  readonly nearKey: string;
  readonly farKey: string;
}

/** Removed when `use` ends. `others`: peers of the near end besides the far one. */
export async function withWgRig(
  use: (rig: WgRig) => Promise<void>,
  others: readonly LabPeer[] = [],
): Promise<void> {
  requireTools({
    ping: 'iputils-ping',
    wg: 'wireguard-tools',
    iperf3: 'iperf3',
    tcpdump: 'tcpdump',
  });
  const lab = new Lab();
  try {
    const hosts = neighbours(lab, [`${UNDER.near}/24`], [`${UNDER.far}/24`]);
    const made = tunnels({
      near: { name: 'far', endpoint: `${UNDER.far}:${PORT}` },
      far: { name: 'near', endpoint: `${UNDER.near}:${PORT}` },
    });
    const [near, far] = await Promise.all([
      start(lab, hosts.near, {
        ...made.near,
        interface: `wn${process.pid}`,
        peers: [...made.near.peers, ...others],
      }),
      start(lab, hosts.far, { ...made.far, interface: `wf${process.pid}` }),
    ]);
    const keys = { nearKey: keyOf(made.far), farKey: keyOf(made.near) };
    await use({ lab, near, far, ...keys });
  } finally {
    lab.remove();
  }
}

async function start(lab: Lab, host: LabHost, tunnel: LabTunnel): Promise<WgEnd> {
  // The end of the lab kills the daemon.
  lab.onRemove(() => rmSync(join(WG_FOLDER, `${tunnel.interface}.sock`), { force: true }));
  return new WgEnd(lab, host, tunnel, await HeddleEnd.start(lab, host, tunnel, WG_FOLDER));
}

/** The key of its only peer. */
function keyOf(tunnel: LabTunnel): string {
  return tunnel.peers[0]?.publicKey ?? '';
}

/** What both ends of the pair have of each other. */
export const ALLOWED = {
  near: [`${NEAR.inner}/32`, `${NEAR.inner6}/128`],
  far: [`${FAR.inner}/32`, `${FAR.inner6}/128`],
};
