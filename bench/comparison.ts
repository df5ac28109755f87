/**
 * The comparison: all subjects stand side by side, each between two hosts of its own, and every
 * round visits each of them. So what disturbs the machine for a while disturbs all of them, and
 * the ratios of medians hold where the figures themselves do not.
 */

import { Lab } from '../test/support/netns.js';
import { attempt } from './attempt.js';
import { type LoadPrograms, runFlood, runLatencies, runTcp, startServers } from './load.js';
import type { Plan } from './options.js';
import { residentMebibytes } from './processes.js';
import type { Series, SubjectEntry } from './result.js';
import type { Rivals } from './rivals.js';
import { Samples } from './samples.js';
import { makeHosts, type Subject, type SubjectSpec, type Surroundings } from './subject.js';

export interface Comparison {
  readonly subjects: readonly SubjectEntry[];
  readonly series: readonly Series[];
}

interface Asked {
  readonly specs: readonly SubjectSpec[];
  readonly plan: Plan;
  readonly rivals: Rivals;
  readonly programs: LoadPrograms;
  readonly proxy: string;
  readonly heddleVersion: string;
  readonly say: (line: string) => void;
  readonly remark: (sentence: string) => void;
}

export async function compare(asked: Asked): Promise<Comparison> {
  const lab = new Lab();
  const samples = new Samples();
  try {
    asked.say(`starting ${asked.specs.length} tunnels`);
    const subjects = await startSubjects(lab, asked);
    noteMemory(subjects, samples, 'rss_start');
    for (const subject of subjects) startServers(subject, asked.programs);
    for (let round = 0; round < asked.plan.rounds; round++) {
      asked.say(`round ${round + 1} of ${asked.plan.rounds}`);
      await runRound(inOrder(subjects, round), round, asked, samples);
    }
    noteMemory(subjects, samples, 'rss_end');
    await countRetransmits(subjects, asked, samples);
    return {
      subjects: subjects.map(({ id, title, version }) => ({ id, title, version })),
      series: samples.series(),
    };
  } finally {
    lab.remove();
  }
}

/** Those that start; a remark on each that does not. */
async function startSubjects(lab: Lab, asked: Asked): Promise<Subject[]> {
  const { rivals, proxy, heddleVersion } = asked;
  const around: Surroundings = { lab, rivals, proxy, heddleVersion };
  const started = await Promise.allSettled(
    asked.specs.map(async (spec, i) => await spec.start(makeHosts(lab, `b${i}`), around)),
  );
  const subjects: Subject[] = [];
  for (const [i, outcome] of started.entries()) {
    if (outcome.status === 'fulfilled') {
      subjects.push(outcome.value);
      continue;
    }
    const { reason } = outcome;
    const why = reason instanceof Error ? reason.message.trim() : String(reason);
    asked.remark(`${asked.specs[i]?.title} was left out: ${why}`);
  }
  return subjects;
}

/** Each round begins with another subject, and every second one goes backwards. */
function inOrder(subjects: readonly Subject[], round: number): Subject[] {
  const at = (round * 3) % Math.max(1, subjects.length);
  const turned = [...subjects.slice(at), ...subjects.slice(0, at)];
  return round % 2 === 0 ? turned : turned.reverse();
}

async function runRound(
  subjects: readonly Subject[],
  round: number,
  { plan, programs, remark }: Asked,
  samples: Samples,
): Promise<void> {
  for (const subject of subjects) {
    await attempt(`round ${round + 1} of ${subject.title}`, remark, async () => {
      if (programs.hasIperf) await runTcps(subject, plan, samples);
      for (const kind of plan.floods) {
        const { flood: program } = programs;
        await runFlood(subject, samples, { program, kind, windowMs: plan.floodMs });
      }
    });
  }
  if (!programs.hasSockperf || round % plan.latencyEvery !== 0) return;
  const failed = await runLatencies(subjects, samples, plan.latencyMs);
  for (const why of failed) remark(`round trips in round ${round + 1} failed: ${why}`);
}

async function runTcps(subject: Subject, plan: Plan, samples: Samples): Promise<void> {
  for (const run of plan.tcp) {
    const cost = await runTcp(subject, run, plan.tcpSeconds);
    samples.add(subject.id, run, cost.gigabitsPerSecond);
    if (run !== 'tcp_one') continue;
    samples.add(subject.id, 'cpu_machine', cost.machine);
    if (cost.daemons !== undefined) samples.add(subject.id, 'cpu_daemons', cost.daemons);
  }
}

function noteMemory(
  subjects: readonly Subject[],
  samples: Samples,
  measure: 'rss_start' | 'rss_end',
): void {
  for (const { id, pids } of subjects) {
    for (const pid of pids) samples.add(id, measure, residentMebibytes(pid));
  }
}

/** Those whose retransmits are worth ten seconds each. */
const LONG_STREAMS = ['heddle_aes', 'heddle_chacha', 'wireguard_go', 'nebula_aes'];

async function countRetransmits(
  subjects: readonly Subject[],
  { plan, programs, say, remark }: Asked,
  samples: Samples,
): Promise<void> {
  if (plan.longSeconds === 0 || !programs.hasIperf) return;
  say('counting retransmits');
  for (const subject of subjects.filter(({ id }) => LONG_STREAMS.includes(id))) {
    await attempt(`the long stream of ${subject.title}`, remark, async () => {
      const { retransmits } = await runTcp(subject, 'tcp_one', plan.longSeconds);
      samples.add(subject.id, 'retransmits', retransmits);
    });
  }
}
