/**
 * The daemon, part by part in the order of its start: privileges, configuration, locks, the tunnel
 * (open_tunnel.ts: packets, addresses and routes, sessions), the control socket. Each part notes
 * how it is unmade; the end, and a start that fails half way, run those notes backwards, so that
 * the host is as it was.
 */

import { type ApiResponse, handleRequest } from '../api/handlers.js';
import { type StatusDocument, statusDocument } from '../api/status.js';
import type { Log } from '../base/log.js';
import type { WallTime } from '../base/time.js';
import { type Folders, lockPath, socketPath, stateLockPath } from './folders.js';
import { type ControlResponse, ControlSocket } from '../io/control_socket.js';
import { METRICS_TYPE, metricsText } from '../io/metrics_text.js';
import { ensureFolder } from '../io/files.js';
import { SystemRandom } from '../io/entropy.js';
import { SodiumSuite } from '../io/sodium.js';
import type { Metric } from '../metrics/metric.js';
import { meshDocument, type MeshDocument } from '../api/mesh_status.js';
import { addressesOf, type Config } from '../node/config.js';
import { defaultConfig, firstPeerAdvice, meshConfig } from './config_default.js';
import { readConfigFile } from './config_file.js';
import { checkNotTaken, checkPrivileges } from './host_check.js';
import { LockFile } from './lock_file.js';
import { commandMesh, enterMesh, findMesh } from './mesh_entry.js';
import { type MeshOptions, withSettings } from './mesh_options.js';
import { Reloader, type ReloadResult } from './reload.js';
import { wipeSecrets } from './secrets.js';
import { onReloadSignal, onStopSignal } from './signals.js';
import { Teardown } from './teardown.js';
import type { OpenTunnel, Tunnel } from './tunnel.js';

const FILE_MASK = 0o077;
const STATE_MODE = 0o700;
const RUN_MODE = 0o750;

export interface DaemonOptions {
  /** Undefined: the built-in configuration. */
  readonly configFile: string | undefined;
  readonly folders: Folders;
  readonly version: string;
  readonly log: Log;
  readonly step: (name: string, detail: string) => void;
  /** Something for a person to read once, after the start. */
  readonly advise: (text: string) => void;
  readonly openTunnel: OpenTunnel;
  /** Undefined: no mesh. */
  readonly mesh?: MeshOptions;
  /** A join line for somebody to paste on another host; a secret. */
  readonly showLine: (line: string, expires: WallTime) => void;
}

/** A daemon through whose tunnel traffic can flow. */
export interface Daemon {
  readonly status: () => StatusDocument;
  /**
   * Settles when all is unmade; with the error, where one made it stop, and undefined when it was
   * asked to.
   */
  readonly stopped: Promise<unknown>;
}

/** Starts everything. What fails is thrown after what was made before it is unmade. */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const teardown = new Teardown(() => options.log);
  try {
    const daemon = await start(options, teardown);
    giveBackMemory();
    return daemon;
  } catch (error) {
    await teardown.run();
    throw error;
  }
}

/**
 * What a start read and made on its way is several times what stays; the collector would let it lie
 * until the heap has grown. Nothing happens where node was started without --expose-gc.
 */
function giveBackMemory(): void {
  globalThis.gc?.();
}

async function start(options: DaemonOptions, teardown: Teardown): Promise<Daemon> {
  const { folders, log, step } = options;
  process.umask(FILE_MASK);
  checkPrivileges();

  const { config, source, advice } = readConfig(options);
  let inForce = (): Config => config;
  teardown.add('configuration', () => wipeSecrets(inForce()));
  const length = config.peers.length + config.clearPeers.length;
  step('configuration', `${source}: ${length === 1 ? '1 peer' : `${length} peers`}`);

  ensureFolder(folders.run, RUN_MODE);
  const runLock = new LockFile(lockPath(folders));
  teardown.add('run lock', () => runLock.release());
  ensureFolder(folders.state, STATE_MODE);
  const stateLock = new LockFile(stateLockPath(folders));
  teardown.add('state lock', () => stateLock.release());

  const end = makeEnd();
  teardown.add(
    'signals',
    onStopSignal(() => end.reach(undefined)),
  );
  teardown.add('crash handlers', onCrash(end.reach));

  checkNotTaken(config);
  const { meshSettings } = config;
  const meshOptions = meshSettings ? withSettings(options.mesh, meshSettings) : options.mesh;
  const mesh = meshOptions && findMesh(meshOptions, options, end.reach);
  const base = { config, folders, log, teardown, step, fail: end.reach };
  const tunnel = await options.openTunnel(mesh ? { ...base, mesh } : base);
  inForce = () => tunnel.config;
  const reloader = new Reloader({ read: readerOf(options), tunnel, log });
  const reload = (): Promise<ReloadResult> => reloader.reload().catch(failWith(end.reach));
  teardown.add(
    'reload signal',
    onReloadSignal(() => void reload()),
  );

  const status = (): StatusDocument =>
    readStatus({ version: options.version, tunnel, startedAt, reloadFailure: reloader.failure });
  const startedAt = tunnel.now();
  const socket = await ControlSocket.open(socketPath(folders), (request) => {
    const sources = { status, mesh: () => meshOf(tunnel) };
    const response: ApiResponse = handleRequest(request, sources);
    if (response.command === 'stop') setImmediate(() => end.reach(undefined));
    if (response.metrics) return metricsAnswer(response.metrics);
    if (response.command === 'reload') return reload().then(reloadAnswer);
    if (response.command === 'mesh') return commandMesh(tunnel.mesh, request.body);
    return response;
  });
  teardown.add('control socket', () => socket.close());
  step('control', socketPath(folders));

  if (mesh) await enterMesh(mesh, tunnel, options, end.reached);
  log.info('ready', { interface: tunnel.interfaceName, port: tunnel.listenPort });
  if (advice !== undefined) options.advise(advice);
  return { status, stopped: end.reached.then((error) => stop(error, teardown, log)) };
}

