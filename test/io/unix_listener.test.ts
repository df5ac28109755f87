import * as fs from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FileError } from '../../src/io/files.js';
import { listenAt } from '../../src/io/unix_listener.js';

const test = suite<{ folder: string }>('io/unix_listener');

test.before.each((context) => {
  context.folder = fs.mkdtempSync(join(tmpdir(), 'heddle-'));
});
test.after.each((context) => fs.rmSync(context.folder, { recursive: true }));

test('listen: the socket has no bit of the mask, and the process its own mask again', async ({
  folder,
}) => {
  const path = join(folder, 'a.sock');
  const before = process.umask(0);
  const server = createServer();
  await listenAt(server, path, 0o137);
  assert.is(process.umask(before), 0);
  assert.is(fs.statSync(path).mode & 0o777, 0o640);
  server.close();
});

test('listen: a place that is taken, and one that cannot be, are said', async ({ folder }) => {
  const path = join(folder, 'a.sock');
  const first = createServer();
  await listenAt(first, path, 0);
  await codeOf('EADDRINUSE', path);
  first.close();
  await codeOf('ENAMETOOLONG', join(folder, 'é'.repeat(50)));
});

async function codeOf(code: string, path: string): Promise<void> {
  try {
    await listenAt(createServer(), path, 0);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    assert.is(error.code, code);
    assert.match(error.message, `Cannot listen at "${path}": `);
    return;
  }
  assert.unreachable(code);
}

test.run();
