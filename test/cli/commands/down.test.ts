import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { statusDocument } from '../../../src/api/status.js';
import { EXIT } from '../../../src/cli/exit.js';
import { fakeDaemon } from '../../support/fake_daemon.js';
import { heddle } from '../../support/heddle.js';
import { statusSource } from '../../support/status.js';

const test = suite('cli/commands/down');
const LOCK_FILE = new URL('../../../src/daemon/lock_file.js', import.meta.url).href;

test('down: asks by the socket and returns when the lock is free', async () => {
  const daemon = await fakeDaemon(statusDocument(statusSource()));
  const { code, err } = await heddle(daemon.folder, ['down']);
  assert.is(code, EXIT.ok);
  assert.is(err, `heddle: stopped process ${process.pid}\n`);
  assert.is(daemon.isStopped(), true);
  assert.equal(fs.readdirSync(daemon.folder), ['api.sock']);
  await daemon.close();
});

test('down: a daemon whose socket is gone is told by a signal', async () => {
  const folder = fs.mkdtempSync(join(tmpdir(), 'heddle-'));
  const script = `import { LockFile } from '${LOCK_FILE}';
    const lock = new LockFile('${folder}/heddle.pid');
    process.on('SIGTERM', () => { lock.release(); process.exit(7); });
    process.stdin.resume();
    console.log('ready');`;
  const owner = spawn(process.execPath, ['--input-type=module', '-e', script]);
  await once(owner.stdout, 'data');
  const ended = once(owner, 'exit');
  const { code, err } = await heddle(folder, ['down']);
  assert.is(code, EXIT.ok, err);
  assert.equal((await ended)[0], 7);
  fs.rmSync(folder, { recursive: true });
});

test('down: a lock that a killed daemon left does not count as running', async () => {
  const folder = fs.mkdtempSync(join(tmpdir(), 'heddle-'));
  fs.writeFileSync(join(folder, 'heddle.pid'), `${process.pid} 1 another-boot\n`);
  assert.is((await heddle(folder, ['down'])).code, EXIT.notRunning);
  fs.rmSync(folder, { recursive: true });
});

test.run();
