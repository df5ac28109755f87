/**
 * Tunnel ends for tests, started as a person would: the heddle command, and Debian's wireguard-go
 * with wg.
 */

import type { ChildProcess } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toBase64 } from '../../src/base/bytes.js';
import { SystemRandom } from '../../src/io/entropy.js';
import { SodiumSuite } from '../../src/io/sodium.js';
import type { OffloadSwitches } from '../../src/node/offloads.js';
import { type Finished, ip, type Lab, type LabHost, waitUntil } from '../support/netns.js';

/** This file runs as dist/test/interop/tunnels.js. */
export const HEDDLE = resolve(dirname(fileURLToPath(import.meta.url)), '../../../src/cli/heddle');
const START_LIMIT_MS = 20_000;

export interface KeyPair {
  readonly privateKey: string;
  readonly publicKey: string;
}

export function makeKeyPair(): KeyPair {
  const privateKey = new SystemRandom().bytes(32);
  privateKey[0] = (privateKey[0] ?? 0) & 248;
  privateKey[31] = ((privateKey[31] ?? 0) & 127) | 64;
  const publicKey = new SodiumSuite().publicKey(privateKey);
  return { privateKey: toBase64(privateKey), publicKey: toBase64(publicKey) };
}

export function makePresharedKey(): string {
  return toBase64(new SystemRandom().bytes(32));
}

/** A peer as both kinds of ends are configured with it. */
export interface LabPeer {
  readonly name?: string;
  /** A clear peer has none. */
  readonly publicKey?: string;
  readonly protocol?: 'wireguard' | 'heddle';
  readonly encapsulation?: 'wireguard' | 'vxlan-sealed' | 'vxlan' | 'udp';
  readonly vni?: number;
  readonly vtepMac?: string;
  readonly plaintextUntil?: string;
  readonly presharedKey?: string;
  readonly endpoint?: string;
  readonly allowedIps: readonly string[];
  readonly persistentKeepalive?: number;
}

export interface LabTunnel {
  readonly interface: string;
  readonly privateKey: string;
  readonly listenPort: number;
  readonly vtepMac?: string;
  readonly addresses: readonly string[];
  readonly mtu?: number;
  readonly table?: string | number;
  readonly fwMark?: number;
  readonly datapath?: 'native' | 'reference';
  readonly ciphers?: readonly string[];
  readonly offloads?: OffloadSwitches;
  readonly lanes?: number | 'auto';
  readonly peers: readonly LabPeer[];
}

export interface PeerStatus {
  readonly name: string;
  readonly endpoint: string | null;
  readonly rxBytes: number;
  readonly txBytes: number;
  readonly protocol: 'wireguard' | 'heddle' | null;
  readonly cipher: string | null;
  readonly lanes: number | null;
  readonly trustsChecksums: boolean | null;
  readonly latestHandshake: string | null;
  readonly dropsByReason: Readonly<Record<string, number>>;
}

export interface Status {
  readonly pid: number;
  readonly interface: string;
  readonly listenPort: number;
  readonly mtu: number;
  /** What others changed in the host and was put right, by kind. */
  readonly repairs: Readonly<Record<string, number>>;
  readonly peers: readonly PeerStatus[];
  readonly counters: Readonly<Record<string, number>>;
  readonly dropsByReason: Readonly<Record<string, number>>;
}

/** A running heddle daemon. */
export class HeddleEnd {
  readonly host: LabHost;
  readonly child: ChildProcess;
  /** Its configuration file. */
  readonly file: string;
  readonly #env: Readonly<Record<string, string>>;
  #said = '';

  private constructor(host: LabHost, { file, env }: Prepared, through: readonly string[]) {
    this.host = host;
    this.file = file;
    this.#env = env;
    this.child = host.start([...through, HEDDLE, 'up', '-c', file], env);
    this.child.stdout?.on('data', (text) => {
      this.#said += text;
    });
    this.child.stderr?.on('data', (text) => {
      this.#said += text;
    });
  }

  /** Everything the daemon printed so far. */
  get said(): string {
    return this.#said;
  }

  /**
   * Writes the configuration and starts the daemon, by the command `through` where one is given;
   * resolves when it says that it is ready.
   */
  static async start(
    lab: Lab,
    host: LabHost,
    tunnel: LabTunnel,
    wgFolder?: string,
    through: readonly string[] = [],
  ): Promise<HeddleEnd> {
    const end = new HeddleEnd(host, prepareHeddle(lab, host, tunnel, wgFolder), through);
    await waitUntil(`heddle is ready in ${host.name}`, START_LIMIT_MS, () => {
      if (end.child.exitCode !== null) throw new Error(`heddle ended: ${end.said}`);
      return /\bready\b/.test(end.said);
    });
    return end;
  }

