import * as fs from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CommandError, EXIT } from '../../src/cli/exit.js';
import { fetchUapi } from '../../src/cli/uapi_client.js';

const test = suite<{ folder: string; path: string }>('cli/uapi_client');

test.before.each((context) => {
  context.folder = fs.mkdtempSync(join(tmpdir(), 'heddle-'));
  context.path = join(context.folder, 'hd0.sock');
});
test.after.each((context) => fs.rmSync(context.folder, { recursive: true }));

async function fetchFrom(path: string, answer: string): Promise<string> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.resume();
    socket.on('end', () => socket.end(answer));
  }).listen(path);
  await once(server, 'listening');
  try {
    return await fetchUapi(path);
  } finally {
    server.close();
  }
}

async function exitCodeOf(call: Promise<unknown>): Promise<number> {
  try {
    await call;
  } catch (error) {
    if (error instanceof CommandError) return error.exitCode;
    throw error;
  }
  return EXIT.ok;
}

test('fetch: a whole answer, however long', async ({ path }) => {
  const long = `allowed_ip=10.0.0.0/8\n`.repeat(50_000);
  assert.is(await fetchFrom(path, `${long}errno=0\n\n`), `${long}errno=0\n\n`);
  assert.is(await fetchFrom(path, 'errno=0\n\n'), 'errno=0\n\n');
});

test('fetch: one that is cut off or failed is none', async ({ path }) => {
  for (const answer of ['', 'listen_port=1\n', 'errno=0\n', 'errno=-22\n\n', 'xerrno=0\n\n']) {
    assert.is(await exitCodeOf(fetchFrom(path, answer)), EXIT.tryLater, answer);
  }
});

test('fetch: no socket, or a dead one, is said', async ({ path }) => {
  assert.is(await exitCodeOf(fetchUapi(path)), EXIT.failed);
});

test.run();
