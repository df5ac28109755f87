import { spawnSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { statusDocument } from '../../../src/api/status.js';
import { EXIT } from '../../../src/cli/exit.js';
import { fakeDaemon } from '../../support/fake_daemon.js';
import { heddle, MAIN } from '../../support/heddle.js';
import { peerSnapshot, statusSource } from '../../support/status.js';

const test = suite('cli/commands/status');

test('status: a screen on standard output, without colour off a terminal', async () => {
  const daemon = await fakeDaemon(statusDocument(statusSource()));
  const { code, out, err } = await heddle(daemon.folder, ['status']);
  await daemon.close();
  assert.is(code, EXIT.ok);
  assert.match(out, /^heddle0 {2}up 3 m 12 s/);
  assert.not.ok(out.includes('\u001b'));
  assert.is(err, '');
});

test('status: --json is the document as the daemon gave it', async () => {
  const document = statusDocument(statusSource());
  const daemon = await fakeDaemon(document);
  const { code, out } = await heddle(daemon.folder, ['status', '--json']);
  await daemon.close();
  assert.is(code, EXIT.ok);
  assert.equal(JSON.parse(out), document);
});

test('status: ends with 4 when a peer that is called does not answer', async () => {
  const peer = peerSnapshot({ state: 'handshaking', latestHandshake: undefined });
  const daemon = await fakeDaemon(statusDocument(statusSource([peer])));
  const human = await heddle(daemon.folder, ['status']);
  const json = await heddle(daemon.folder, ['status', '--json']);
  await daemon.close();
  assert.is(human.code, EXIT.degraded);
  assert.match(human.out, 'warning  beta does not answer');
  assert.is(json.code, EXIT.degraded);
  assert.is(JSON.parse(json.out).health, 'degraded');
});

/**
 * Runs the command and prints, at its end, every CommonJS file it loaded; zod, yaml, pino and
 * sodium all are.
 */
const WATCHER = `
  import { Module } from 'node:module';
  const [main, ...words] = process.argv.slice(1);
  process.argv = [process.execPath, main, ...words];
  process.on('exit', () => process.stdout.write(Object.keys(Module._cache).join('\\n')));
  await import(main);
`;

test('status: starts without the modules of the daemon', () => {
  const words = ['--input-type=module', '-e', WATCHER, MAIN, 'status'];
  const env = { HEDDLE_RUN_DIR: '/nonexistent' };
  const loaded = spawnSync(process.execPath, words, { env, encoding: 'utf8' });
  assert.is(loaded.status, EXIT.notRunning, loaded.stderr);
  assert.match(loaded.stdout, 'commander');
  assert.not.match(loaded.stdout, /node_modules\/(zod|yaml|pino|sodium-native)|heddle\.node/);
});

test.run();
