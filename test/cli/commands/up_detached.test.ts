/**
 * Starts that fail in the background; those that succeed are in test/daemon/open_tunnel.test.ts.
 */

import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EXIT } from '../../../src/cli/exit.js';
import { LockFile } from '../../../src/daemon/lock_file.js';
import { heddle } from '../../support/heddle.js';

const test = suite<{ folder: string; file: string }>('cli/commands/up_detached');
const SECRET = 'yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=';

test.before.each((context) => {
  context.folder = fs.mkdtempSync(join(tmpdir(), 'heddle-'));
  context.file = join(context.folder, 'heddle.yaml');
});
test.after.each((context) => fs.rmSync(context.folder, { recursive: true }));

test('detach: the daemon’s error is the command’s, and the log is private', async (context) => {
  const { folder, file } = context;
  fs.writeFileSync(file, `privateKey: ${SECRET}\ninterface: lo\n`, { mode: 0o600 });
  const { code, err } = await heddle(folder, ['up', '--detach', '-c', file]);
  assert.ok(code === EXIT.failed || code === EXIT.notPermitted, `exit code ${code}`);
  assert.match(err, /^heddle: The (interface "lo"|capability CAP_NET_ADMIN)/m);
  const log = join(folder, 'heddle.log');
  assert.is(fs.statSync(log).mode & 0o777, 0o600);
  assert.not.match(err + fs.readFileSync(log, 'utf8'), SECRET);
});

test('detach: a log that is a symbolic link is not followed', async ({ folder, file }) => {
  fs.writeFileSync(file, `privateKey: ${SECRET}\n`, { mode: 0o600 });
  fs.writeFileSync(join(folder, 'victim'), 'precious');
  fs.symlinkSync('victim', join(folder, 'heddle.log'));
  const { code, err } = await heddle(folder, ['up', '--detach', '-c', file]);
  assert.is(code, EXIT.failed);
  assert.match(err, 'Cannot open');
  assert.is(fs.readFileSync(join(folder, 'victim'), 'utf8'), 'precious');
});

test('detach: a living daemon’s log is not begun anew', async ({ folder, file }) => {
  fs.writeFileSync(join(folder, 'heddle.log'), 'its log');
  const lock = new LockFile(join(folder, 'heddle.pid'));
  const { code, err } = await heddle(folder, ['up', '--detach', '-c', file]);
  lock.release();
  assert.is(code, EXIT.failed);
  assert.match(err, `process ${process.pid}`);
  assert.is(fs.readFileSync(join(folder, 'heddle.log'), 'utf8'), 'its log');
});

test.run();
