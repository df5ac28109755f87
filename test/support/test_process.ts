/**
 * Runs test files in a process of their own. A suite that exceeds its time limit, or a file that
 * ends the process, costs that file and no other: the remaining files get a new process.
 */

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { brokenFile, type FileResult } from './tally.js';
import type { ChildMessage } from './test_child.js';

const CHILD = fileURLToPath(new URL('./test_child.js', import.meta.url));
/** Time between asking a stuck process to end, so that its tests can clean up, and making it. */
const GRACE_MS = 3_000;
/** Of what a process printed, this much is shown when it ends before its time. */
const KEPT_OUTPUT = 16_384;

export interface TestFile {
  /** Absolute path of the compiled file. */
  readonly file: string;
  /** How it is called in the list. */
  readonly name: string;
}

/** Tells `onResult` of each file as it ends, in order. */
export async function runTestFiles(
  files: readonly TestFile[],
  onResult: (result: FileResult) => void,
): Promise<void> {
  let rest = files;
  while (rest.length > 0) {
    const finished = await runInOneProcess(rest, onResult);
    rest = rest.slice(finished);
  }
}

/** Resolves with the number of files that have a result when the process is gone; at least one. */
function runInOneProcess(
  files: readonly TestFile[],
  onResult: (result: FileResult) => void,
): Promise<number> {
  const args = files.flatMap(({ file, name }) => [file, name]);
  const child = fork(CHILD, args, {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' },
    detached: true,
  });
  const stopForwarding = forwardSignals(child);
  const output = collectOutput(child);
  const limit = new Limit(child);
  let finished = 0;
  let startedAt = performance.now();

  const finish = (result: FileResult): void => {
    finished++;
    startedAt = performance.now();
    onResult(result);
  };
  child.on('message', (message: ChildMessage) => {
    if (message.kind === 'limit') limit.restart(message.limitSeconds);
    else finish(message.result);
  });
  return new Promise((done) => {
    child.on('close', (code, signal) => {
      limit.stop();
      stopForwarding();
      const current = files[finished];
      if (current !== undefined) {
        const why = limit.reached ?? `It ended the test process (${signal ?? `exit code ${code}`})`;
        const report = `${why}\n${output()}`.trim();
        finish(brokenFile(current.name, report, performance.now() - startedAt));
      }
      done(finished);
    });
  });
}

/** Ends a process that takes too long, with all that it started. */
class Limit {
  /** Set once the limit was exceeded. */
  reached: string | undefined;
  readonly #child: ChildProcess;
  #timer: NodeJS.Timeout | undefined;

  constructor(child: ChildProcess) {
    this.#child = child;
  }

  restart(limitSeconds: number): void {
    this.stop();
    this.#timer = setTimeout(() => this.#exceed(limitSeconds), limitSeconds * 1_000);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #exceed(limitSeconds: number): void {
    this.reached = `A suite took longer than its limit of ${limitSeconds} s`;
    signalGroup(this.#child, 'SIGTERM');
    this.#timer = setTimeout(() => signalGroup(this.#child, 'SIGKILL'), GRACE_MS);
  }
}

/**
 * The child leads a group of its own, so that a limit ends what its tests started too; Ctrl-C must
 * reach it all the same.
 */
function forwardSignals(child: ChildProcess): () => void {
  const forward = (signal: NodeJS.Signals): void => {
    signalGroup(child, signal);
    setTimeout(() => process.exit(1), GRACE_MS);
    child.once('close', () => process.exit(1));
  };
  process.on('SIGINT', forward);
  process.on('SIGTERM', forward);
  return () => {
    process.off('SIGINT', forward);
    process.off('SIGTERM', forward);
  };
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    child.kill(signal);
  }
}

/** What the process and its children printed so far, as far as it is kept. */
function collectOutput(child: ChildProcess): () => string {
  let text = '';
  const collect = (chunk: Buffer): void => {
    text = (text + chunk.toString('utf8')).slice(-KEPT_OUTPUT);
  };
  child.stdout?.on('data', collect);
  child.stderr?.on('data', collect);
  return () => text;
}
