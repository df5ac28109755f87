/** The userspace rivals: wireguard-go, nebula, and a proxy of one packet a system call. */

import type { ChildProcess } from 'node:child_process';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type KeyPair, makeKeyPair } from '../test/interop/tunnels.js';
import type { LabHost } from '../test/support/netns.js';
import { waitUntil } from '../test/support/netns.js';
import type { Rival, RivalName } from './rivals.js';
import {
  deviceCount,
  type Hosts,
  INNER,
  INNER_MTU,
  OUTER,
  PORT,
  raise,
  type Subject,
  type SubjectSpec,
  type Surroundings,
  waitForAnswer,
} from './subject.js';

/** IPv4 and UDP, as a TUN counts. */
const TUN_HEADERS = 20 + 8;
const START_LIMIT_MS = 15_000;
const SIDES = ['near', 'far'] as const;
type Side = (typeof SIDES)[number];

function otherOf(side: Side): Side {
  return side === 'near' ? 'far' : 'near';
}

function rivalOf({ rivals }: Surroundings, name: RivalName): Rival {
  const rival = rivals.found.get(name);
  if (rival === undefined) throw new Error(`it is not here; apt-get install -y ${name}`);
  return rival;
}

function pidsOf(children: readonly ChildProcess[]): number[] {
  return children.map(({ pid }) => pid).filter((pid) => pid !== undefined);
}

export const WIREGUARD_GO: SubjectSpec = {
  id: 'wireguard_go',
  title: 'wireguard-go',
  start: async (hosts: Hosts, around: Surroundings): Promise<Subject> => {
    const rival = rivalOf(around, 'wireguard-go');
    const keys = { near: makeKeyPair(), far: makeKeyPair() };
    const children: ChildProcess[] = [];
    for (const side of SIDES) {
      children.push(await startWireguardGo(hosts[side], side, keys, { rival, around }));
    }
    await waitForAnswer(hosts, INNER.far);
    return {
      id: 'wireguard_go',
      title: 'wireguard-go',
      version: rival.version,
      ...hosts,
      farAddress: INNER.far,
      pids: pidsOf(children),
      delivered: deviceCount(hosts.far, wireguardName('far'), TUN_HEADERS),
    };
  },
};

/** All namespaces share the folder of its sockets, which are called by the interface. */
function wireguardName(side: Side): string {
  return `wb${process.pid}${side.slice(0, 1)}`;
}

async function startWireguardGo(
  host: LabHost,
  side: Side,
  keys: Readonly<Record<Side, KeyPair>>,
  { rival, around }: { rival: Rival; around: Surroundings },
): Promise<ChildProcess> {
  const name = wireguardName(side);
  const socket = `/var/run/wireguard/${name}.sock`;
  around.lab.onRemove(() => rmSync(socket, { force: true }));
  const child = host.start([rival.program('wireguard-go'), '-f', name], {
    WG_PROCESS_FOREGROUND: '1',
    LOG_LEVEL: 'error',
  });
  await waitUntil('wireguard-go is ready', START_LIMIT_MS, () => {
    if (child.exitCode !== null) throw new Error(`wireguard-go exited with ${child.exitCode}`);
    return listens(socket);
  });
  const other = otherOf(side);
  const said = await ask(socket, [
    'set=1',
    `private_key=${hex(keys[side].privateKey)}`,
    `listen_port=${PORT}`,
    `public_key=${hex(keys[other].publicKey)}`,
    `endpoint=${OUTER[other]}:${PORT}`,
    `allowed_ip=${INNER[other]}/32`,
  ]);
  if (!/^errno=0$/m.test(said)) throw new Error(`wireguard-go refused its configuration: ${said}`);
  raise(host, name, { address: INNER[side], mtu: INNER_MTU });
  return child;
}

function hex(base64: string): string {
  return Buffer.from(base64, 'base64').toString('hex');
}

function listens(path: string): Promise<boolean> {
  return new Promise((done) => {
    const connection = connect(path, () => {
      connection.destroy();
      done(true);
    });
    connection.once('error', () => done(false));
  });
}

/** A question in WireGuard's configuration protocol; its answer. */
function ask(path: string, lines: readonly string[]): Promise<string> {
  return new Promise((done, fail) => {
    let text = '';
    const connection = connect(path, () => connection.write(`${lines.join('\n')}\n\n`));
    connection.on('data', (chunk) => {
      text += String(chunk);
      if (text.endsWith('\n\n')) connection.end();
    });
    connection.once('close', () => done(text));
    connection.once('error', fail);
  });
}

