import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { floodSender, floodSink, parseFlood } from '../../bench/flood_figures.js';
import { compileProgram, findProgram, missing } from '../../bench/programs.js';

const test = suite('programs');

/** This file runs as dist/test/bench/programs.test.js. */
const ROOT = resolve(fileURLToPath(import.meta.url), '../../../..');
const LOOPBACK = '127.0.0.1';
const WINDOW_MS = 50;

const folder = mkdtempSync(join(tmpdir(), 'heddle-programs-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

async function floodLoopback(kind: 'single' | 'batch'): Promise<number> {
  const program = compileProgram(ROOT, folder, 'flood');
  const [command = '', ...words] = floodSink(program, {
    address: LOOPBACK,
    windowMs: WINDOW_MS,
  });
  const sink = spawn(command, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  const closed = new Promise((done) => sink.once('close', done));
  await new Promise((ready) => {
    sink.stdout.on('data', (chunk) => {
      text += String(chunk);
      ready(undefined);
    });
  });
  const milliseconds = 100 + 2 * WINDOW_MS;
  const [sender = '', ...rest] = floodSender(program, { address: LOOPBACK, kind, milliseconds });
  const sent = parseFlood(spawnSync(sender, rest, { encoding: 'utf8' }).stdout);
  await closed;
  assert.ok(sent > 1, `it sent ${sent} packets a second`);
  return parseFlood(text);
}

for (const kind of ['single', 'batch'] as const) {
  test(`programs: a flood of ${kind} packets arrives, and is counted`, async () => {
    assert.ok((await floodLoopback(kind)) > 1);
  });
}

test('programs: what is up to date is not compiled again', () => {
  const program = compileProgram(ROOT, folder, 'flood');
  const made = statSync(program).mtimeMs;
  assert.is(statSync(compileProgram(ROOT, folder, 'flood')).mtimeMs, made);
});

test('programs: the proxy says how it is called', () => {
  const { status, stderr } = spawnSync(compileProgram(ROOT, folder, 'proxy'), [], {
    encoding: 'utf8',
  });
  assert.is(status, 2);
  assert.match(stderr, /INTERFACE OWN-ADDRESS PEER-ADDRESS PORT/);
});

test('programs: what is missing is named with the command that installs it', () => {
  assert.is(findProgram('no-such-program-of-anybody'), undefined);
  assert.match(missing('sockperf', 'round trips'), /round trips.*apt-get install -y sockperf/);
});

test.run();
