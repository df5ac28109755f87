/**
 * Starts the daemon in the background: a session of its own, its messages in a file of the run
 * folder, and a pipe on which it reports its start. Returns when traffic can flow or with the
 * daemon's own error.
 */

import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { lockOwner, LockHeldError } from '../../daemon/lock_file.js';
import { explainStartError } from '../start_error.js';
import { ensureFolder } from '../../io/files.js';
import { CommandError, EXIT, type ExitCode } from '../exit.js';
import { type Folders, lockPath, logPath } from '../../daemon/folders.js';
import { parseReportLine, type ReportLine, type StartReport } from '../report.js';
import { harmless } from '../table.js';

const RUN_MODE = 0o750;
const LOG_MODE = 0o600;
const TAIL_BYTES = 2048;
const EXIT_CODES: readonly ExitCode[] = Object.values(EXIT);

export interface DetachOptions {
  readonly configFile: string | undefined;
  readonly verbose?: true;
  /** The join line, to be handed over by a pipe. */
  readonly line?: string | undefined;
  readonly name?: string;
  readonly network?: string;
  readonly announce?: readonly string[];
  readonly subnet?: string;
  readonly acceptDefaultRoutes?: true;
  readonly newIdentity?: true;
  readonly default?: true;
  readonly folders: Folders;
  readonly report: StartReport;
}

export async function startInBackground(options: DetachOptions): Promise<ExitCode> {
  const { folders, report } = options;
  const child = spawnDaemon(options, openLogFile(folders));
  const interrupt = (): void => {
    child.kill('SIGTERM');
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  const pipe = child.stdio[3];
  if (!(pipe instanceof Readable)) throw new CommandError(EXIT.failed, 'The pipe was not made');
  for await (const text of createInterface({ input: pipe })) {
    const line = parseReportLine(text);
    if (line?.kind === 'step') report.step(line.name, line.detail);
    else if (line?.kind === 'advice') report.advise(line.text);
    else if (line?.kind === 'joinLine') report.joinLine(line.line, line.expires);
    else if (line?.kind === 'failed') throw new CommandError(exitCode(line), line.message);
    else if (line?.kind === 'ready') {
      child.unref();
      report.ready();
      return EXIT.ok;
    }
  }
  throw new CommandError(EXIT.failed, `The daemon ended while it started${readTail(folders)}`);
}

function spawnDaemon(options: DetachOptions, log: number) {
  const { folders, line } = options;
  const words = [...process.execArgv, process.argv[1] ?? '', 'up', '--report', ...wordsOf(options)];
  const child = spawn(process.execPath, words, {
    cwd: '/',
    detached: true,
    env: { ...process.env, HEDDLE_STATE_DIR: folders.state, HEDDLE_RUN_DIR: folders.run },
    stdio: [line === undefined ? 'ignore' : 'pipe', log, log, 'pipe'],
  });
  child.stdin?.on('error', () => {});
  child.stdin?.end(`${line}\n`);
  return child;
}

/** What the daemon is told anew; the join line is not among it. */
function wordsOf(options: DetachOptions): string[] {
  const { configFile, name, network, subnet } = options;
  const given = (word: string, value: string | undefined): string[] =>
    value === undefined ? [] : [word, value];
  return [
    ...given('--config', configFile),
    ...(options.default ? ['--default'] : []),
    ...(options.verbose ? ['--verbose'] : []),
    ...(options.line === undefined ? [] : ['--join']),
    ...given('--name', name),
    ...given('--network', network),
    ...(options.announce ?? []).flatMap((prefix) => ['--announce', prefix]),
    ...given('--subnet', subnet),
    ...(options.acceptDefaultRoutes ? ['--accept-default-routes'] : []),
    ...(options.newIdentity ? ['--new-identity'] : []),
  ];
}

/** Begins the log anew, unless a living daemon writes to it. */
function openLogFile(folders: Folders): number {
  try {
    ensureFolder(folders.run, RUN_MODE);
    const pid = lockOwner(lockPath(folders));
    if (pid !== undefined) throw new LockHeldError(lockPath(folders), pid);
    const { O_WRONLY, O_CREAT, O_APPEND, O_TRUNC, O_NOFOLLOW } = fs.constants;
    const flags = O_WRONLY | O_CREAT | O_APPEND | O_TRUNC | O_NOFOLLOW;
    const log = fs.openSync(logPath(folders), flags, LOG_MODE);
    fs.fchmodSync(log, LOG_MODE);
    return log;
  } catch (error) {
    const failure = explainStartError(error);
    if (failure) throw new CommandError(failure.exitCode, failure.message);
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandError(EXIT.failed, `Cannot open "${logPath(folders)}": ${why}`);
  }
}

function exitCode(line: ReportLine & { kind: 'failed' }): ExitCode {
  return EXIT_CODES.find((code) => code === line.exitCode) ?? EXIT.failed;
}

/** The end of the log, for a daemon that could not say what happened. */
function readTail(folders: Folders): string {
  const text = fs.readFileSync(logPath(folders)).subarray(-TAIL_BYTES).toString('utf8').trim();
  if (text === '') return '; it left no message';
  const lines = text.split('\n').map((line) => `\n  ${harmless(line)}`);
  return `; the end of "${logPath(folders)}":${lines.join('')}`;
}
