/**
 * The benchmark: heddle beside everything else, in one interleaved run between network namespaces
 * of this machine. What may be asked of it is in options.ts; how to read what it prints is in
 * bench/README.md.
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compare } from './comparison.js';
import { measureInProcess } from './in_process.js';
import { describeCommit, describeMachine, disturbance } from './machine.js';
import { type Options, OptionError, parseOptions, planOf } from './options.js';
import { drawPlot } from './plot.js';
import { compileProgram, findProgram, installedVersion, missing } from './programs.js';
import { spliceReadme } from './readme.js';
import { formatReport } from './report.js';
import { formatMarkdown } from './report_markdown.js';
import type { BenchResult } from './result.js';
import { findRivals, hasOffloads, type Rivals } from './rivals.js';
import { measureScale } from './scale.js';
import type { SubjectSpec } from './subject.js';
import { HEDDLES } from './subjects_heddle.js';
import { BARE, KERNEL_VXLAN } from './subjects_kernel.js';
import { nebulaSpec, offloadSwitches, PROXY, WIREGUARD_GO } from './subjects_rivals.js';

/** This file runs as dist/bench/run.js. */
const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
/** Compiled programs, unpacked rivals and the figures of quick runs; not a part of the tree. */
const BUILD = join(ROOT, 'native/build/bench');
const README = join(ROOT, 'bench/README.md');

async function main(words: readonly string[]): Promise<number> {
  const options = parseOptions(words);
  const why = whyNotHere();
  if (why !== undefined) {
    process.stderr.write(`${why}\n`);
    return 1;
  }
  const result = await measure(
    options,
    `npm run bench${words.length > 0 ? ' -- ' : ''}${words.join(' ')}`,
  );
  process.stdout.write(`${formatReport(result)}\n`);
  keep(result, options);
  return 0;
}

function whyNotHere(): string | undefined {
  if (process.getuid?.() !== 0) {
    return 'The benchmark makes network namespaces and interfaces: run it as root';
  }
  if (!existsSync('/dev/net/tun')) return 'There is no /dev/net/tun: modprobe tun';
  if (findProgram('ip') === undefined) return 'There is no ip: apt-get install -y iproute2';
  if (findProgram('ping') === undefined) return 'There is no ping: apt-get install -y iputils-ping';
  return undefined;
}

async function measure(options: Options, command: string): Promise<BenchResult> {
  const started = Date.now();
  const say = (line: string): void => {
    const seconds = ((Date.now() - started) / 1000).toFixed(0);
    process.stderr.write(`[${seconds.padStart(4)} s] ${line}\n`);
  };
  const remarks: string[] = [];
  const remark = (sentence: string): void => {
    remarks.push(sentence);
    say(sentence);
  };
  const rivals = findRivals({ folder: join(BUILD, 'rivals'), ...options, say });
  for (const sentence of [...rivals.remarks, ...judge(rivals)]) remark(sentence);
  const busy = await disturbance();
  if (busy !== undefined) remark(busy);
  const plan = planOf(options);
  const programs = {
    flood: compileProgram(ROOT, BUILD, 'flood'),
    hasIperf: findProgram('iperf3') !== undefined,
    hasSockperf: findProgram('sockperf') !== undefined,
  };
  if (!programs.hasIperf) remark(missing('iperf3', 'TCP was not measured'));
  if (!programs.hasSockperf) remark(missing('sockperf', 'round trips were not measured'));
  const { subjects, series } = await compare({
    specs: chooseSpecs(options.only, rivals),
    plan,
    rivals,
    programs,
    proxy: compileProgram(ROOT, BUILD, 'proxy'),
    heddleVersion: heddleVersion(),
    say,
    remark,
  });
  const part = { isQuick: options.isQuick, rounds: plan.rounds, say, remark };
  const inProcess = options.withInProcess
    ? await orRemark('in process', remark, () => measureInProcess(ROOT, part))
    : undefined;
  const scale = options.withScale
    ? await orRemark('scale', remark, () => measureScale({ ...part, programs }))
    : undefined;
  return {
    schema: 1,
    startedAt: new Date(started).toISOString(),
    durationSeconds: Math.round((Date.now() - started) / 1000),
    command,
    commit: describeCommit(ROOT),
    rounds: plan.rounds,
    machine: describeMachine(),
    tools: toolVersions(),
    subjects,
    series,
    inProcess: inProcess ?? [],
    ...(scale === undefined ? {} : { scale }),
    remarks,
  };
}

/** A part that fails costs its own figures, not those that are there already. */
async function orRemark<Figures>(
  part: string,
  remark: (sentence: string) => void,
  action: () => Figures | Promise<Figures>,
): Promise<Figures | undefined> {
  try {
    return await action();
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    remark(`${part}: not measured, ${why}`);
    return undefined;
  }
}

/** What is to be said of the rivals that were found. */
function judge({ found }: Rivals): string[] {
  const remarks: string[] = [];
  const wireguardGo = found.get('wireguard-go');
  if (wireguardGo !== undefined && !hasOffloads(wireguardGo.version)) {
    const { version } = wireguardGo;
    remarks.push(`wireguard-go ${version} is older than 2023-12 and has no offloads: no yardstick`);
  }
  const nebula = found.get('nebula');
  if (nebula !== undefined && offloadSwitches(nebula).length === 0) {
    remarks.push(`nebula ${nebula.version} has no offloads to turn on`);
  }
  return remarks;
}

/** All subjects, in the order of the tables, or those that `only` names. */
function chooseSpecs(only: readonly string[], { found }: Rivals): SubjectSpec[] {
  const nebula = found.get('nebula');
  const hasSwitches = nebula !== undefined && offloadSwitches(nebula).length > 0;
  const states = hasSwitches ? [true, false] : [undefined];
  const nebulas = states.flatMap((offloads) => [
    nebulaSpec('aes', offloads),
    nebulaSpec('chachapoly', offloads),
  ]);
  const rivals = [
    ...(found.has('wireguard-go') ? [WIREGUARD_GO] : []),
    ...(nebula === undefined ? [] : nebulas),
  ];
  const all = [BARE, KERNEL_VXLAN, ...HEDDLES, ...rivals, PROXY];
  const known = all.map(({ id }) => id);
  const unknown = only.find((id) => !known.includes(id));
  if (unknown !== undefined) {
    throw new OptionError(`--only knows ${known.join(', ')} here, not "${unknown}"`);
  }
  return all.filter(({ id }) => only.length === 0 || only.includes(id));
}

function heddleVersion(): string {
  const text: { version: string } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  return text.version;
}

function toolVersions(): Record<string, string> {
  const names = ['iperf3', 'sockperf'];
  const versions = names.map((name) => [name, installedVersion(name)] as const);
  return Object.fromEntries(versions.flatMap(([name, text]) => (text ? [[name, text]] : [])));
}

/** Writes the figures, and what people read where this run is one to be kept. */
function keep(result: BenchResult, options: Options): void {
  const folder = options.writes ? join(ROOT, 'bench') : BUILD;
  const json = options.json ?? join(folder, 'result.json');
  const plot = join(folder, 'result.svg');
  mkdirSync(dirname(json), { recursive: true });
  writeFileSync(json, `${JSON.stringify(result, null, 1)}\n`);
  writeFileSync(plot, drawPlot(result));
  const written = [json, plot];
  if (options.writes) {
    writeFileSync(README, spliceReadme(readFileSync(README, 'utf8'), formatMarkdown(result)));
    written.push(README);
  }
  process.stdout.write(`\nWritten: ${written.join(', ')}\n`);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof OptionError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