  run(...args: readonly string[]): Promise<Finished> {
    return this.host.run([HEDDLE, ...args], { env: this.#env });
  }

  async status(): Promise<Status> {
    const { stdout, stderr, code } = await this.run('status', '--json');
    if (code !== 0 && code !== 4) throw new Error(`heddle status exited with ${code}: ${stderr}`);
    return JSON.parse(stdout) as Status;
  }

  async peer(index = 0): Promise<PeerStatus> {
    const peer = (await this.status()).peers[index];
    if (!peer) throw new Error(`there is no peer ${index}`);
    return peer;
  }

  /** `heddle down`, and waits for the end of the process. */
  async stop(): Promise<Finished> {
    const ended = new Promise((done) => this.child.once('exit', done));
    const finished = await this.run('down');
    if (this.child.exitCode === null) await ended;
    return finished;
  }
}

interface Prepared {
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * The configuration file and environment of a daemon on this host, in folders of the interface's
 * own, but for WireGuard's socket where `wgFolder` says so. JSON is YAML.
 */
export function prepareHeddle(
  lab: Lab,
  host: LabHost,
  tunnel: LabTunnel,
  wgFolder?: string,
): Prepared {
  const folder = join(lab.folder, host.name, tunnel.interface);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, `${tunnel.interface}.yaml`);
  writeFileSync(file, JSON.stringify(tunnel), { mode: 0o600 });
  const [state, run] = [join(folder, 'state'), join(folder, 'run')];
  const wg = wgFolder ?? join(folder, 'wg');
  const env = { HEDDLE_STATE_DIR: state, HEDDLE_RUN_DIR: run, HEDDLE_WG_DIR: wg };
  return { file, env };
}

/**
 * A running wireguard-go. Its interface's name must be unique on the machine: its socket's path is
 * made of it.
 */
export class WireguardEnd {
  readonly host: LabHost;
  readonly interface: string;

  private constructor(host: LabHost, name: string) {
    this.host = host;
    this.interface = name;
  }

  static async start(lab: Lab, host: LabHost, tunnel: LabTunnel): Promise<WireguardEnd> {
    const end = new WireguardEnd(host, tunnel.interface);
    const child = host.start(['wireguard-go', '-f', tunnel.interface], {
      WG_PROCESS_FOREGROUND: '1',
    });
    const socket = `/var/run/wireguard/${tunnel.interface}.sock`;
    lab.onRemove(() => rmSync(socket, { force: true }));
    // Not by wg: it removes a socket that is bound and does not listen yet.
    await waitUntil(`wireguard-go is ready in ${host.name}`, START_LIMIT_MS, async () => {
      if (child.exitCode !== null) throw new Error(`wireguard-go exited with ${child.exitCode}`);
      return await isListening(socket);
    });
    const folder = join(lab.folder, host.name);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const file = join(folder, 'wg.conf');
    writeFileSync(file, wireguardFile(tunnel), { mode: 0o600 });
    await host.must(['wg', 'setconf', tunnel.interface, file]);
    ip(host, 'link', 'set', tunnel.interface, 'mtu', String(tunnel.mtu ?? 1420), 'up');
    for (const address of tunnel.addresses) {
      const quick = address.includes(':') ? ['nodad'] : [];
      ip(host, 'addr', 'add', address, 'dev', tunnel.interface, ...quick);
    }
    return end;
  }

  /** Received and sent bytes of its only peer, as `wg show` counts. */
  async transfer(): Promise<{ rxBytes: number; txBytes: number }> {
    const line = await this.host.must(['wg', 'show', this.interface, 'transfer']);
    const [, rx, tx] = line.trim().split('\t');
    return { rxBytes: Number(rx), txBytes: Number(tx) };
  }
}

function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(path);
    connection.once('connect', () => {
      connection.destroy();
      resolve(true);
    });
    connection.once('error', () => resolve(false));
  });
}

function wireguardFile(tunnel: LabTunnel): string {
  const lines = [
    '[Interface]',
    `PrivateKey = ${tunnel.privateKey}`,
    `ListenPort = ${tunnel.listenPort}`,
  ];
  for (const peer of tunnel.peers) {
    lines.push('[Peer]', `PublicKey = ${peer.publicKey}`);
    if (peer.presharedKey !== undefined) lines.push(`PresharedKey = ${peer.presharedKey}`);
    if (peer.endpoint !== undefined) lines.push(`Endpoint = ${peer.endpoint}`);
    lines.push(`AllowedIPs = ${peer.allowedIps.join(', ')}`);
  }
  return `${lines.join('\n')}\n`;
}
