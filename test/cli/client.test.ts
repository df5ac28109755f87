/**
 * The command's end of the socket: each way in which a daemon does not answer has its exit code.
 */

import { once } from 'node:events';
import * as fs from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fetchStatus } from '../../src/cli/client.js';
import { CommandError, EXIT } from '../../src/cli/exit.js';
import { type Folders, socketPath } from '../../src/daemon/folders.js';

const test = suite<{ folders: Folders }>('cli/client');

test.before.each((context) => {
  const run = fs.mkdtempSync(join(tmpdir(), 'heddle-'));
  context.folders = { run, state: run, wireguard: run };
});
test.after.each((context) => fs.rmSync(context.folders.run, { recursive: true }));

async function exitCodeOf(folders: Folders): Promise<number> {
  try {
    await fetchStatus(folders);
  } catch (error) {
    if (error instanceof CommandError) return error.exitCode;
    throw error;
  }
  return EXIT.ok;
}

/** A daemon that answers every request with these bytes and closes. */
async function answering(folders: Folders, text: string): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(text));
  });
  await once(server.listen(socketPath(folders)), 'listening');
  return server;
}

function http(status: string, body: string): string {
  return `HTTP/1.1 ${status}\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`;
}

test('client: no socket, or nobody behind it, is "not running"', async ({ folders }) => {
  assert.is(await exitCodeOf(folders), EXIT.notRunning);
  const server = await answering(folders, '');
  fs.linkSync(socketPath(folders), join(folders.run, 'kept'));
  server.close();
  await once(server, 'close');
  fs.renameSync(join(folders.run, 'kept'), socketPath(folders));
  assert.is(await exitCodeOf(folders), EXIT.notRunning);
});

const ANSWERS: readonly (readonly [string, string, number])[] = [
  ['a connection that closes', '', EXIT.tryLater],
  ['a refusal', http('500 Oops', '{}'), EXIT.failed],
  ['a document of another version', http('200 OK', '{"schemaVersion":99}'), EXIT.failed],
  ['a document', http('200 OK', '{"schemaVersion":1}'), EXIT.ok],
];

for (const [reason, text, exitCode] of ANSWERS) {
  test(`client: ${reason} ends with ${exitCode}`, async ({ folders }) => {
    const server = await answering(folders, text);
    assert.is(await exitCodeOf(folders), exitCode);
    server.close();
  });
}

test.run();
