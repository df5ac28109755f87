import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { lockPath, logPath, readFolders, socketPath } from '../../src/daemon/folders.js';

const test = suite('daemon/folders');

test('folders: are the system’s, or those of the environment, absolute', () => {
  assert.equal(readFolders({}), { state: '/var/lib/heddle', run: '/run/heddle' });
  const moved = readFolders({ HEDDLE_STATE_DIR: '/s', HEDDLE_RUN_DIR: 'r' });
  assert.equal(moved, { state: '/s', run: `${process.cwd()}/r` });
  assert.is(readFolders({ HEDDLE_RUN_DIR: '' }).run, '/run/heddle');
});

test('folders: what lies in the run folder', () => {
  const folders = readFolders({});
  assert.is(socketPath(folders), '/run/heddle/api.sock');
  assert.is(lockPath(folders), '/run/heddle/heddle.pid');
  assert.is(logPath(folders), '/run/heddle/heddle.log');
});

test.run();
