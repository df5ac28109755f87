/** The loads of a round: TCP by iperf3, floods of small UDP packets, round trips by sockperf. */

import type { ChildProcess } from 'node:child_process';
import { pause } from '../test/support/netns.js';
import {
  FLOOD_WARM_MS,
  type FloodKind,
  floodSender,
  floodSink,
  parseFlood,
} from './flood_figures.js';
import { iperfClient, iperfServer, parseIperf, type TcpRun } from './iperf.js';
import { cpuSeconds, machineSeconds } from './processes.js';
import type { Samples } from './samples.js';
import { parseSockperf, SOCKPERF_BEGINS, sockperfClient, sockperfServer } from './sockperf.js';
import type { Subject } from './subject.js';

/** Which of the programs are here. */
export interface LoadPrograms {
  readonly flood: string;
  readonly hasIperf: boolean;
  readonly hasSockperf: boolean;
}

/** What listens in the far host of a subject as long as it runs. */
export function startServers(subject: Subject, programs: LoadPrograms): void {
  const start = (words: readonly string[]): void => {
    // Nobody reads what they print, and a full pipe would stop them.
    for (const stream of [subject.far.start(words)].flatMap((child) => [
      child.stdout,
      child.stderr,
    ])) {
      stream?.resume();
    }
  };
  if (programs.hasIperf) start(iperfServer(subject.farAddress));
  if (programs.hasSockperf) start(sockperfServer(subject.farAddress));
}

export interface TcpCost {
  readonly gigabitsPerSecond: number;
  readonly retransmits: number;
  /** Processor seconds a gigabit; undefined where no daemon did it. */
  readonly daemons?: number;
  readonly machine: number;
}

const BEYOND_MS = 10_000;

export async function runTcp(subject: Subject, run: TcpRun, seconds: number): Promise<TcpCost> {
  const [before, allBefore] = [cpuSeconds(subject.pids), machineSeconds()];
  const words = iperfClient(run, subject.farAddress, seconds);
  const { stdout } = await subject.near.run(words, { limitMs: seconds * 1000 + BEYOND_MS });
  const [after, allAfter] = [cpuSeconds(subject.pids), machineSeconds()];
  const { gigabitsPerSecond, gigabits, retransmits } = parseIperf(stdout);
  return {
    gigabitsPerSecond,
    retransmits,
    ...(subject.pids.length === 0 ? {} : { daemons: (after - before) / gigabits }),
    machine: (allAfter - allBefore) / gigabits,
  };
}

/** The sender is ended when the sink has counted, and by itself when that takes so long. */
const FLOOD_LIMIT_MS = 5_000;

export interface Flood {
  /** The compiled bench/flood. */
  readonly program: string;
  readonly kind: FloodKind;
  readonly windowMs: number;
  /** Of a payload; FLOOD_BYTES. */
  readonly bytes?: number;
}

/** Floods the tunnel once; adds what came out by its own count, and what was received. */
export async function runFlood(subject: Subject, samples: Samples, flood: Flood): Promise<void> {
  const { near, far, farAddress: address } = subject;
  const { program, kind, windowMs } = flood;
  const sink = far.start(floodSink(program, { ...flood, address }));
  const received = outputOf(sink);
  await isReady(sink);
  const sender = near.start(
    floodSender(program, { ...flood, address, milliseconds: FLOOD_LIMIT_MS }),
  );
  const sent = outputOf(sender);
  await isReady(sender);
  await pause(FLOOD_WARM_MS);
  const start = await reading(subject);
  await pause(windowMs);
  const end = await reading(subject);
  const printed = await received;
  sender.kill();
  await sent;
  const perSecond = parseFlood(printed);
  const isBatch = kind === 'batch';
  const rate = (end.packets - start.packets) / (end.seconds - start.seconds);
  samples.add(subject.id, isBatch ? 'udp_batch_counted' : 'udp_counted', rate / 1000);
  samples.add(subject.id, isBatch ? 'udp_batch_received' : 'udp_received', perSecond / 1000);
}

/** Either end says so, or ends. */
function isReady(child: ChildProcess): Promise<void> {
  return new Promise((done) => {
    child.stdout?.once('data', () => done());
    child.once('close', () => done());
  });
}

/** A count, and the middle of the time in which it was asked for. */
async function reading(subject: Subject): Promise<{ packets: number; seconds: number }> {
  const asked = performance.now();
  const packets = await subject.delivered();
  return { packets, seconds: (asked + performance.now()) / 2000 };
}

function outputOf(child: ChildProcess): Promise<string> {
  let text = '';
  child.stdout?.on('data', (chunk) => {
    text += String(chunk);
  });
  child.stderr?.resume();
  return new Promise((done) => child.once('close', () => done(text)));
}

/** Between two subjects, so that one is quiet before the next begins. */
const BETWEEN_MS = 120;

/**
 * Round trips of all subjects, one after the other; resolves when all are through, with what went
 * wrong. sockperf sleeps for two seconds before it begins: each is started so much earlier, while
 * others measure.
 */
export async function runLatencies(
  subjects: readonly Subject[],
  samples: Samples,
  milliseconds: number,
): Promise<string[]> {
  const outcomes = await Promise.allSettled(
    subjects.map(async (subject, i) => {
      await pause(i * (milliseconds + BETWEEN_MS));
      const { p50, p99 } = parseSockperf(await sockperf(subject, milliseconds));
      samples.add(subject.id, 'latency_p50', p50);
      samples.add(subject.id, 'latency_p99', p99);
    }),
  );
  return outcomes.flatMap((outcome, i) =>
    outcome.status === 'fulfilled' ? [] : [`${subjects[i]?.title}: ${String(outcome.reason)}`],
  );
}

/** Longer than it sleeps and measures. */
const SOCKPERF_SECONDS = 5;

/** What a client prints that is interrupted so many milliseconds after it begins to measure. */
function sockperf({ near, farAddress }: Subject, milliseconds: number): Promise<string> {
  const words = sockperfClient(farAddress, SOCKPERF_SECONDS);
  const child = near.start(words);
  child.stdout?.on('data', (chunk) => {
    if (!String(chunk).includes(SOCKPERF_BEGINS)) return;
    setTimeout(() => child.kill('SIGINT'), milliseconds);
  });
  return outputOf(child);
}
