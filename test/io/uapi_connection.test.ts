/** One connection: how its bytes are cut into requests, and what it may take. */

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type UapiAnswers, UapiConnection } from '../../src/io/uapi_connection.js';

interface Context {
  folder: string;
  server: Server | undefined;
  clients: Socket[];
}

const test = suite<Context>('io/uapi_connection');
const IDLE_MS = 200;
const OK = 'errno=0\n\n';

test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'heddle-'));
  context.clients = [];
});
test.after.each((context) => {
  for (const client of context.clients) client.destroy();
  context.server?.close();
  rmSync(context.folder, { recursive: true });
});

interface Talk {
  readonly client: Socket;
  /** Bytes that came. */
  said(): string;
  /** Resolves when so much of this has come, or the connection is closed. */
  until(text: string): Promise<string>;
  /** What `set` was given. */
  readonly sets: string[];
  readonly budget: { left: number };
}

async function talk(
  context: Context,
  answers: Partial<UapiAnswers> = {},
  limits = { idleMs: 5_000, bytes: 1_000 },
): Promise<Talk> {
  const path = join(context.folder, 'x.sock');
  const sets: string[] = [];
  const budget = { left: limits.bytes };
  const all: UapiAnswers = {
    get: () => ['listen_port=1\n', 'fwmark=2\n'],
    set: async (lines) => {
      sets.push(lines);
      return lines.includes('bad') ? 22 : 0;
    },
    ...answers,
  };
  context.server = createServer({ allowHalfOpen: true }, (socket) => {
    new UapiConnection(socket, all, budget, limits.idleMs);
  }).listen(path);
  const client = connect({ path, allowHalfOpen: true });
  context.clients.push(client);
  await once(client, 'connect');
  let said = '';
  client.on('error', () => {});
  client.on('data', (chunk: Buffer) => {
    said += chunk.toString('latin1');
  });
  const until = async (text: string): Promise<string> => {
    while (!said.endsWith(text) && !client.closed && !client.readableEnded) {
      await Promise.race([once(client, 'data'), once(client, 'end'), once(client, 'close')]);
    }
    return said;
  };
  return { client, said: () => said, until, sets, budget };
}

test('requests: get and set, many on one connection', async (context) => {
  const { client, until, sets } = await talk(context);
  client.write('get=1\n\n');
  const first = `listen_port=1\nfwmark=2\n${OK}`;
  assert.is(await until(OK), first);
  client.write('set=1\nlisten_port=7\nfwmark=8\n\n');
  assert.is(await until(`${OK}${OK}`), first + OK);
  client.write('set=1\nbad=1\n\n');
  assert.match(await until('22\n\n'), /errno=-22\n\n$/);
  assert.equal(sets, ['listen_port=7\nfwmark=8\n', 'bad=1\n']);
  client.destroy();
});

test('requests: cut anywhere, or all at once, they are the same', async (context) => {
  const { client, until, sets } = await talk(context);
  const request = 'set=1\na=1\n\nset=1\n\nset=1\nb=2\nc=3\n\n';
  for (const byte of request) {
    client.write(byte);
    await new Promise((done) => setImmediate(done));
  }
  await until(OK.repeat(3));
  client.write(request + request);
  await until(OK.repeat(9));
  const once = ['a=1\n', '', 'b=2\nc=3\n'];
  assert.equal(sets, [...once, ...once, ...once]);
  client.destroy();
});

test('requests: are carried out in turn, also when the other end is closed', async (context) => {
  const order: string[] = [];
  const { client, until } = await talk(context, {
    set: async (lines) => {
      order.push(`begin ${lines}`);
      await new Promise((done) => setTimeout(done, 20));
      order.push(`end ${lines}`);
      return 0;
    },
  });
  client.end('set=1\na=1\n\nset=1\nb=2\n\n');
  assert.is(await until('never'), OK.repeat(2));
  assert.equal(order, ['begin a=1\n', 'end a=1\n', 'begin b=2\n', 'end b=2\n']);
});

test('requests: those behind one that is carried out wait with the sender', async (context) => {
  const waiting: (() => void)[] = [];
  const set = (): Promise<number> => new Promise((done) => waiting.push(() => done(0)));
  const limits = { idleMs: 5_000, bytes: 32 << 20 };
  const { client, until } = await talk(context, { set }, limits);
  client.write('set=1\n\n');
  client.write(`set=1\n${'a=1\n'.repeat(4 << 20)}\n`);
  while (waiting.length === 0) await new Promise((done) => setImmediate(done));
  for (let i = 0; i < 500; i++) await new Promise((done) => setImmediate(done));
  assert.ok(client.writableLength > 8 << 20, `${client.writableLength} bytes wait`);
  waiting.shift()?.();
  while (waiting.length === 0) await new Promise((done) => setImmediate(done));
  waiting.shift()?.();
  assert.is(await until(OK.repeat(2)), OK.repeat(2));
  client.destroy();
});

test('requests: what is none is refused and the connection closed', async (context) => {
  for (const request of ['\n', 'hello\n\n', 'get=2\n\n', 'get=1\nx=1\n\n', 'set=1 \n\n']) {
    const { client, until, sets } = await talk(context);
    client.write(request);
    assert.is(await until('never'), 'errno=-22\n\n', JSON.stringify(request));
    assert.equal(sets, []);
    client.destroy();
    context.server?.close();
  }
});

test('requests: one that is not finished is not carried out', async (context) => {
  const { client, until, sets, budget } = await talk(context);
  client.end('set=1\na=1\n');
  assert.is(await until('never'), '');
  assert.equal(sets, []);
  assert.is(budget.left, 1_000);
});

test('limits: unfinished requests share what there is, and give it back', async (context) => {
  const { client, until, sets, budget } = await talk(context);
  const longest = `set=1\na=${'1'.repeat(989)}\n\n`;
  client.write(longest);
  assert.is(await until(OK), OK);
  assert.is(budget.left, 1_000);
  client.write(`set=1\na=${'1'.repeat(5_000)}`);
  assert.is(await until('12\n\n'), `${OK}errno=-12\n\n`);
  assert.is(sets.length, 1);
  assert.is(budget.left, 1_000);
  client.destroy();
});

test('limits: one that says nothing is closed, but not while we work for it', async (context) => {
  const { client, until } = await talk(
    context,
    {
      set: async () => {
        await new Promise((done) => setTimeout(done, 2 * IDLE_MS));
        return 0;
      },
    },
    { idleMs: IDLE_MS, bytes: 1_000 },
  );
  client.write('set=1\n\n');
  assert.is(await until(OK), OK);
  const since = performance.now();
  await until('never');
  assert.ok(performance.now() - since > IDLE_MS / 2);
});

test('limits: an answer is made as it is read, and no more of it', async (context) => {
  let made = 0;
  let drop = (): void => {};
  const dropped = new Promise<void>((done) => {
    drop = done;
  });
  const get = function* (): Generator<string> {
    try {
      for (;;) {
        made++;
        yield `${'x'.repeat(64 * 1024 - 1)}\n`;
      }
    } finally {
      drop();
    }
  };
  const { client } = await talk(context, { get }, { idleMs: IDLE_MS, bytes: 1_000 });
  client.pause();
  client.write('get=1\n\n');
  await dropped;
  client.destroy();
  assert.ok(made < 100, `${made} pieces for a reader that reads nothing`);
});

test.run();
