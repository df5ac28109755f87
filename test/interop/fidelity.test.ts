/**
 * What goes into a tunnel comes out of it: every packet that two hosts send each other, a million
 * and more of mixed traffic, is recorded where it leaves by the interface and where it arrives, as
 * it would be on a wire (fidelity/recorder.cc), and both are compared, flow by flow and in order.
 *
 * The traffic is the kernels' own: TCP streams of both families with ECN and marks of congestion,
 * UDP that the kernel cuts (UDP_SEGMENT), UDP to other tunnels' ports, fragments, extension
 * headers, ICMP, odd TOS and TTL. What may differ is what the recorder leaves out: the identifier
 * of an IPv4 packet with DF, and whether a checksum was finished already.
 */

import { execFileSync, type ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ip, type Lab, type LabHost, pause, pings, waitUntil } from '../support/netns.js';
import { at, FAR, NEAR, neighbours, tunnels, withLab } from './pair.js';
import { HeddleEnd, type LabPeer, type LabTunnel, makeKeyPair } from './tunnels.js';

export const timeLimitSeconds = 240;

const fidelity = suite('fidelity');

const SOURCES = resolve('test/interop/fidelity');
const UNDER = { near: '192.0.2.1', far: '192.0.2.2', farther: '192.0.2.3' };
const RECORD_BYTES = 40;
const SECONDS = 16;
/** Streams, and what each may send each way. */
const TCP = { streams4: 10, streams6: 5, rate: '50M' };
const LEAST_PACKETS = 1_000_000;

interface Count {
  readonly packets: number;
  readonly supers: number;
  readonly wrong: number;
}

/** A host's recorder, and where it writes. */
class Recorder {
  readonly #child: ChildProcess;
  readonly #files: { readonly out: string; readonly in: string };
  #said = '';

  constructor(lab: Lab, host: LabHost, program: string) {
    const file = (direction: string): string => join(lab.folder, `${host.name}.${direction}`);
    this.#files = { out: file('out'), in: file('in') };
    this.#child = host.start([program, 'hd0', this.#files.out, this.#files.in]);
    const hear = (text: Buffer): void => {
      this.#said += String(text);
    };
    this.#child.stdout?.on('data', hear);
    this.#child.stderr?.on('data', hear);
  }

