/** The lock against living owners, dead ones, recycled pids, and many that want it at once. */

import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LockFile, LockHeldError, lockOwner } from '../../src/daemon/lock_file.js';

const test = suite<{ folder: string; path: string }>('daemon/lock_file');
const MODULE = new URL('../../src/daemon/lock_file.js', import.meta.url).href;

test.before.each((context) => {
  context.folder = fs.mkdtempSync(join(tmpdir(), 'heddle-'));
  context.path = join(context.folder, 'heddle.pid');
});
test.after.each((context) => fs.rmSync(context.folder, { recursive: true }));

test('lock: names its owner and is gone after release', ({ folder, path }) => {
  assert.is(lockOwner(path), undefined);
  const lock = new LockFile(path);
  assert.is(lockOwner(path), process.pid);
  lock.release();
  assert.equal(fs.readdirSync(folder), []);
});

test('lock: a second taker is refused with the pid of the first', ({ folder, path }) => {
  const lock = new LockFile(path);
  try {
    new LockFile(path);
    assert.unreachable();
  } catch (error) {
    assert.instance(error, LockHeldError);
    assert.match(String(error), `process ${process.pid}`);
  }
  assert.equal(fs.readdirSync(folder), ['heddle.pid']);
  lock.release();
});

test('lock: survives nothing of an owner that was killed', ({ folder, path }) => {
  const script = `import { LockFile } from '${MODULE}'; new LockFile('${path}');
    process.kill(process.pid, 'SIGKILL');`;
  const ended = spawnSync(process.execPath, ['--input-type=module', '-e', script]);
  assert.is(ended.signal, 'SIGKILL');
  assert.ok(fs.existsSync(path), 'the dead owner left its lock');
  assert.is(lockOwner(path), undefined);
  new LockFile(path).release();
  assert.equal(fs.readdirSync(folder), []);
});

const STALE: readonly (readonly [string, (text: string) => string])[] = [
  ['the pid went to another process', (text) => text.replace(/ \d+ /, ' 1 ')],
  ['the machine was booted since', (text) => text.replace(/ \S+\n$/, ' another-boot\n')],
  ['the file is empty after a power cut', () => ''],
  ['the file holds something else', () => '../../etc/passwd 1 2'],
];

for (const [reason, change] of STALE) {
  test(`lock: is taken over when ${reason}`, ({ path }) => {
    const old = new LockFile(path);
    fs.writeFileSync(path, change(fs.readFileSync(path, 'utf8')));
    assert.is(lockOwner(path), undefined);
    const lock = new LockFile(path);
    assert.is(lockOwner(path), process.pid);
    lock.release();
    old.release();
  });
}

test('lock: a guard that its owner left behind is removed', ({ folder, path }) => {
  fs.writeFileSync(path, '');
  fs.writeFileSync(`${path}.guard`, '');
  new LockFile(path).release();
  assert.equal(fs.readdirSync(folder), []);
});

test('lock: release leaves another owner’s lock alone', ({ path }) => {
  const lock = new LockFile(path);
  fs.writeFileSync(path, 'another');
  lock.release();
  assert.is(fs.readFileSync(path, 'utf8'), 'another');
});

test('lock: of many that find it stale at once, one gets it', async ({ path }) => {
  fs.writeFileSync(path, '');
  const script = `import { LockFile } from '${MODULE}';
    try { new LockFile('${path}'); console.log('won'); } catch (error) { console.log(error.code); }
    process.stdin.resume().on('end', () => process.exit());`;
  const takers = Array.from({ length: 6 }, () =>
    spawn(process.execPath, ['--input-type=module', '-e', script]),
  );
  const answers = await Promise.all(
    takers.map(
      (taker) =>
        new Promise<string>((done) => taker.stdout.once('data', (text) => done(`${text}`.trim()))),
    ),
  );
  for (const taker of takers) taker.stdin.end();
  assert.equal(answers.sort(), ['HELD', 'HELD', 'HELD', 'HELD', 'HELD', 'won']);
});

test.run();
