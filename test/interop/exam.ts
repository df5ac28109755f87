/**
 * The topology of WireGuard's own exam (netns.sh): three namespaces, of which the middle one's
 * loopback is the underlay of both ends.
 *
 *   one                       middle                        two
 *   interface of "left"       left :1 --- lo --- :2 right   interface of "right"
 *   192.168.241.1, fd00::1                                  192.168.241.2, fd00::2
 *
 * Each daemon starts in the middle, where its UDP socket stays, and its interface is moved away.
 * Its addresses and routes are then the test's, as with `ip link add type wireguard` and `wg set`.
 */

import { present } from '../../src/base/assert.js';
import { ip, Lab, type LabHost, requireTools, waitUntil } from '../support/netns.js';
import { HeddleEnd, type KeyPair, type LabPeer, type LabTunnel, makeKeyPair } from './tunnels.js';

/** Where `wg` looks for the sockets of interfaces: of all namespaces together. */
const WG_FOLDER = '/var/run/wireguard';
const TOOLS = {
  ping: 'iputils-ping',
  wg: 'wireguard-tools',
  iperf3: 'iperf3',
  nft: 'nftables',
  tcpdump: 'tcpdump',
  python3: 'python3',
};

export const INNER = {
  left: { 4: '192.168.241.1', 6: 'fd00::1' },
  right: { 4: '192.168.241.2', 6: 'fd00::2' },
} as const;

/** One end: a daemon of the middle and the namespace that its interface is in. */
export class ExamEnd {
  readonly host: LabHost;
  readonly daemon: HeddleEnd;
  readonly interface: string;
  readonly keys: KeyPair;

  constructor(host: LabHost, daemon: HeddleEnd, tunnel: LabTunnel, keys: KeyPair) {
    this.host = host;
    this.daemon = daemon;
    this.interface = tunnel.interface;
    this.keys = keys;
  }

  /** What `wg set` of the interface does. */
  async set(...words: readonly string[]): Promise<void> {
    await this.host.must(['wg', 'set', this.interface, ...words]);
  }

  /** The bytes of its only peer, as `wg` prints them. */
  async transfer(): Promise<{ rx: number; tx: number }> {
    const line = await this.host.must(['wg', 'show', this.interface, 'transfer']);
    const [, rx, tx] = line.trim().split('\t');
    return { rx: Number(rx), tx: Number(tx) };
  }

  /** Of its only peer, in seconds; 0: there was none. */
  async latestHandshake(): Promise<number> {
    const line = await this.host.must(['wg', 'show', this.interface, 'latest-handshakes']);
    return Number(line.trim().split('\t')[1]);
  }

  /** Of its only peer. */
  async endpoint(): Promise<string> {
    const line = await this.host.must(['wg', 'show', this.interface, 'endpoints']);
    return present(line.trim().split('\t')[1], 'a peer');
  }
}

export interface Exam {
  readonly lab: Lab;
  readonly middle: LabHost;
  readonly left: ExamEnd;
  readonly right: ExamEnd;
}

export interface ExamOptions {
  readonly outer?: 4 | 6;
  readonly mtu?: number;
  readonly left?: Partial<LabPeer>;
  readonly right?: Partial<LabPeer>;
}

let made = 0;

/** Sits for the exam; everything is removed when `use` ends. */
export async function withExam(
  use: (exam: Exam) => Promise<void>,
  options: ExamOptions = {},
): Promise<void> {
  await withExamLab(async (lab) => {
    const middle = lab.host('0');
    const keys = { left: makeKeyPair(), right: makeKeyPair() };
    const [ours, theirs] = describe(keys, options);
    const [left, right] = await Promise.all([
      startEnd({ lab, middle, host: lab.host('1'), tunnel: ours, keys: keys.left }),
      startEnd({ lab, middle, host: lab.host('2'), tunnel: theirs, keys: keys.right }),
    ]);
    for (const family of [4, 6] as const) {
      give(left, `${INNER.left[family]}/24`);
      give(right, `${INNER.right[family]}/24`);
    }
    await use({ lab, middle, left, right });
  });
}

