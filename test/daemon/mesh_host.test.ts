import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isZero } from '../../src/base/bytes.js';
import { type Log, SILENT } from '../../src/base/log.js';
import { MeshHost, type MeshHostParts } from '../../src/daemon/mesh_host.js';
import { FileError } from '../../src/io/files.js';
import type { MeshInput } from '../../src/mesh/input.js';
import type { MeshRouting } from '../../src/node/config.js';

const test = suite('daemon/mesh_host');

function createHost(parts: Partial<MeshHostParts> = {}) {
  const fed: MeshInput[] = [];
  const lines: string[] = [];
  const written: string[] = [];
  const routed: MeshRouting[] = [];
  let isFull = false;
  const write = (file: string, content: Uint8Array): void => {
    if (isFull) throw new FileError('ENOSPC', 'no room');
    written.push(`${file} ${[...content].join(',')}`);
  };
  const say = (level: string) => (message: string) => lines.push(`${level} ${message}`);
  const log: Log = { ...SILENT, info: say('info'), warn: say('warn') };
  const files = { write, setAside: () => written.push('aside') };
  const host = new MeshHost({
    files: files as unknown as MeshHostParts['files'],
    log,
    route: async (routing) => void routed.push(routing),
    feed: (input) => fed.push(input),
    onForgotten: (why) => lines.push(`forgotten ${why}`),
    fail: (error) => lines.push(`failed ${String(error)}`),
    ...parts,
  });
  const setFull = (value: boolean): void => {
    isFull = value;
  };
  return { host, fed, lines, written, routed, setFull };
}

function turn(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}

test('mesh host: files are written one a turn, in order; no secret stays', async () => {
  const { host, fed, written } = createHost();
  const content = Uint8Array.of(1, 2);
  host.carryOut({ kind: 'persist', request: 1, file: 'keys', content });
  host.carryOut({ kind: 'persist', request: 2, file: 'own', content: Uint8Array.of(3) });
  assert.equal(fed, [], 'never within the call');
  await turn();
  await turn();
  await turn();
  assert.equal(written, ['keys 1,2', 'own 3']);
  assert.equal(fed, [
    { kind: 'persisted', request: 1, isSafe: true },
    { kind: 'persisted', request: 2, isSafe: true },
  ]);
  assert.ok(isZero(content));
});

test('mesh host: a full disk is told once, and once that it is over', async () => {
  const { host, fed, lines, setFull } = createHost();
  setFull(true);
  for (const request of [1, 2]) {
    host.carryOut({ kind: 'persist', request, file: 'own', content: Uint8Array.of(1) });
    await turn();
    await turn();
  }
  setFull(false);
  host.carryOut({ kind: 'persist', request: 3, file: 'own', content: Uint8Array.of(1) });
  await turn();
  await turn();
  const safe = fed.map((input) => input.kind === 'persisted' && input.isSafe);
  assert.equal(safe, [false, false, true]);
  assert.is(lines.filter((line) => line.startsWith('warn')).length, 1);
  assert.is(lines.filter((line) => line.startsWith('info')).length, 1);
});

test('mesh host: a command is answered by its number', async () => {
  const { host, fed } = createHost();
  const [first, second] = [host.command({ kind: 'leave' }), host.command({ kind: 'exportRoot' })];
  const requests = fed.map((input) => (input.kind === 'command' ? input.request : 0));
  const [one = 0, two = 0] = requests;
  host.carryOut({ kind: 'answer', request: two, answer: { ok: false, error: 'no' } });
  const result = { kind: 'done', text: 'gone' } as const;
  host.carryOut({ kind: 'answer', request: one, answer: { ok: true, result } });
  assert.equal(await second, { ok: false, error: 'no' });
  assert.equal(await first, { ok: true, result });
});

test('mesh host: more commands than a mesh answers are refused', async () => {
  const { host, fed } = createHost();
  const asked = Array.from({ length: 17 }, () => host.command({ kind: 'leave' }));
  assert.is(fed.length, 16);
  const last = await asked[16];
  assert.not.ok(last?.ok);
  const answer = { ok: false, error: 'no' } as const;
  for (const input of fed) {
    if (input.kind === 'command') host.carryOut({ kind: 'answer', request: input.request, answer });
  }
  await Promise.all(asked);
});

test('mesh host: addresses go to the interface; what the host refuses is told', async () => {
  const { host, routed } = createHost();
  host.carryOut({ kind: 'addresses', addresses: [], prefixes: [] });
  await turn();
  assert.equal(routed, [{ addresses: [], prefixes: [] }]);
  const refusing = createHost({
    route: () => Promise.reject(new FileError('EPERM', 'not allowed')),
  });
  refusing.host.carryOut({ kind: 'addresses', addresses: [], prefixes: [] });
  await turn();
  assert.match(refusing.lines.join(), 'warn cannot put');
  refusing.host.close();
});

/** Timers that fire when the test says so. */
function holdTimers(): { fire: () => void; release: () => void } {
  const { setTimeout: real } = globalThis;
  const held: (() => void)[] = [];
  globalThis.setTimeout = ((callback: () => void) => {
    held.push(callback);
  }) as unknown as typeof setTimeout;
  return {
    fire: () => {
      for (const callback of held.splice(0)) callback();
    },
    release: () => {
      globalThis.setTimeout = real;
    },
  };
}

test('mesh host: what the host refuses is tried again, and told once', async () => {
  const routed: number[] = [];
  let isRefusing = true;
  const route = async ({ prefixes }: MeshRouting): Promise<void> => {
    routed.push(prefixes.length);
    if (isRefusing) throw new FileError('EEXIST', 'taken');
  };
  const { host, lines } = createHost({ route });
  const timers = holdTimers();
  try {
    host.carryOut({ kind: 'addresses', addresses: [], prefixes: [] });
    for (const refusing of [true, false, false]) {
      await turn();
      isRefusing = refusing;
      timers.fire();
    }
    await turn();
    assert.equal(routed, [0, 0, 0], 'until it is taken');
    assert.is(lines.filter((line) => line.startsWith('warn')).length, 1);
    assert.is(lines.at(-1), 'info the interface has what the mesh gave');
  } finally {
    timers.release();
  }
});

test('mesh host: a network that is left is set aside, and nothing written after it', async () => {
  const { host, written, lines } = createHost();
  host.carryOut({ kind: 'persist', request: 1, file: 'own', content: Uint8Array.of(1) });
  host.carryOut({ kind: 'forgetNetwork', why: 'it left' });
  await turn();
  await turn();
  assert.equal(written, ['aside']);
  assert.equal(lines, ['forgotten it left']);
});

test('mesh host: at the end what waits is written, and then nothing more', async () => {
  const { host, written, fed } = createHost();
  const content = Uint8Array.of(1);
  host.carryOut({ kind: 'persist', request: 1, file: 'own', content });
  host.close();
  assert.equal(written, ['own 1']);
  assert.ok(isZero(content));
  const late = Uint8Array.of(2);
  host.carryOut({ kind: 'persist', request: 2, file: 'own', content: late });
  await turn();
  assert.equal(written, ['own 1']);
  assert.equal(fed, []);
  assert.ok(isZero(late));
});

test('mesh host: what an operator should see goes to the log', () => {
  const { host, lines } = createHost();
  host.carryOut({ kind: 'tell', level: 'warn', message: 'a copy of us runs', fields: {} });
  assert.equal(lines, ['warn a copy of us runs']);
});

test.run();
