/**
 * The control socket: its mode from the first moment, what may stand at its path, and its limits.
 */

import * as fs from 'node:fs';
import { request } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ControlRequest, ControlSocket } from '../../src/io/control_socket.js';

const test = suite<{ folder: string; path: string }>('io/control_socket');

test.before.each((context) => {
  context.folder = fs.mkdtempSync(join(tmpdir(), 'heddle-'));
  context.path = join(context.folder, 'api.sock');
});
test.after.each((context) => fs.rmSync(context.folder, { recursive: true }));

const echo = (sent: ControlRequest) => ({
  status: 200,
  body: { method: sent.method, path: sent.path, length: sent.body.length },
});

function call(
  path: string,
  method: string,
  body: Uint8Array,
): Promise<{ status: number; text: string }> {
  return new Promise((done, fail) => {
    const sent = request({ socketPath: path, method, path: '/x', agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => done({ status: response.statusCode ?? 0, text }));
    });
    sent.on('error', fail);
    sent.end(body);
  });
}

test('socket: answers with JSON', async ({ path }) => {
  const socket = await ControlSocket.open(path, echo);
  const { status, text } = await call(path, 'POST', new Uint8Array(10));
  await socket.close();
  assert.is(status, 200);
  assert.equal(JSON.parse(text), { method: 'POST', path: '/x', length: 10 });
});

test('socket: answers later what takes longer', async ({ path }) => {
  const socket = await ControlSocket.open(path, async () => ({ status: 422, body: ['later'] }));
  const { status, text } = await call(path, 'POST', new Uint8Array(0));
  await socket.close();
  assert.is(status, 422);
  assert.equal(JSON.parse(text), ['later']);
});

test('socket: has mode 0660 whatever the mask, leaves the mask, and is gone after close', async ({
  path,
}) => {
  const before = process.umask(0);
  const socket = await ControlSocket.open(path, echo);
  assert.is(fs.statSync(path).mode & 0o777, 0o660);
  assert.is(process.umask(before), 0);
  await socket.close();
  assert.is(fs.existsSync(path), false);
});

test('path: a dead daemon’s socket is replaced', async ({ path }) => {
  const dead = createServer().listen(join(path, '..', 'other.sock'));
  await once(dead, 'listening');
  fs.linkSync(join(path, '..', 'other.sock'), path);
  dead.close();
  const socket = await ControlSocket.open(path, echo);
  assert.is((await call(path, 'GET', new Uint8Array())).status, 200);
  await socket.close();
});

test('path: a symbolic link or a file is refused and stays', async ({ folder, path }) => {
  fs.writeFileSync(join(folder, 'victim'), 'precious');
  for (const place of [() => fs.symlinkSync('victim', path), () => fs.writeFileSync(path, 'x')]) {
    place();
    try {
      await ControlSocket.open(path, echo);
      assert.unreachable();
    } catch (error) {
      assert.match(String(error), /Cannot listen at .*remove it/);
    }
    assert.ok(fs.lstatSync(path));
    fs.rmSync(path);
  }
  assert.is(fs.readFileSync(join(folder, 'victim'), 'utf8'), 'precious');
});

test('path: one that is too long for the kernel is refused with the reason', async ({ folder }) => {
  try {
    await ControlSocket.open(join(folder, 'x'.repeat(120)), echo);
    assert.unreachable();
  } catch (error) {
    assert.match(String(error), 'longer than the 107 bytes');
  }
});

test('limits: a body over 1 MiB is refused', async ({ path }) => {
  const socket = await ControlSocket.open(path, echo);
  assert.is((await call(path, 'POST', new Uint8Array(1024 * 1024))).status, 200);
  const answer = await call(path, 'POST', new Uint8Array(1024 * 1024 + 1)).catch(() => undefined);
  assert.ok(answer === undefined || answer.status === 413);
  await socket.close();
});

test('limits: headers over 8 KiB are refused', async ({ path }) => {
  const socket = await ControlSocket.open(path, echo);
  const client = connect(path);
  client.write(`GET / HTTP/1.1\r\nhost: x\r\na: ${'b'.repeat(9_000)}\r\n\r\n`);
  const [answer] = await once(client, 'data');
  assert.match(String(answer), /^HTTP\/1.1 431 /);
  client.destroy();
  await socket.close();
});

test('limits: the 65th connection is closed, and the others still serve', async ({ path }) => {
  const socket = await ControlSocket.open(path, echo);
  const clients: Socket[] = [];
  for (let i = 0; i < 64; i++) {
    const client = connect(path);
    client.on('error', () => {});
    await once(client, 'connect');
    clients.push(client);
  }
  const late = connect(path);
  late.on('error', () => {});
  await once(late, 'close');
  const first = clients[0];
  first?.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  const [answer] = first ? await once(first, 'data') : [];
  assert.match(String(answer), /^HTTP\/1.1 200 /);
  for (const client of clients) client.destroy();
  await socket.close();
});

test('close: does not wait for a client that says nothing', async ({ path }) => {
  const socket = await ControlSocket.open(path, echo);
  const client = connect(path);
  client.on('error', () => {});
  await once(client, 'connect');
  await socket.close();
  client.destroy();
});

test.run();
