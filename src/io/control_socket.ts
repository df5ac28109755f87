/**
 * The control socket: HTTP over a Unix socket that only its owner and group may open, with limits
 * on everything that a client can take. What is answered is decided in api/.
 */

import * as fs from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { FileError } from './files.js';
import { listenAt } from './unix_listener.js';

const MODE_MASK = 0o117;
const CONNECTIONS = 64;
const HEADER_BYTES = 8 * 1024;
const BODY_BYTES = 1024 * 1024;
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
const IDLE_MS = 1_000;

export interface ControlRequest {
  readonly method: string;
  readonly path: string;
  readonly body: Uint8Array;
}

export type ControlResponse =
  /** A JSON value. */
  | { readonly status: number; readonly body: unknown }
  /** Text of a media type. */
  | { readonly status: number; readonly text: string; readonly type: string };

/** What comes later never rejects. */
export type Answer = (request: ControlRequest) => ControlResponse | Promise<ControlResponse>;

export class ControlSocket {
  readonly #path: string;
  readonly #server: Server;

  private constructor(path: string, server: Server) {
    this.#path = path;
    this.#server = server;
  }

  /**
   * Listens at `path` with mode 0660 from the first moment. The caller holds the lock of the
   * folder, so a socket that is there already is a dead daemon's and goes; anything else that is
   * there stays and is refused. Throws FileError.
   */
  static async open(path: string, answer: Answer): Promise<ControlSocket> {
    removeStaleSocket(path);
    const server = createServer(
      {
        maxHeaderSize: HEADER_BYTES,
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        keepAliveTimeout: IDLE_MS,
        connectionsCheckingInterval: 1_000,
      },
      (request, response) => receive(request, response, answer),
    );
    server.maxConnections = CONNECTIONS;
    server.maxRequestsPerSocket = 100;
    await listenAt(server, path, MODE_MASK);
    return new ControlSocket(path, server);
  }

  /** Stops listening, ends what is connected, and removes the socket file. */
  async close(): Promise<void> {
    const closed = new Promise<void>((done) => this.#server.close(() => done()));
    this.#server.closeIdleConnections();
    const force = setTimeout(() => this.#server.closeAllConnections(), IDLE_MS);
    await closed;
    clearTimeout(force);
    fs.rmSync(this.#path, { force: true });
  }
}

function removeStaleSocket(path: string): void {
  const found = fs.lstatSync(path, { throwIfNoEntry: false });
  if (!found) return;
  if (!found.isSocket()) {
    const what = found.isSymbolicLink() ? 'a symbolic link' : 'something that is no socket';
    const text = `${what} stands there, which heddle did not make; remove it`;
    throw new FileError('NOT_A_SOCKET', `Cannot listen at "${path}": ${text}`);
  }
  fs.rmSync(path, { force: true });
}

function receive(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  const chunks: Uint8Array[] = [];
  let length = 0;
  request.on('error', () => response.destroy());
  response.on('error', () => response.destroy());
  request.on('data', (chunk: Uint8Array) => {
    length += chunk.length;
    if (length <= BODY_BYTES) chunks.push(chunk);
    else if (!response.headersSent) {
      respond(response, { status: 413, body: { error: 'The request is larger than 1 MiB' } });
      request.destroy();
    }
  });
  request.on('end', () => {
    if (length > BODY_BYTES) return;
    const { method = '', url = '' } = request;
    const answered = answer({ method, path: url, body: Buffer.concat(chunks) });
    if (answered instanceof Promise) void answered.then((later) => respond(response, later));
    else respond(response, answered);
  });
}

function respond(response: ServerResponse, answer: ControlResponse): void {
  const isText = 'text' in answer;
  const text = isText ? answer.text : `${JSON.stringify(answer.body)}\n`;
  response.writeHead(answer.status, {
    'content-type': isText ? answer.type : 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(text);
}
