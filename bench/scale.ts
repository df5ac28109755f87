/**
 * How cost grows: with configured peers, allowed prefixes, parallel flows and the size of packets.
 * Tunnels of all sizes stand side by side and take turns, as the subjects of the comparison do.
 */

import { Lab, pause } from '../test/support/netns.js';
import { attempt } from './attempt.js';
import { FLOOD_WARM_MS } from './flood_figures.js';
import { IPERF_MOST_STREAMS } from './iperf.js';
import { type LoadPrograms, runFlood, runLatencies, runTcp, startServers } from './load.js';
import { cpuSeconds, residentMebibytes } from './processes.js';
import type {
  PartOptions,
  ScaleAxis,
  ScaleCurve,
  ScaleMeasureId,
  ScalePoint,
  ScaleResult,
} from './result.js';
import { Samples } from './samples.js';
import { runFlows, startFlowServers } from './scale_flows.js';
import { measureSessions } from './scale_sessions.js';
import { median } from './statistics.js';
import type { Subject } from './subject.js';
import { type Size, type SizedTunnel, startSized } from './scale_tunnels.js';

export interface ScaleOptions extends PartOptions {
  readonly programs: LoadPrograms;
}

interface Plan {
  readonly rounds: number;
  readonly peers: readonly number[];
  readonly prefixes: readonly number[];
  readonly flows: readonly number[];
  readonly packetBytes: readonly number[];
  readonly sessions: number;
}

const FULL: Plan = {
  rounds: 3,
  peers: [1, 10, 100, 1_000, 10_000],
  prefixes: [10, 1_000, 100_000],
  flows: [1, 10, 100, 1_000],
  packetBytes: [64, 128, 256, 512, 1_024, 1_420],
  sessions: 1_000,
};
const QUICK: Plan = {
  rounds: 1,
  peers: [1, 10_000],
  prefixes: [100_000],
  flows: [100],
  packetBytes: [1_420],
  sessions: 100,
};
const TCP_SECONDS = 1;
const FLOW_SECONDS = 2;
const FLOOD_MS = 400;
const LATENCY_MS = 750;
/** IPv4 and UDP. */
const HEADER_BYTES = 28;
const MEBIBYTE = 1 << 20;
/** What a start left is collected. */
const SETTLE_MS = 2_000;

/** About four minutes; about one when it is quick. */
export async function measureScale(options: ScaleOptions): Promise<ScaleResult> {
  const plan = options.isQuick ? QUICK : FULL;
  const lab = new Lab();
  try {
    const tunnels = await startAll(lab, plan, options);
    await pause(SETTLE_MS);
    const idleBytes = idlePeerBytes(tunnels);
    const sized = await measureSized(tunnels, plan, options);
    const [smallest] = tunnels;
    if (smallest === undefined) throw new Error('there is a tunnel with one peer');
    const flows = await measureFlows(smallest, plan, options);
    const sizes = await measurePackets(smallest, plan, options);
    const liveBytes: number[] = [];
    options.say(`scale: ${plan.sessions} sessions`);
    await attempt(`scale: ${plan.sessions} sessions`, options.remark, async () => {
      const idle = median(idleBytes);
      const more = await measureSessions(lab, plan.sessions);
      if (idle !== undefined) liveBytes.push(idle + more);
    });
    return {
      curves: [...sized, flows, sizes].filter(({ points }) => points.length > 0),
      idlePeerBytes: idleBytes,
      livePeerBytes: liveBytes,
    };
  } finally {
    lab.remove();
  }
}

/**
 * The first is the one with one peer and its own prefix; of the others, one that does not start
 * costs its own points.
 */
async function startAll(lab: Lab, plan: Plan, options: ScaleOptions): Promise<SizedTunnel[]> {
  const sizes: Size[] = [
    ...plan.peers.map((peers) => ({ peers, prefixes: 1 })),
    ...plan.prefixes.map((prefixes) => ({ peers: 1, prefixes })),
  ];
  const tunnels: SizedTunnel[] = [];
  for (const [i, size] of sizes.entries()) {
    const title = `${size.peers} peers, ${size.prefixes} prefixes`;
    options.say(`scale: starting with ${title}`);
    await attempt(`scale: starting with ${title}`, options.remark, async () => {
      tunnels.push(await startSized(lab, `s${i}`, size));
    });
  }
  return tunnels;
}

/** The curves over peers and over prefixes. */
async function measureSized(
  tunnels: readonly SizedTunnel[],
  { rounds }: Plan,
  { programs, say, remark }: ScaleOptions,
): Promise<ScaleCurve[]> {
  const samples = new Samples();
  for (const { subject } of tunnels) startServers(subject, programs);
  for (let round = 0; round < rounds && programs.hasIperf; round++) {
    say(`scale: round ${round + 1} of ${rounds}`);
    for (const { subject } of tunnels) {
      await attempt(`scale: TCP with ${subject.title}`, remark, async () => {
        const cost = await runTcp(subject, 'tcp_one', TCP_SECONDS);
        samples.add(subject.id, 'tcp_one', cost.gigabitsPerSecond);
        if (cost.daemons !== undefined) samples.add(subject.id, 'cpu_daemons', cost.daemons);
      });
    }
  }
  if (programs.hasSockperf) {
    const subjects = tunnels.map(({ subject }) => subject);
    for (const why of await runLatencies(subjects, samples, LATENCY_MS)) remark(why);
  }
  for (const { subject } of tunnels) {
    for (const pid of subject.pids) samples.add(subject.id, 'rss_end', residentMebibytes(pid));
  }
  const isGrownByPeers = ({ size }: SizedTunnel): boolean => size.prefixes === 1;
  return [
    curveOf('peers', tunnels.filter(isGrownByPeers), samples, ({ peers }) => peers),
    curveOf(
      'prefixes',
      tunnels.filter(({ size }) => size.peers === 1),
      samples,
      ({ prefixes }) => prefixes,
    ),
  ];
}

