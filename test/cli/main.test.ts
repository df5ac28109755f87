/** The built command as a program: exit codes, which stream says what, and that no secret leaves it. */

import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EXIT } from '../../src/cli/exit.js';

const test = suite<{ folder: string }>('cli/main');
const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
/** A canary: no output may show it. */
const SECRET = 'yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=';

test.before.each((context) => {
  context.folder = fs.mkdtempSync(join(tmpdir(), 'heddle-'));
});
test.after.each((context) => fs.rmSync(context.folder, { recursive: true }));

function heddle(folder: string, words: readonly string[], input = '') {
  const env = { PATH: process.env.PATH, HEDDLE_RUN_DIR: folder, HEDDLE_STATE_DIR: folder };
  const ended = spawnSync(process.execPath, [MAIN, ...words], { env, input, encoding: 'utf8' });
  return { code: ended.status, out: ended.stdout, err: ended.stderr };
}

test('usage: faults end with 2, on standard error, with what was meant', ({ folder }) => {
  const rows: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /^Usage: heddle/],
    [['stauts'], /Did you mean status/],
    [['status', '--jsno'], /Did you mean --json/],
    [['check', 'a', 'b'], /too many arguments/],
    [['up', '--default', '-c', 'x'], /cannot be used with/],
    [['up', '-c'], /argument missing/],
  ];
  for (const [words, message] of rows) {
    const { code, out, err } = heddle(folder, words);
    assert.is(code, EXIT.usage, words.join(' '));
    assert.is(out, '');
    assert.match(err, message);
  }
});

test('help and version: end with 0, on standard output', ({ folder }) => {
  const help = heddle(folder, ['--help']);
  assert.is(help.code, EXIT.ok);
  assert.match(help.out, 'Examples:');
  assert.is(help.err, '');
  assert.match(heddle(folder, ['--version']).out, /^\d+\.\d+\.\d+\n$/);
});

test('not running: status, show and down end with 3 and say how to start', ({ folder }) => {
  for (const words of [['status'], ['status', '--json'], ['show'], ['down']]) {
    const { code, out, err } = heddle(folder, words);
    assert.is(code, EXIT.notRunning, words.join(' '));
    assert.is(out, '');
    assert.match(err, /^heddle: No heddle daemon /);
  }
});

test('keys: what keygen prints, pubkey takes', ({ folder }) => {
  const made = heddle(folder, ['keygen']);
  assert.match(made.out, /^[A-Za-z0-9+/]{43}=\n$/);
  const derived = heddle(folder, ['pubkey'], made.out);
  assert.is(derived.code, EXIT.ok);
  assert.match(derived.out, /^[A-Za-z0-9+/]{43}=\n$/);
  assert.match(heddle(folder, ['genpsk']).out, /^[A-Za-z0-9+/]{43}=\n$/);
});

test('keys: pubkey agrees with an independent answer', ({ folder }) => {
  const alice = 'dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=';
  assert.is(
    heddle(folder, ['pubkey'], alice).out,
    'hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=\n',
  );
});

test('keys: pubkey refuses what is no key without showing it', ({ folder }) => {
  const broken = SECRET.slice(0, 43);
  for (const input of ['', broken, `${SECRET}x`]) {
    const { code, out, err } = heddle(folder, ['pubkey'], input);
    assert.is(code, EXIT.failed);
    assert.is(out, '');
    assert.not.match(err, /yAnz5TF/);
  }
});

test('check: a right file is confirmed, a wrong one has its faults on standard error', ({
  folder,
}) => {
  const file = join(folder, 'heddle.yaml');
  fs.writeFileSync(file, `privateKey: ${SECRET}\n`, { mode: 0o600 });
  const right = heddle(folder, ['check', file]);
  assert.is(right.code, EXIT.ok);
  assert.is(right.out, `${file}: no faults: interface heddle0, 0 peers\n`);
  fs.writeFileSync(file, `privateKey: ${SECRET}x\nlistenport: 5\n`);
  const wrong = heddle(folder, ['check', file]);
  assert.is(wrong.code, EXIT.failed);
  assert.is(wrong.out, '');
  assert.match(wrong.err, `${file}:1:13: privateKey: found text of 45 characters`);
  assert.match(wrong.err, `${file}:2:1: unknown key "listenport"; did you mean "listenPort"?`);
  const json = JSON.parse(heddle(folder, ['check', '--json', file]).out);
  assert.is(json.valid, false);
  assert.is(json.faults[1].line, 2);
});

test('secrets: a start that fails shows none, detached or not', ({ folder }) => {
  const file = join(folder, 'heddle.yaml');
  fs.writeFileSync(file, `privateKey: ${SECRET}\ninterface: lo\n`, { mode: 0o600 });
  for (const words of [
    ['up', '-c', file],
    ['up', '--detach', '--verbose', '-c', file],
  ]) {
    const { code, out, err } = heddle(folder, words);
    assert.is.not(code, EXIT.ok);
    assert.not.match(out + err, SECRET);
    assert.match(err, /heddle: .+/);
  }
  for (const name of fs.readdirSync(folder).filter((each) => each !== 'heddle.yaml')) {
    assert.not.match(fs.readFileSync(join(folder, name), 'utf8'), SECRET, name);
    assert.is(fs.statSync(join(folder, name)).mode & 0o077, 0, name);
  }
});

test('status: starts without the modules of the daemon', ({ folder }) => {
  const loaded = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', WATCHER, MAIN, 'status'],
    { env: { HEDDLE_RUN_DIR: folder }, encoding: 'utf8' },
  );
  assert.is(loaded.status, EXIT.notRunning, loaded.stderr);
  assert.match(loaded.stderr, 'No heddle daemon answers');
  assert.not.match(loaded.stdout, /node_modules\/(zod|yaml|pino|sodium-native)|heddle\.node/);
  assert.match(loaded.stdout, 'commander');
});

/** Runs the command and prints, at its end, every CommonJS file it loaded; zod, yaml, pino and sodium all are. */
const WATCHER = `
  import { Module } from 'node:module';
  const [main, ...words] = process.argv.slice(1);
  process.argv = [process.execPath, main, ...words];
  process.on('exit', () => process.stdout.write(Object.keys(Module._cache).join('\\n')));
  await import(main);
`;

test.run();
