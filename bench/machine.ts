/** What the benchmark ran on, as BenchResult tells it. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { pause } from '../test/support/netns.js';
import { machineSeconds } from './processes.js';
import type { Machine } from './result.js';

export function describeMachine(): Machine {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryBytes: totalmem(),
    kernel: release(),
    system: systemName(),
    node: process.versions.node,
  };
}

function systemName(): string {
  try {
    const text = readFileSync('/etc/os-release', 'utf8');
    return /^PRETTY_NAME="?([^"\n]*)/m.exec(text)?.[1] ?? 'unknown';
  } catch {
    return 'unknown';
  }
}

/** The commit of the tree in `root`; `unknown` where it is none of git's. */
export function describeCommit(root: string): string {
  const git = (...args: string[]): string =>
    execFileSync('git', ['-C', root, ...args], { encoding: 'utf8', stdio: 'pipe' }).trim();
  try {
    const commit = git('rev-parse', '--short=12', 'HEAD');
    return git('status', '--porcelain', '--', 'src', 'native') === '' ? commit : `${commit}-dirty`;
  } catch {
    return 'unknown';
  }
}

const LOOK_MS = 1000;
/** Of all processors. */
const QUIET = 0.1;

/** A sentence on what others do with the machine now; undefined where it is next to nothing. */
export async function disturbance(): Promise<string | undefined> {
  const before = machineSeconds();
  await pause(LOOK_MS);
  const busy = (machineSeconds() - before) / (LOOK_MS / 1000) / cpus().length;
  if (busy <= QUIET) return undefined;
  const percent = Math.round(busy * 100);
  return `the machine was not quiet: before the run, others took ${percent} % of its processors`;
}
