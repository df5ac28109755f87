/**
 * `heddle up`: runs the daemon here until it is told to stop, or starts one in the background and
 * waits until it is ready.
 */

import * as fs from 'node:fs';
import * as nodePath from 'node:path';
import { resolve } from 'node:path';
import type { Log } from '../../base/log.js';
import { CONFIG_FILE, type Folders } from '../../daemon/folders.js';
import type { MeshOptions } from '../../daemon/mesh_options.js';
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
  /** The words for the mesh, as given. */
  readonly join?: true;
  readonly joinFile?: string;
  readonly name?: string;
  readonly network?: string;
  readonly announce?: readonly string[];
  readonly subnet?: string;
  readonly acceptDefaultRoutes?: true;
  readonly newIdentity?: true;
  readonly folders: Folders;
  readonly version: string;
}

export async function up(options: UpOptions): Promise<ExitCode> {
  const style = chooseStyle(process.stderr.isTTY === true, process.env);
  const isForPeople = options.detach === true || process.stdout.isTTY === true;
  const text = textReport(style, () => process.uptime() * 1000, isForPeople);
  const configFile = configFileOf(options);
  if (options.dryRun && configFile !== undefined) return plan(configFile);
  const { readLine, meshOptions } = await import('./up_mesh.js');
  const line = await readLine(options);
  // Judged here, before a daemon is started that could only say it in its log.
  const mesh = isMeshWanted(options, configFile) ? meshOptions(options, line) : undefined;
  if (options.detach) {
    const { startInBackground } = await import('./up_detached.js');
    return startInBackground({ ...options, configFile, line, report: text });
  }
  const report = options.report ? pipeReport(REPORT_FD) : text;
  return runHere(options, configFile, report, mesh);
}

/** Undefined: the built-in configuration, which a host without a file has for its mesh. */
function configFileOf({ default: isDefault, config, dryRun }: UpOptions): string | undefined {
  if (isDefault) return undefined;
  if (config !== undefined || dryRun) return resolve(config ?? CONFIG_FILE);
  return fs.existsSync(CONFIG_FILE) ? CONFIG_FILE : undefined;
}

/** By a word of the command line, by what the host is in already, or for want of anything else. */
function isMeshWanted(options: UpOptions, configFile: string | undefined): boolean {
  const { join, joinFile, name, network, announce, subnet, newIdentity } = options;
  const words = [join, joinFile, name, network, announce, subnet, newIdentity];
  if (words.some((word) => word !== undefined) || options.acceptDefaultRoutes) return true;
  if (options.default) return false;
  return configFile === undefined || fs.existsSync(nodePath.join(options.folders.state, 'own'));
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
  mesh: MeshOptions | undefined,
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
    const base = { configFile, folders, version, log, step, advise, openTunnel };
    const parts = { ...base, showLine: report.joinLine };
    const daemon = await startDaemon(mesh ? { ...parts, mesh } : parts);
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
