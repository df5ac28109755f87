/** The command's end of the control socket. Light: the hot commands import nothing more. */

import { request } from 'node:http';
import { MESH_SCHEMA_VERSION, type MeshDocument } from '../api/mesh_status.js';
import { SCHEMA_VERSION, type StatusDocument } from '../api/status.js';
import type { MeshCommandBody } from '../daemon/mesh_command.js';
import type { MeshResult } from '../mesh/command.js';
import { CommandError, EXIT } from './exit.js';
import { type Folders, socketPath } from '../daemon/folders.js';

const TIMEOUT_MS = 5_000;
/** A file with 100,000 prefixes takes some seconds to read. */
const RELOAD_TIMEOUT_MS = 60_000;
const MESH_TIMEOUT_MS = 30_000;
const REFUSALS = [400, 409, 422];
const LONGEST_ANSWER = 512 * 1024 * 1024;

/** Throws CommandError: not running, not permitted, or no answer in time. */
export async function fetchStatus(folders: Folders): Promise<StatusDocument> {
  const answer: unknown = JSON.parse(await call(folders, 'GET', '/v1/status'));
  if (isStatus(answer)) return answer;
  const advice = 'the daemon is of another version; restart it with `heddle down` and `heddle up`';
  throw new CommandError(EXIT.failed, `Cannot read the daemon's answer: ${advice}`);
}

/** All counters in Prometheus' text format. */
export function fetchMetrics(folders: Folders): Promise<string> {
  return call(folders, 'GET', '/metrics');
}

/** The mesh as the daemon sees it. */
export async function fetchMesh(folders: Folders): Promise<MeshDocument> {
  const answer: unknown = JSON.parse(await call(folders, 'GET', '/v1/mesh', { alsoTake: 409 }));
  if (isMesh(answer)) return answer;
  throw new CommandError(EXIT.failed, errorOf(answer));
}

/** What came of the command; throws CommandError with why it was refused. */
export async function commandMesh(folders: Folders, body: MeshCommandBody): Promise<MeshResult> {
  const options = { timeoutMs: MESH_TIMEOUT_MS, alsoTake: REFUSALS, body };
  const answer: unknown = JSON.parse(await call(folders, 'POST', '/v1/mesh/command', options));
  if (isMeshResult(answer)) return answer.result;
  throw new CommandError(EXIT.failed, errorOf(answer));
}

function isMesh(answer: unknown): answer is MeshDocument {
  if (typeof answer !== 'object' || answer === null || !('schemaVersion' in answer)) return false;
  return answer.schemaVersion === MESH_SCHEMA_VERSION;
}

function isMeshResult(answer: unknown): answer is { readonly result: MeshResult } {
  return typeof answer === 'object' && answer !== null && 'ok' in answer && answer.ok === true;
}

function errorOf(answer: unknown): string {
  const isError = typeof answer === 'object' && answer !== null && 'error' in answer;
  return isError ? String(answer.error) : 'The daemon is of another version; restart it';
}

/** Asks the daemon to stop; it answers before it does. */
export async function requestStop(folders: Folders): Promise<void> {
  await call(folders, 'POST', '/v1/stop');
}

/** What a reload applied, or why it was refused. */
export type ReloadAnswer =
  | {
      readonly kind: 'applied';
      readonly applied: readonly string[];
      readonly needsRestart: readonly string[];
    }
  | { readonly kind: 'refused'; readonly why: string };

/** Asks the daemon to take over its changed file, and waits until it has. */
export async function requestReload(folders: Folders): Promise<ReloadAnswer> {
  const answer: unknown = JSON.parse(
    await call(folders, 'POST', '/v1/reload', { timeoutMs: RELOAD_TIMEOUT_MS, alsoTake: 422 }),
  );
  if (isReloadAnswer(answer)) return answer;
  throw new CommandError(EXIT.failed, 'Cannot read the answer: the daemon is of another version');
}

function isReloadAnswer(answer: unknown): answer is ReloadAnswer {
  if (typeof answer !== 'object' || answer === null || !('kind' in answer)) return false;
  return answer.kind === 'applied' || answer.kind === 'refused';
}

function isStatus(answer: unknown): answer is StatusDocument {
  if (typeof answer !== 'object' || answer === null || !('schemaVersion' in answer)) return false;
  return answer.schemaVersion === SCHEMA_VERSION;
}

interface CallOptions {
  readonly timeoutMs?: number;
  /** Status codes that are answers too. */
  readonly alsoTake?: number | readonly number[];
  /** Sent as JSON. */
  readonly body?: unknown;
}

function call(
  folders: Folders,
  method: string,
  path: string,
  { timeoutMs: timeout = TIMEOUT_MS, alsoTake = [], body }: CallOptions = {},
): Promise<string> {
  const socket = socketPath(folders);
  return new Promise((done, fail) => {
    const options = { socketPath: socket, method, path, agent: false, timeout };
    const sent = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > LONGEST_ANSWER) response.destroy(new Error('The answer is too long'));
      });
      response.on('error', (error) => fail(connectionError(socket, error)));
      response.on('end', () => {
        const status = response.statusCode ?? 0;
        if ((status >= 200 && status < 300) || [alsoTake].flat().includes(status)) done(text);
        else fail(new CommandError(EXIT.failed, `The daemon refused ${method} ${path}: ${text}`));
      });
    });
    sent.on('timeout', () => sent.destroy(timeoutError(socket, timeout)));
    sent.on('error', (error) => fail(connectionError(socket, error)));
    if (body === undefined) sent.end();
    else sent.end(JSON.stringify(body));
  });
}

function timeoutError(socket: string, timeoutMs: number): CommandError {
  const seconds = timeoutMs / 1000;
  return new CommandError(
    EXIT.tryLater,
    `The daemon at "${socket}" did not answer within ${seconds} s; try again, it may be busy`,
  );
}

function connectionError(socket: string, error: Error): CommandError {
  if (error instanceof CommandError) return error;
  const code = 'code' in error ? String(error.code) : '';
  switch (code) {
    case 'ENOENT':
    case 'ECONNREFUSED':
      return new CommandError(
        EXIT.notRunning,
        `No heddle daemon answers at "${socket}"; start one with \`heddle up\``,
      );
    case 'EACCES':
    case 'EPERM':
      return new CommandError(
        EXIT.notPermitted,
        `Cannot open "${socket}": permission denied; run the command as root or as its group`,
      );
    case 'ECONNRESET':
    case 'EAGAIN':
      return new CommandError(
        EXIT.tryLater,
        `The daemon at "${socket}" closed the connection; try again, it may be stopping`,
      );
    default:
      return new CommandError(EXIT.failed, `Cannot talk to the daemon at "${socket}": ${code}`);
  }
}
