/**
 * Bulk TCP through the tunnel: one end sends as fast as it may, the other takes for a while and
 * counts.
 */

import { createServer, connect, type Server, type Socket } from 'node:net';
import { DemoError } from './command.js';

const BULK_PORT = 7001;
const CHUNK_BYTES = 1 << 20;
const CONNECT_LIMIT_MS = 10_000;

export interface BulkResult {
  readonly bytes: number;
  readonly seconds: number;
}

/** Sends `marker`, over and over, to whoever connects, until that one leaves. */
export function serveBulk(marker: string, port = BULK_PORT): Promise<Server> {
  const copies = Math.ceil(CHUNK_BYTES / marker.length);
  const chunk = Buffer.from(marker.repeat(copies));
  const server = createServer((socket) => pump(socket, chunk));
  return new Promise((done, fail) => {
    server.on('error', fail);
    server.listen(port, () => done(server));
  });
}

function pump(socket: Socket, chunk: Buffer): void {
  const send = (): void => {
    while (socket.writable && socket.write(chunk));
  };
  socket.on('drain', send);
  socket.on('error', () => socket.destroy());
  send();
}

/** Takes what `address` sends for so many seconds, counted from the first byte. */
export function pullBulk(address: string, seconds: number, port = BULK_PORT): Promise<BulkResult> {
  return new Promise((done, fail) => {
    let bytes = 0;
    let startedAt = 0;
    let last: NodeJS.Timeout | undefined;
    const finish = (): void => {
      socket.destroy();
      done({ bytes, seconds: (performance.now() - startedAt) / 1_000 });
    };
    const take = (count: number): boolean => {
      if (last === undefined) {
        clearTimeout(limit);
        startedAt = performance.now();
        last = setTimeout(finish, seconds * 1_000);
      }
      bytes += count;
      return true;
    };
    const onread = { buffer: Buffer.alloc(CHUNK_BYTES), callback: take };
    const socket = connect({ host: address, port, onread });
    const failAs = (why: string): void => {
      clearTimeout(limit);
      clearTimeout(last);
      socket.destroy();
      fail(new DemoError(`Bulk TCP from ${address} failed: ${why}`));
    };
    const limit = setTimeout(
      () => failAs(`nothing came in ${CONNECT_LIMIT_MS / 1_000} s`),
      CONNECT_LIMIT_MS,
    );
    socket.on('error', (error) => failAs(error.message));
    socket.on('end', () => failAs('the other end closed'));
  });
}
