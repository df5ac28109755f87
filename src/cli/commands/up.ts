/**
 * `heddle up`: runs the daemon here until it is told to stop, or starts one in the background and
 * waits until it is ready.
 */

import * as fs from 'node:fs';
import { resolve } from 'node:path';
import type { Log } from '../../base/log.js';
import { CONFIG_FILE, type Folders } from '../../daemon/folders.js';
import { CommandError, EXIT, type ExitCode } from '../exit.js';
import { pipeReport, type StartReport, textReport } from '../report.js';
import { chooseStyle } from '../style.js';

const REPORT_FD = 3;
const STDERR = 2;

export interface UpOptions {
  readonly config?: string;
  readonly default?: true;
  readonly detach?: true;
  readonly dryRun?: true;
  readonly verbose?: true;
  readonly report?: boolean;
  readonly folders: Folders;
  readonly version: string;
}

export async function up(options: UpOptions): Promise<ExitCode> {
  const style = chooseStyle(process.stderr.isTTY === true, process.env);
  const text = textReport(style, () => process.uptime() * 1000);
  const configFile = options.default ? undefined : resolve(options.config ?? CONFIG_FILE);
  if (options.dryRun && configFile !== undefined) return plan(configFile);
  if (options.detach) {
    const { startInBackground } = await import('./up_detached.js');
    return startInBackground({ ...options, configFile, report: text });
  }
  const report = options.report ? pipeReport(REPORT_FD) : text;
  return runHere(options, configFile, report);
}

async function plan(configFile: string): Promise<ExitCode> {
  const [{ dryRun }, { explainStartError }] = await Promise.all([
    import('./up_dry_run.js'),
    import('../start_error.js'),
  ]);
  try {
    return await dryRun(configFile);
  } catch (error) {
    const failure = explainStartError(error);
    throw failure ? new CommandError(failure.exitCode, failure.message) : error;
  }
}

async function runHere(
  options: UpOptions,
  configFile: string | undefined,
  report: StartReport,
): Promise<ExitCode> {
  const [{ startDaemon }, { openTunnel }, { explainStartError }] = await Promise.all([
    import('../../daemon/main.js'),
    import('../../daemon/open_tunnel.js'),
    import('../start_error.js'),
  ]);
  const { folders, version } = options;
  const log = await openStderrLog(options.verbose === true);
  try {
    const { step, advise } = report;
    const parts = { configFile, folders, version, log, step, advise, openTunnel };
    const daemon = await startDaemon(parts);
    report.ready();
    // Threads and sockets are closed by now; what a library left behind must not keep the process.
    process.exit((await daemon.stopped) === undefined ? EXIT.ok : EXIT.failed);
  } catch (error) {
    const failure = explainStartError(error) ?? defect(error);
    report.failed(failure.exitCode, failure.message);
    process.exit(failure.exitCode);
  }
}

function defect(error: unknown): { exitCode: ExitCode; message: string } {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const message = `a defect of heddle itself, please report it: ${text}`;
  return { exitCode: EXIT.failed, message };
}

async function openStderrLog(isVerbose: boolean): Promise<Log> {
  const { openLog } = await import('../../io/log.js');
  return openLog({
    level: isVerbose ? 'debug' : 'info',
    format: process.stderr.isTTY === true ? 'logfmt' : 'json',
    write: writeStderr,
    now: () => performance.now(),
    wall: () => Date.now(),
  });
}

/** A full disk or a reader that left must not stop the daemon; the line is lost. */
function writeStderr(line: string): void {
  try {
    fs.writeSync(STDERR, line);
  } catch {
    return;
  }
}