const FROM = {
  throughput: 'tcp_one',
  cpu: 'cpu_daemons',
  latency_p50: 'latency_p50',
  rss: 'rss_end',
} as const satisfies Partial<Record<ScaleMeasureId, string>>;

function curveOf(
  axis: ScaleAxis,
  tunnels: readonly SizedTunnel[],
  samples: Samples,
  where: (size: Size) => number,
): ScaleCurve {
  const series = samples.series();
  const points = tunnels.map(({ size, subject }): ScalePoint => {
    const measures: Partial<Record<ScaleMeasureId, readonly number[]>> = {};
    for (const id of ['throughput', 'cpu', 'latency_p50', 'rss'] as const) {
      const found = series.find((one) => one.subject === subject.id && one.measure === FROM[id]);
      if (found !== undefined) measures[id] = found.samples;
    }
    return { at: where(size), measures };
  });
  return { axis, points };
}

async function measureFlows(
  { subject }: SizedTunnel,
  plan: Plan,
  { programs, say, remark }: ScaleOptions,
): Promise<ScaleCurve> {
  const found = plan.flows.map((at) => ({ at, throughput: [] as number[], cpu: [] as number[] }));
  if (!programs.hasIperf) return { axis: 'flows', points: [] };
  await startFlowServers(subject, Math.ceil(Math.max(...plan.flows) / IPERF_MOST_STREAMS));
  for (let round = 0; round < plan.rounds; round++) {
    for (const { at, throughput, cpu } of found) {
      say(`scale: ${at} flows, round ${round + 1}`);
      await attempt(`scale: ${at} flows`, remark, async () => {
        const figures = await runFlows(subject, at, FLOW_SECONDS);
        throughput.push(figures.gigabitsPerSecond);
        cpu.push(figures.cpu);
      });
    }
  }
  const points = found.map(({ at, ...measures }) => ({ at, measures }));
  return { axis: 'flows', points };
}

/** Floods of UDP packets of each size, each a datagram of its own. */
async function measurePackets(
  { subject }: SizedTunnel,
  plan: Plan,
  { programs, say, remark }: ScaleOptions,
): Promise<ScaleCurve> {
  const found = plan.packetBytes.map((at) => ({
    at,
    packets: [] as number[],
    throughput: [] as number[],
    cpu: [] as number[],
  }));
  for (let round = 0; round < plan.rounds; round++) {
    say(`scale: sizes of packets, round ${round + 1}`);
    for (const { at, packets, throughput, cpu } of found) {
      await attempt(`scale: packets of ${at} bytes`, remark, async () => {
        const cost = await floodOf(subject, at, programs.flood);
        packets.push(cost.kilopackets);
        throughput.push(cost.gigabitsPerSecond);
        cpu.push(cost.cpu);
      });
    }
  }
  const points = found.map(({ at, ...measures }) => ({ at, measures }));
  return { axis: 'packet_bytes', points };
}

/** What came out of the tunnel, by its own count; the processor time of both daemons a gigabit. */
async function floodOf(
  subject: Subject,
  packetBytes: number,
  program: string,
): Promise<{ kilopackets: number; gigabitsPerSecond: number; cpu: number }> {
  const samples = new Samples();
  const before = cpuSeconds(subject.pids);
  const bytes = packetBytes - HEADER_BYTES;
  await runFlood(subject, samples, { program, kind: 'single', windowMs: FLOOD_MS, bytes });
  const counted = samples.series().find(({ measure }) => measure === 'udp_counted');
  const kilopackets = counted?.samples[0] ?? 0;
  const gigabitsPerSecond = (kilopackets * packetBytes * 8) / 1e6;
  // The flood goes on a little around the window that is counted.
  const seconds = (FLOOD_WARM_MS + FLOOD_MS) / 1000;
  const cpu = (cpuSeconds(subject.pids) - before) / (gigabitsPerSecond * seconds);
  return { kilopackets, gigabitsPerSecond, cpu };
}

/** What each peer more costs an end that nobody has used yet: one value an end. */
function idlePeerBytes(tunnels: readonly SizedTunnel[]): number[] {
  const byPeers = tunnels.filter(({ size }) => size.prefixes === 1);
  const [least, most] = [byPeers[0], byPeers.at(-1)];
  if (least === undefined || most === undefined || most.size.peers === least.size.peers) return [];
  const more = most.size.peers - least.size.peers;
  const [few, many] = [least, most].map(({ subject }) => subject.pids.map(residentMebibytes));
  return (many ?? []).map((end, i) => ((end - (few?.[i] ?? end)) * MEBIBYTE) / more);
}