  async ready(): Promise<void> {
    await waitUntil('the recorder is ready', 5000, () => this.#said.includes('ready'));
  }

  async end(): Promise<{ readonly out: Count; readonly in: Count; readonly lost: number }> {
    const ended = new Promise((done) => this.#child.once('close', done));
    this.#child.kill('SIGTERM');
    await ended;
    return JSON.parse(this.#said.slice(this.#said.indexOf('{')));
  }

  /** The packets of each flow, in order; each entry is an offset into the records. */
  flows(direction: 'out' | 'in'): { records: Buffer; flows: Map<bigint, number[]> } {
    const records = readFileSync(this.#files[direction]);
    const flows = new Map<bigint, number[]>();
    for (let at = 0; at < records.length; at += RECORD_BYTES) {
      const key = records.readBigUInt64LE(at);
      const flow = flows.get(key);
      if (flow) flow.push(at);
      else flows.set(key, [at]);
    }
    return { records, flows };
  }
}

/** One record, for a person. */
function describe(records: Buffer, at: number | undefined): string {
  if (at === undefined) return 'nothing';
  const [length, sequence] = [records.readUInt32LE(at + 16), records.readUInt32LE(at + 20)];
  const [id, from, to] = [24, 26, 28].map((offset) => records.readUInt16LE(at + offset));
  const [protocol, family] = [records[at + 30], records[at + 31]];
  const whose = `IPv${family} protocol ${protocol} ports ${from}-${to}`;
  return `${whose} id ${id} sequence ${sequence}, ${length} bytes`;
}

/** What left at `from` arrived at `to`; how many packets that were. */
function compare(from: Recorder, to: Recorder): number {
  const [sent, arrived] = [from.flows('out'), to.flows('in')];
  let packets = 0;
  for (const [key, left] of sent.flows) {
    const came = arrived.flows.get(key) ?? [];
    for (let i = 0; i < Math.max(left.length, came.length); i++) {
      const [a, b] = [left[i], came[i]];
      const isSame =
        a !== undefined &&
        b !== undefined &&
        sent.records.readBigUInt64LE(a + 8) === arrived.records.readBigUInt64LE(b + 8);
      if (isSame) continue;
      const difference = [describe(sent.records, a), describe(arrived.records, b)].join('\n');
      assert.unreachable(`packet ${i} of ${left.length} sent, ${came.length} came:\n${difference}`);
    }
    packets += left.length;
  }
  assert.is(arrived.flows.size, sent.flows.size, 'no flow arrives that was not sent');
  return packets;
}

function prepareHost(host: LabHost): void {
  const rules = `table inet marks { chain out { type filter hook output priority mangle;
    oifname hd0 meta l4proto tcp ip ecn { 1, 2 } numgen inc mod 211 0 ip ecn set ce
    oifname hd0 meta l4proto tcp ip6 ecn { 1, 2 } numgen inc mod 197 0 ip6 ecn set ce
  }
  }`;
  execFileSync('ip', ['netns', 'exec', host.name, 'nft', '-f', '-'], { input: rules });
  // Windows so small that all that is under way fits a socket's buffer, however busy the machine.
  const settings = ['net.ipv4.tcp_ecn=1', 'net.ipv4.tcp_rmem=4096 131072 262144'];
  execFileSync('ip', ['netns', 'exec', host.name, 'sysctl', '-qw', ...settings]);
  // What the kernel drops before the daemon could read it is recorded as sent all the same.
  ip(host, 'link', 'set', 'hd0', 'txqueuelen', '20000');
}

/** All traffic at once, to its end. */
async function exchange(near: LabHost, far: LabHost): Promise<void> {
  const python = join(SOURCES, 'traffic.py');
  for (const [host, own] of [
    [near, NEAR],
    [far, FAR],
  ] as const) {
    const sink = host.start(['python3', python, 'sink', own.inner, own.inner6]);
    let said = '';
    sink.stdout?.on('data', (text) => {
      said += text;
    });
    await waitUntil('the sink is ready', 5000, () => said.includes('ready'));
  }
  for (const [address, port] of [
    [FAR.inner, '5201'],
    [FAR.inner6, '5202'],
  ] as const) {
    far.start(['iperf3', '-s', '-1', '-B', address, '-p', port]);
  }
  const limitMs = 1000 * (SECONDS + 30);
  const iperf = (address: string, port: string, streams: number): Promise<string> => {
    const load = ['-P', String(streams), '-b', TCP.rate, '-t', String(SECONDS), '--bidir'];
    const to = ['iperf3', '-c', address, '-p', port, '-S', '8', ...load];
    return near.must(to, { limitMs });
  };
  const odd = (host: LabHost, to: typeof NEAR): Promise<string> => {
    return host.must(['python3', python, 'send', String(SECONDS), to.inner, to.inner6], {
      limitMs,
    });
  };
  const ping = (address: string, size: string): Promise<unknown> => {
    const count = String(SECONDS * 200);
    const options = ['-q', '-i', '0.004', '-c', count, '-w', String(SECONDS), '-s', size];
    return near.run(['ping', ...options, address], { limitMs });
  };
  await pause(200);
  await Promise.all([
    iperf(FAR.inner, '5201', TCP.streams4),
    iperf(FAR.inner6, '5202', TCP.streams6),
    odd(near, FAR),
    odd(far, NEAR),
    ping(FAR.inner, '56'),
    ping(FAR.inner, '2900'),
    ping(FAR.inner6, '1300'),
  ]);
}

/** Until neither end's interface moves any more. */
async function settle(ends: readonly HeddleEnd[]): Promise<void> {
  let before = '';
  await waitUntil('the tunnel is quiet', 10_000, async () => {
    const now = [];
    for (const end of ends) {
      const { counters } = await end.status();
      now.push(counters.inner_in, counters.inner_out);
    }
    const isSame = before === String(now);
    before = String(now);
    if (!isSame) await pause(300);
    return isSame;
  });
}

function interfaceDrops(host: LabHost): number {
  const [link] = JSON.parse(ip(host, '-s', '-j', 'link', 'show', 'hd0'));
  return link.stats64.tx.dropped;
}

/** A configuration of the near end, in the middle of the traffic. */
type Change = (tunnel: LabTunnel) => LabTunnel;

function ofPeer(change: Partial<LabPeer>): Change {
  return (tunnel) => ({ ...tunnel, peers: tunnel.peers.map((peer) => ({ ...peer, ...change })) });
}

/** What makes new sessions, moves the peer, and changes the tables of the lookups. */
const CHANGES: readonly Change[] = [
  (tunnel) => ({ ...tunnel, ciphers: ['chacha20-poly1305'] }),
  ofPeer({ endpoint: at(UNDER.farther) }),
  (tunnel) => tunnel,
  (tunnel) => ({
    ...tunnel,
    peers: [
      ...tunnel.peers,
      { name: 'extra', publicKey: makeKeyPair().publicKey, allowedIps: ['10.90.0.0/16'] },
    ],
  }),
  ofPeer({ persistentKeepalive: 1 }),
  (tunnel) => tunnel,
];

/** Reloads the near end with one after the other, while `traffic` lasts. */
async function changeAlong(end: HeddleEnd, tunnel: LabTunnel, traffic: Promise<void>) {
  let isOver = false;
  const noted = traffic.finally(() => {
    isOver = true;
  });
  for (let i = 0; !isOver; i++) {
    await Promise.race([noted, pause(1500)]);
    if (isOver) break;
    const change = CHANGES[i % CHANGES.length];
    if (!change) throw new Error('there are changes');
    writeFileSync(end.file, JSON.stringify(change(tunnel)), { mode: 0o600 });
    const { code, stderr } = await end.run('reload');
    assert.is(code, 0, stderr);
  }
  await noted;
}

interface Case {
  readonly name: string;
  readonly protocol: 'wireguard' | 'heddle';
  readonly lanes: number;
  readonly isChanging: boolean;
}

const CASES: readonly Case[] = [
  { name: 'as stock WireGuard', protocol: 'wireguard', lanes: 1, isChanging: false },
  {
    name: 'with protocol heddle, while sessions, endpoints and peers change',
    protocol: 'heddle',
    lanes: 1,
    isChanging: true,
  },
  {
    name: 'with two lanes, while sessions, endpoints and peers change',
    protocol: 'heddle',
    lanes: 2,
    isChanging: true,
  },
];

async function startEnds(lab: Lab, { protocol, lanes }: Case) {
  const addresses = [`${UNDER.far}/24`, `${UNDER.farther}/24`];
  const { near, far } = neighbours(lab, [`${UNDER.near}/24`], addresses);
  const both = tunnels({
    near: { endpoint: at(UNDER.far), protocol },
    far: { endpoint: at(UNDER.near), protocol },
  });
  const tunnel = { ...both.near, lanes };
  const farEnd = await HeddleEnd.start(lab, far, { ...both.far, lanes });
  const nearEnd = await HeddleEnd.start(lab, near, tunnel);
  for (const host of [near, far]) prepareHost(host);
  // Until both may send by lanes.
  await pings(near, FAR.inner);
  await waitUntil('the ends agree', 5000, async () => {
    const peers = [await nearEnd.peer(), await farEnd.peer()];
    return peers.every((peer) => protocol === 'wireguard' || peer.lanes === lanes);
  });
  return { near, far, nearEnd, farEnd, tunnel };
}

async function checkNothingDropped(ends: readonly HeddleEnd[]): Promise<void> {
  for (const end of ends) {
    const { counters, dropsByReason } = await end.status();
    const drops = Object.entries(dropsByReason).filter(([, count]) => count > 0);
    // What its host tells its link alone is nobody's here.
    const why = drops.filter(([reason]) => reason !== 'no_route');
    assert.equal([counters.socket_overflow, why], [0, []], 'nothing is dropped');
  }
}

for (const each of CASES) {
  fidelity(`a million packets come out as they went in, ${each.name}`, () =>
    withLab(async (lab) => {
      const { near, far, nearEnd, farEnd, tunnel } = await startEnds(lab, each);
      const program = join(lab.folder, 'recorder');
      const source = join(SOURCES, 'recorder.cc');
      execFileSync('g++', ['-std=c++20', '-O2', '-o', program, source]);
      const recorders = [
        new Recorder(lab, near, program),
        new Recorder(lab, far, program),
      ] as const;
      for (const recorder of recorders) await recorder.ready();
      const traffic = exchange(near, far);
      await (each.isChanging ? changeAlong(nearEnd, tunnel, traffic) : traffic);
      await settle([nearEnd, farEnd]);
      await checkNothingDropped([nearEnd, farEnd]);
      let supers = 0;
      for (const recorder of recorders) {
        const count = await recorder.end();
        assert.is(count.lost, 0, 'the recorder kept up');
        assert.is(count.out.wrong + count.in.wrong, 0, 'all checksums are right');
        supers += Math.min(count.out.supers, count.in.supers);
      }
      assert.ok(supers > 1000, `${supers} super-packets`);
      assert.is(interfaceDrops(near) + interfaceDrops(far), 0, 'the daemon reads all');
      const [ours, theirs] = recorders;
      const packets = compare(ours, theirs) + compare(theirs, ours);
      assert.ok(packets >= LEAST_PACKETS, `${packets} packets`);
    }),
  );
}

fidelity.run();