/** nebula with a cipher; `offloads` is undefined where its version has no switch for them. */
export function nebulaSpec(
  cipher: 'aes' | 'chachapoly',
  offloads: boolean | undefined,
): SubjectSpec {
  const isPlain = offloads === false;
  const id = `nebula_${cipher === 'aes' ? 'aes' : 'chacha'}${isPlain ? '_plain' : ''}`;
  const form = cipher === 'aes' ? 'AES' : 'ChaCha';
  const suffix = offloads === undefined ? '' : isPlain ? ', offloads off' : ', offloads on';
  const title = `nebula ${form}${suffix}`;
  return {
    id,
    title,
    start: async (hosts: Hosts, around: Surroundings): Promise<Subject> => {
      const rival = rivalOf(around, 'nebula');
      const folder = join(around.lab.folder, id);
      mkdirSync(folder, { mode: 0o700 });
      issueCertificates(rival.program('nebula-cert'), folder);
      const children = SIDES.map((side) => {
        const file = join(folder, `${side}.json`);
        const config = nebulaConfig(side, {
          cipher,
          folder,
          switches: switchesOf(rival, offloads),
        });
        writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
        return hosts[side].start([rival.program('nebula'), '-config', file]);
      });
      await waitForAnswer(hosts, INNER.far);
      return {
        id,
        title,
        version: rival.version,
        ...hosts,
        farAddress: INNER.far,
        pids: pidsOf(children),
        delivered: deviceCount(hosts.far, 'neb0', TUN_HEADERS),
      };
    },
  };
}

function issueCertificates(program: string, folder: string): void {
  const run = (...words: string[]): void => {
    execFileSync(program, words, { cwd: folder, stdio: 'pipe' });
  };
  run('ca', '-name', 'bench', '-out-crt', 'ca.crt', '-out-key', 'ca.key');
  for (const side of SIDES) {
    const out = ['-out-crt', `${side}.crt`, '-out-key', `${side}.key`];
    const ca = ['-ca-crt', 'ca.crt', '-ca-key', 'ca.key'];
    run('sign', '-name', side, '-ip', `${INNER[side]}/24`, ...ca, ...out);
  }
}

interface NebulaChoice {
  readonly cipher: string;
  readonly folder: string;
  /** `listen.udp_offloads`: true. */
  readonly switches: ReadonlyMap<string, boolean>;
}

function nebulaConfig(side: Side, { cipher, folder, switches }: NebulaChoice): unknown {
  const other = otherOf(side);
  const anything = [{ port: 'any', proto: 'any', host: 'any' }];
  const switchesIn = (section: string): Record<string, boolean> =>
    Object.fromEntries(
      [...switches]
        .filter(([name]) => name.startsWith(`${section}.`))
        .map(([name, value]) => [name.slice(section.length + 1), value]),
    );
  return {
    pki: {
      ca: join(folder, 'ca.crt'),
      cert: join(folder, `${side}.crt`),
      key: join(folder, `${side}.key`),
    },
    static_host_map: { [INNER[other]]: [`${OUTER[other]}:${PORT}`] },
    lighthouse: { am_lighthouse: false, hosts: [] },
    listen: { host: '0.0.0.0', port: PORT, ...NEBULA_BUFFERS, ...switchesIn('listen') },
    cipher,
    tun: { dev: 'neb0', mtu: INNER_MTU, tx_queue: 1000, ...switchesIn('tun') },
    logging: { level: 'error' },
    firewall: { outbound: anything, inbound: anything },
  };
}

/** What the other tunnels ask for, too; its default is the system's. */
const NEBULA_BUFFERS = { read_buffer: 8 << 20, write_buffer: 8 << 20 };

function switchesOf(rival: Rival, value: boolean | undefined): ReadonlyMap<string, boolean> {
  if (value === undefined) return new Map();
  return new Map(offloadSwitches(rival).map((name) => [name, value]));
}

/**
 * The configuration keys by which this nebula turns its offloads on and off, if it has any. Go puts
 * the strings of a program behind each other without anything between.
 */
export function offloadSwitches(rival: Rival): string[] {
  const text = readFileSync(rival.program('nebula'), 'latin1');
  return [...new Set(text.match(/(listen|tun)\.[a-z_]{0,16}?offloads?/g) ?? [])].sort();
}

export const PROXY: SubjectSpec = {
  id: 'proxy',
  title: 'proxy, one packet a syscall',
  start: async (hosts: Hosts, { proxy }: Surroundings): Promise<Subject> => {
    const children: ChildProcess[] = [];
    for (const side of SIDES) {
      const ends = [OUTER[side], OUTER[otherOf(side)], String(PORT)];
      const child = hosts[side].start([proxy, 'px0', ...ends]);
      await new Promise((ready) => child.stdout?.once('data', ready));
      raise(hosts[side], 'px0', { address: INNER[side], mtu: INNER_MTU });
      children.push(child);
    }
    await waitForAnswer(hosts, INNER.far);
    return {
      id: 'proxy',
      title: 'proxy, one packet a syscall',
      version: '',
      ...hosts,
      farAddress: INNER.far,
      pids: pidsOf(children),
      delivered: deviceCount(hosts.far, 'px0', TUN_HEADERS),
    };
  },
};
