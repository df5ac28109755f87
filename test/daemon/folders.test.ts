import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { lockPath, logPath, readFolders, socketPath, uapiPath } from '../../src/daemon/folders.js';

const test = suite('daemon/folders');

test('folders: are the system’s, or those of the environment, absolute', () => {
  assert.equal(readFolders({}), {
    state: '/var/lib/heddle',
    run: '/run/heddle',
    wireguard: '/var/run/wireguard',
  });
  const moved = readFolders({ HEDDLE_STATE_DIR: '/s', HEDDLE_RUN_DIR: 'r', HEDDLE_WG_DIR: '/w' });
  assert.equal(moved, { state: '/s', run: `${process.cwd()}/r`, wireguard: '/w' });
  assert.is(readFolders({ HEDDLE_RUN_DIR: '' }).run, '/run/heddle');
});

test('folders: what lies in them', () => {
  const folders = readFolders({});
  assert.is(socketPath(folders), '/run/heddle/api.sock');
  assert.is(uapiPath(folders, 'hd0'), '/var/run/wireguard/hd0.sock');
  assert.is(lockPath(folders), '/run/heddle/heddle.pid');
  assert.is(logPath(folders), '/run/heddle/heddle.log');
});

test.run();