async function stop(error: unknown, teardown: Teardown, log: Log): Promise<unknown> {
  if (error !== undefined) {
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    log.error('stopping because of a defect', { why });
  } else log.info('stopping');
  const isClean = await teardown.run();
  return error ?? (isClean ? undefined : new Error('Not everything could be undone, see the log'));
}

interface ReadConfig {
  readonly config: Config;
  readonly source: string;
  readonly advice?: string;
}

function readConfig(options: DaemonOptions): ReadConfig {
  const { configFile, folders } = options;
  const crypto = new SodiumSuite();
  if (configFile !== undefined) {
    return { config: readConfigFile(configFile, crypto), source: configFile };
  }
  ensureFolder(folders.state, STATE_MODE);
  if (options.mesh) return { config: meshConfig(), source: 'built in' };
  const built = defaultConfig(folders.state, crypto, new SystemRandom());
  const source = `built in, ${built.isNewKey ? 'new key' : 'key'} ${built.keyFile}`;
  const advice = firstPeerAdvice(built);
  return { config: built.config, source, advice };
}

function meshOf(tunnel: Tunnel): MeshDocument | undefined {
  const { mesh } = tunnel.snapshot();
  return mesh && meshDocument(mesh);
}

/** How to read the file again, where there is one. */
function readerOf({ configFile }: DaemonOptions): (() => Config) | undefined {
  if (configFile === undefined) return undefined;
  return () => readConfigFile(configFile, new SodiumSuite());
}

/** A reload that ends in a defect ends the daemon. */
function failWith(fail: (error: unknown) => void): (error: unknown) => ReloadResult {
  return (error) => {
    fail(error);
    return { kind: 'refused', why: 'a defect of heddle itself, see the log; it is stopping' };
  };
}

/** 422 (RFC 9110 §15.5.21): understood, and cannot be done. */
function reloadAnswer(result: ReloadResult): ControlResponse {
  return { status: result.kind === 'applied' ? 200 : 422, body: result };
}

async function metricsAnswer(metrics: readonly Metric[]): Promise<ControlResponse> {
  return { status: 200, text: await metricsText(metrics), type: METRICS_TYPE };
}

interface Statement {
  readonly version: string;
  readonly tunnel: Tunnel;
  readonly startedAt: ReturnType<Tunnel['now']>;
  readonly reloadFailure: string | undefined;
}

function readStatus({ version, tunnel, startedAt, reloadFailure }: Statement): StatusDocument {
  return statusDocument({
    version,
    pid: process.pid,
    startedAt,
    now: tunnel.now(),
    interface: tunnel.interfaceName,
    addresses: addressesOf(tunnel.config),
    ...(reloadFailure === undefined ? {} : { reloadFailure }),
    repairs: tunnel.repairs(),
    mtu: tunnel.mtu,
    listenPort: tunnel.listenPort,
    fwMark: tunnel.fwMark,
    datapath: tunnel.datapath,
    lanes: tunnel.lanes,
    remarks: tunnel.remarks(),
    snapshot: tunnel.snapshot(),
    traffic: (peer) => tunnel.traffic(peer),
    counters: tunnel.counters(),
    drops: tunnel.drops(),
    datapathSource: tunnel.footing(),
  });
}

/** The one moment at which the daemon begins to stop; later ones change nothing. */
function makeEnd(): { reached: Promise<unknown>; reach: (error: unknown) => void } {
  let reach: (error: unknown) => void = () => {};
  const reached = new Promise<unknown>((done) => {
    reach = done;
  });
  return { reached, reach };
}

/** A broken invariant stops the daemon, but not before the host is as it was. */
function onCrash(fail: (error: unknown) => void): () => void {
  const receive = (error: unknown): void =>
    fail(error ?? new Error('Something undefined was thrown'));
  process.on('uncaughtException', receive);
  process.on('unhandledRejection', receive);
  return () => {
    process.off('uncaughtException', receive);
    process.off('unhandledRejection', receive);
  };
}