/** For tests that make something else of the same tools. */
export async function withExamLab(use: (lab: Lab) => Promise<void>): Promise<void> {
  requireTools(TOOLS);
  const lab = new Lab();
  try {
    await use(lab);
  } finally {
    lab.remove();
  }
}

/** A name that is this process's alone, since `wg` tells interfaces by name. */
export function newInterface(): string {
  return `x${process.pid}n${made++}`;
}

interface EndParts {
  readonly lab: Lab;
  readonly middle: LabHost;
  readonly host: LabHost;
  readonly tunnel: LabTunnel;
  readonly keys: KeyPair;
}

/** Starts a daemon in the middle and moves its interface to the host. */
export async function startEnd({ lab, middle, host, tunnel, keys }: EndParts): Promise<ExamEnd> {
  const daemon = await HeddleEnd.start(lab, middle, tunnel, WG_FOLDER);
  const end = new ExamEnd(host, daemon, tunnel, keys);
  if (host !== middle) ip(middle, 'link', 'set', tunnel.interface, 'netns', host.name);
  ip(host, 'link', 'set', tunnel.interface, 'addrgenmode', 'none', 'up');
  return end;
}

export function give(end: ExamEnd, address: string): void {
  const quick = address.includes(':') ? ['nodad'] : [];
  ip(end.host, 'addr', 'add', address, 'dev', end.interface, ...quick);
}

/** A bounded flood: every one of `count` must be answered. */
export async function floods(from: LabHost, to: string, count: number, ...options: string[]) {
  const words = ['-q', '-f', '-c', String(count), '-W', '1', ...options, to];
  const { stdout } = await from.run(['ping', ...words]);
  const received = Number(/, (\d+) received/.exec(stdout)?.[1]);
  if (received !== count) throw new Error(`${received} of ${count} to ${to} came back: ${stdout}`);
}

/** An iperf3 server that listens at `address`. */
export async function serve(host: LabHost, address: string): Promise<void> {
  const child = host.start(['iperf3', '-s', '--forceflush', '-B', address]);
  let said = '';
  child.stdout?.on('data', (text) => {
    said += text;
  });
  await waitUntil(`iperf3 listens at ${address}`, 5_000, () => said.includes('listening'));
}

export interface Carried {
  /** What arrived until the sender was ready. */
  readonly bytes: number;
  readonly each: readonly number[];
  /** Of datagrams, in percent. */
  readonly lost: number;
}

/** What iperf3 carries from `host` to a server. */
export async function carry(
  host: LabHost,
  to: string,
  ...options: readonly string[]
): Promise<Carried> {
  const said = await host.must(['iperf3', '-J', '-c', to, ...options], { limitMs: 15_000 });
  const { end } = JSON.parse(said) as {
    end: {
      streams: { receiver?: { bytes: number } }[];
      sum_received?: { bytes: number };
      sum?: { bytes: number; lost_percent: number };
    };
  };
  return {
    bytes: end.sum_received?.bytes ?? 0,
    each: end.streams.map(({ receiver }) => receiver?.bytes ?? 0),
    lost: end.sum?.lost_percent ?? 0,
  };
}

function describe(
  keys: { readonly left: KeyPair; readonly right: KeyPair },
  options: ExamOptions,
): [LabTunnel, LabTunnel] {
  const loopback = options.outer === 6 ? '[::1]' : '127.0.0.1';
  const shared = { addresses: [], mtu: options.mtu ?? 1420, table: 'off' };
  const both = (of: (typeof INNER)['left' | 'right']): string[] => [`${of[4]}/32`, `${of[6]}/128`];
  const right = { publicKey: keys.right.publicKey, endpoint: `${loopback}:2` };
  const left = { publicKey: keys.left.publicKey, endpoint: `${loopback}:1` };
  return [
    {
      ...shared,
      interface: newInterface(),
      listenPort: 1,
      privateKey: keys.left.privateKey,
      peers: [{ ...right, allowedIps: both(INNER.right), ...options.left }],
    },
    {
      ...shared,
      interface: newInterface(),
      listenPort: 2,
      privateKey: keys.right.privateKey,
      peers: [{ ...left, allowedIps: both(INNER.left), ...options.right }],
    },
  ];
}
