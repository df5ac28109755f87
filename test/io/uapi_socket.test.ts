/** The socket file: its mode, its place, and who may have it. */

import { once } from 'node:events';
import * as fs from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { removeDeadSocket, UapiSocket } from '../../src/io/uapi_socket.js';

const test = suite<{ folder: string; path: string }>('io/uapi_socket');
const ANSWERS = { get: () => ['listen_port=7\n'], set: async () => 0 };

test.before.each((context) => {
  context.folder = fs.mkdtempSync(join(tmpdir(), 'heddle-'));
  context.path = join(context.folder, 'wireguard', 'hd0.sock');
});
test.after.each((context) => fs.rmSync(context.folder, { recursive: true }));

async function ask(path: string): Promise<string> {
  const client = connect(path);
  client.on('error', () => {});
  client.end('get=1\n\n');
  let said = '';
  for await (const chunk of client) said += chunk;
  return said;
}

/** A socket file whose program is gone. */
async function leaveDeadSocket(path: string): Promise<void> {
  const dead = createServer().listen(`${path}.x`);
  await once(dead, 'listening');
  fs.linkSync(`${path}.x`, path);
  await new Promise((done) => dead.close(done));
}

test('socket: mode 0600 in a folder of 0755, whatever the mask; both are gone at the end', async ({
  path,
  folder,
}) => {
  const before = process.umask(0o77);
  const socket = await UapiSocket.open(path, ANSWERS);
  assert.is(process.umask(before), 0o77);
  assert.is(fs.statSync(path).mode & 0o777, 0o600);
  assert.is(fs.statSync(join(path, '..')).mode & 0o777, 0o755);
  assert.is(await ask(path), 'listen_port=7\nerrno=0\n\n');
  await socket.close();
  assert.equal(fs.readdirSync(folder), []);
});

test('folder: one that was there stays as it was, and one that others use by now stays', async ({
  path,
}) => {
  const folder = join(path, '..');
  const made = await UapiSocket.open(path, ANSWERS);
  const other = await UapiSocket.open(join(folder, 'hd1.sock'), ANSWERS);
  await made.close();
  assert.equal(fs.readdirSync(folder), ['hd1.sock']);
  fs.chmodSync(folder, 0o700);
  await other.close();
  assert.equal(fs.readdirSync(folder), []);
  assert.is(fs.statSync(folder).mode & 0o777, 0o700);
});

test('path: a dead program’s socket is replaced', async ({ path }) => {
  fs.mkdirSync(join(path, '..'));
  await leaveDeadSocket(path);
  const socket = await UapiSocket.open(path, ANSWERS);
  assert.is(await ask(path), 'listen_port=7\nerrno=0\n\n');
  await socket.close();
});

test('path: a live program’s socket is refused and goes on', async ({ path }) => {
  const first = await UapiSocket.open(path, ANSWERS);
  try {
    await UapiSocket.open(path, ANSWERS);
    assert.unreachable();
  } catch (error) {
    assert.match(String(error), /Cannot listen at .* a program that runs answers there/);
  }
  assert.is(await ask(path), 'listen_port=7\nerrno=0\n\n');
  await first.close();
});

test('path: a symbolic link or a file is refused and stays', async ({ folder, path }) => {
  fs.mkdirSync(join(path, '..'));
  fs.writeFileSync(join(folder, 'victim'), 'precious');
  const places = [() => fs.symlinkSync('../victim', path), () => fs.writeFileSync(path, 'x')];
  for (const place of places) {
    place();
    try {
      await UapiSocket.open(path, ANSWERS);
      assert.unreachable();
    } catch (error) {
      assert.match(String(error), /Cannot listen at .*remove it/);
    }
    fs.rmSync(path);
  }
  assert.is(fs.readFileSync(join(folder, 'victim'), 'utf8'), 'precious');
});

test('dead socket: is told from none and from a live one', async ({ path }) => {
  assert.is(await removeDeadSocket(path), 'none');
  fs.mkdirSync(join(path, '..'));
  await leaveDeadSocket(path);
  assert.is(await removeDeadSocket(path), 'removed');
  const socket = await UapiSocket.open(path, ANSWERS);
  assert.is(await removeDeadSocket(path), 'live');
  await socket.close();
});

test('limits: the 17th connection is closed, and the others still serve', async ({ path }) => {
  const socket = await UapiSocket.open(path, ANSWERS);
  const clients: Socket[] = [];
  for (let i = 0; i < 16; i++) {
    const client = connect(path);
    client.on('error', () => {});
    await once(client, 'connect');
    clients.push(client);
  }
  const late = connect(path);
  late.on('error', () => {});
  late.resume();
  await once(late, 'close');
  const [first] = clients;
  first?.write('get=1\n\n');
  const [answer] = first ? await once(first, 'data') : [];
  assert.match(String(answer), /^listen_port=7\n/);
  await socket.close();
  for (const client of clients) client.destroy();
});

test.run();
