/** The launcher: nothing in the caller's environment chooses what code root runs. */

import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const test = suite<{ root: string; launcher: string }>('cli/heddle');
const LAUNCHER = new URL('../../../src/cli/heddle', import.meta.url);
const NODE_FOLDER = dirname(process.execPath);

/** Stands for the built command: prints what it was started with. */
const PROBE = `console.log(JSON.stringify({
  env: process.env, words: process.argv.slice(2),
  flags: process.execArgv, node: process.execPath }));`;

test.before.each((context) => {
  context.root = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'heddle-')));
  fs.mkdirSync(join(context.root, 'src/cli'), { recursive: true });
  fs.mkdirSync(join(context.root, 'dist/src/cli'), { recursive: true });
  context.launcher = join(context.root, 'src/cli/heddle');
  fs.copyFileSync(LAUNCHER, context.launcher);
  fs.chmodSync(context.launcher, 0o755);
  fs.writeFileSync(join(context.root, 'package.json'), '{"type":"module"}');
  fs.writeFileSync(join(context.root, 'dist/src/cli/main.js'), PROBE);
});
test.after.each((context) => fs.rmSync(context.root, { recursive: true }));

function run(path: string, words: readonly string[], env: NodeJS.ProcessEnv) {
  return spawnSync(path, words, { env: { PATH: NODE_FOLDER, ...env }, encoding: 'utf8' });
}

test('environment: what could load code is dropped, what is ours stays', ({ root, launcher }) => {
  const evil = join(root, 'evil.cjs');
  fs.writeFileSync(evil, "console.log('evil');");
  const hostile = {
    NODE_OPTIONS: `--require ${evil}`,
    NODE_PATH: root,
    NODE_EXTRA_CA_CERTS: evil,
    NODE_REPL_EXTERNAL_MODULE: evil,
    LD_PRELOAD: '/nonexistent.so',
    LD_LIBRARY_PATH: root,
    OPENSSL_CONF: evil,
    UV_USE_IO_URING: '1',
  };
  const ended = run(launcher, ['status', 'a b'], { ...hostile, HEDDLE_RUN_DIR: '/r', LANG: 'C' });
  assert.is(ended.status, 0, ended.stderr);
  const probe = JSON.parse(ended.stdout);
  assert.equal(probe.words, ['status', 'a b']);
  for (const name of Object.keys(hostile).slice(0, -1)) assert.is(probe.env[name], undefined, name);
  assert.is(probe.env.UV_USE_IO_URING, '0');
  assert.is(probe.env.HEDDLE_RUN_DIR, '/r');
  assert.is(probe.env.LANG, 'C');
});

test('path: the folder is found through symbolic links and from anywhere', ({ root, launcher }) => {
  const folder = join(root, 'bin with space');
  fs.mkdirSync(folder);
  fs.symlinkSync(launcher, join(folder, 'real'));
  fs.symlinkSync('real', join(folder, 'heddle'));
  assert.is(run(join(folder, 'heddle'), [], {}).status, 0);
  const named = spawnSync('heddle', [], { env: { PATH: `${folder}:${NODE_FOLDER}` }, cwd: '/' });
  assert.is(named.status, 0);
});

test('node: a relative folder of PATH is never used', ({ root, launcher }) => {
  fs.writeFileSync(join(root, 'node'), '#!/bin/sh\necho evil\n', { mode: 0o755 });
  const env = { PATH: `.:${NODE_FOLDER}:` };
  const ended = spawnSync(launcher, [], { env, cwd: root, encoding: 'utf8' });
  assert.is(ended.status, 0, ended.stderr);
  assert.is(JSON.parse(ended.stdout).node, fs.realpathSync(process.execPath));
});

test('node: root takes none that others may change', ({ root, launcher }) => {
  if (process.getuid?.() !== 0) return;
  const folder = join(root, 'loose');
  fs.mkdirSync(folder);
  fs.writeFileSync(join(folder, 'node'), '#!/bin/sh\necho evil\n');
  for (const [folderMode, fileMode] of [
    [0o755, 0o775],
    [0o755, 0o757],
    [0o777, 0o755],
  ] as const) {
    fs.chmodSync(folder, folderMode);
    fs.chmodSync(join(folder, 'node'), fileMode);
    const ended = run(launcher, [], { PATH: `${folder}:${NODE_FOLDER}` });
    assert.not.match(ended.stdout, 'evil');
  }
});

test('build: where it is missing, it says what to run', ({ root, launcher }) => {
  fs.rmSync(join(root, 'dist'), { recursive: true });
  const ended = run(launcher, ['status'], {});
  assert.is(ended.status, 1);
  assert.match(ended.stderr, `it is not built yet: run \`npm run build\` in "${root}"`);
});

test.run();
