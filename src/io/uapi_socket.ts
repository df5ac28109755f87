/**
 * WireGuard's configuration socket: where `wg` and its like ask what runs and say what shall. A
 * stream of requests, each a line that names the operation, its lines, and an empty line; each
 * answer is lines, `errno=N` (0, or as in errno.h with a minus, as wireguard-go has it), and an
 * empty line.
 *
 * Limits: 16 connections, 10 s without a byte, 64 MiB of unfinished requests among all of them. A
 * connection that breaks one is closed. A reader that is slow has its answer made piece by piece.
 *
 * Source: https://www.wireguard.com/xplatform/#configuration-protocol.
 */

import * as fs from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { errnoOf, FileError } from './files.js';
import { type Budget, type UapiAnswers, UapiConnection } from './uapi_connection.js';
import { listenAt } from './unix_listener.js';

const FOLDER_MODE = 0o755;
const MODE_MASK = 0o177;
const CONNECTIONS = 16;
const LISTEN_TRIES = 3;

export interface UapiLimits {
  readonly idleMs: number;
  readonly requestBytes: number;
}

const LIMITS: UapiLimits = { idleMs: 10_000, requestBytes: 64 * 1024 * 1024 };

interface Parts {
  readonly server: Server;
  readonly sockets: ReadonlySet<Socket>;
  /** The folder, where we made it. */
  readonly madeFolder: string | undefined;
}

export class UapiSocket {
  readonly path: string;
  readonly #parts: Parts;

  private constructor(path: string, parts: Parts) {
    this.path = path;
    this.#parts = parts;
  }

  /**
   * Listens at `path` with mode 0600, in a folder that is made where it is missing. What a dead
   * program left there goes; where a live one listens, and where something else stands, it is
   * refused. Throws FileError.
   */
  static async open(path: string, answers: UapiAnswers, limits = LIMITS): Promise<UapiSocket> {
    const madeFolder = makeFolder(dirname(path));
    const sockets = new Set<Socket>();
    const budget: Budget = { left: limits.requestBytes };
    for (let tries = 0; tries < LISTEN_TRIES; tries++) {
      if ((await removeDeadSocket(path)) === 'live') throw taken(path);
      const server = createServer({ allowHalfOpen: true }, (socket) => {
        sockets.add(socket);
        socket.once('close', () => sockets.delete(socket));
        new UapiConnection(socket, answers, budget, limits.idleMs);
      });
      server.maxConnections = CONNECTIONS;
      await listenAt(server, path, MODE_MASK);
      // `wg` removes a socket that refuses it, and may have come between bind and listen.
      if (fs.existsSync(path)) return new UapiSocket(path, { server, sockets, madeFolder });
      await closeServer(server);
    }
    throw new FileError(
      'ENOENT',
      `Cannot listen at "${path}": somebody removes it again and again`,
    );
  }

  /** Stops listening, ends what is connected, and removes the socket, with the folder it made. */
  async close(): Promise<void> {
    const { server, sockets, madeFolder } = this.#parts;
    const closed = closeServer(server);
    for (const socket of sockets) socket.destroy();
    await closed;
    fs.rmSync(this.path, { force: true });
    if (madeFolder !== undefined) removeEmptyFolder(madeFolder);
  }
}

/**
 * Removes the socket at `path` when nobody listens there any more. `live`: somebody does. Throws
 * FileError where something else stands.
 */
export async function removeDeadSocket(path: string): Promise<'none' | 'removed' | 'live'> {
  const found = fs.lstatSync(path, { throwIfNoEntry: false });
  if (!found) return 'none';
  if (!found.isSocket()) {
    const what = found.isSymbolicLink() ? 'a symbolic link' : 'something that is no socket';
    const text = `${what} stands there, which heddle did not make; remove it`;
    throw new FileError('NOT_A_SOCKET', `Cannot listen at "${path}": ${text}`);
  }
  const code = await tryToConnect(path);
  if (code === 'ENOENT') return 'none';
  if (code !== 'ECONNREFUSED') return 'live';
  fs.rmSync(path, { force: true });
  return 'removed';
}

/** '' when somebody took the connection, else the errno. */
function tryToConnect(path: string): Promise<string> {
  return new Promise((done) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      done('');
    });
    socket.once('error', (error) => done(errnoOf(error)));
  });
}

function taken(path: string): FileError {
  const text =
    'a program that runs answers there, another WireGuard with an interface of this name ' +
    '(perhaps in another network namespace); stop it, or choose another interface name';
  return new FileError('EADDRINUSE', `Cannot listen at "${path}": ${text}`);
}

/** The folder, when it was missing. */
function makeFolder(path: string): string | undefined {
  if (fs.existsSync(path)) return undefined;
  try {
    fs.mkdirSync(path, { recursive: true, mode: FOLDER_MODE });
    // The umask may have taken away others' right to see what is there.
    fs.chmodSync(path, FOLDER_MODE);
    return path;
  } catch (error) {
    const code = errnoOf(error);
    throw new FileError(code, `Cannot create the folder "${path}": ${code}`, error);
  }
}

/** Others may have sockets in it by now: then it stays. */
function removeEmptyFolder(path: string): void {
  try {
    fs.rmdirSync(path);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(errnoOf(error))) throw error;
  }
}

function closeServer(server: Server): Promise<void> {
  return new Promise((done) => {
    server.close(() => done());
  });
}
