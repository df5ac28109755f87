/** Many TCP streams at once: as many clients of iperf3 as they need, each with a server. */

import { IPERF_MOST_STREAMS, IPERF_PORT, iperfServer, iperfStreams, parseIperf } from './iperf.js';
import { waitUntil } from '../test/support/netns.js';
import { cpuSeconds } from './processes.js';
import type { Subject } from './subject.js';

/** Behind that of the servers that every subject has. */
const FIRST_PORT = IPERF_PORT + 1;
const LISTEN_LIMIT_MS = 5_000;
const BEYOND_MS = 20_000;

export async function startFlowServers({ far, farAddress }: Subject, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const child = far.start(iperfServer(farAddress, FIRST_PORT + i));
    for (const stream of [child.stdout, child.stderr]) stream?.resume();
  }
  await waitUntil('the servers of iperf3 listen', LISTEN_LIMIT_MS, async () => {
    const listening = await far.must(['ss', '-Hltn', `sport >= :${FIRST_PORT}`]);
    return listening.trim().split('\n').length >= count;
  });
}

export interface FlowFigures {
  readonly gigabitsPerSecond: number;
  /** Processor seconds of both daemons a gigabit. */
  readonly cpu: number;
}

export async function runFlows(
  { near, farAddress: address, pids }: Subject,
  flows: number,
  seconds: number,
): Promise<FlowFigures> {
  const before = cpuSeconds(pids);
  const clients = splitFlows(flows).map(async (streams, i) => {
    const words = iperfStreams({ address, seconds, port: FIRST_PORT + i }, streams);
    return parseIperf((await near.run(words, { limitMs: seconds * 1000 + BEYOND_MS })).stdout);
  });
  const figures = await Promise.all(clients);
  const gigabits = figures.reduce((sum, one) => sum + one.gigabits, 0);
  return {
    gigabitsPerSecond: figures.reduce((sum, one) => sum + one.gigabitsPerSecond, 0),
    cpu: (cpuSeconds(pids) - before) / gigabits,
  };
}

/** How many streams each client has: alike, and no more than one takes. */
export function splitFlows(flows: number): number[] {
  const clients = Math.ceil(flows / IPERF_MOST_STREAMS);
  return [...Array(clients).keys()].map((i) => Math.floor((flows + i) / clients));
}
