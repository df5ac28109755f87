/** Files that must survive what disks and power do to them. */

import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FileError } from '../../src/io/files.js';
import { KeptFile } from '../../src/io/kept_file.js';
import { equalBytes } from '../support/bytes.js';
import { skip } from '../support/skip.js';

interface Context {
  folder: string;
  path: string;
}

const test = suite<Context>('io/kept_file');
const [FIRST, SECOND] = [Uint8Array.of(1, 2, 3), Uint8Array.of(4, 5, 6, 7)];

test.before.each((context) => {
  context.folder = fs.mkdtempSync(join(tmpdir(), 'heddle-'));
  context.path = join(context.folder, 'own');
});
test.after.each((context) => fs.rmSync(context.folder, { recursive: true, force: true }));

function content(path: string): Uint8Array {
  return new KeptFile(path).read().content ?? new Uint8Array(0);
}

test('kept file: what was written is read, and nobody else may', ({ path }) => {
  assert.equal(new KeptFile(path).read(), { content: undefined, remarks: [] });
  new KeptFile(path).write(FIRST);
  equalBytes(content(path), FIRST);
  assert.is(fs.statSync(path).mode & 0o777, 0o600);
  new KeptFile(path).write(SECOND);
  equalBytes(content(path), SECOND);
  assert.equal(fs.readdirSync(join(path, '..')).sort(), ['own', 'own.previous']);
});

test('kept file: row 46: a bit that flips brings back the generation before', ({ path }) => {
  const file = new KeptFile(path);
  file.write(FIRST);
  file.write(SECOND);
  const whole = fs.readFileSync(path);
  for (let at = 0; at < whole.length; at++) {
    const damaged = Buffer.from(whole);
    damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
    fs.writeFileSync(path, damaged, { mode: 0o600 });
    const read = new KeptFile(path).read();
    equalBytes(read.content ?? new Uint8Array(0), FIRST, `byte ${at}`);
    assert.is(read.remarks.length, 2, 'and it is said');
    fs.rmSync(`${path}.damaged`);
  }
});

test('kept file: row 46: cut short anywhere, the generation before comes back', ({ path }) => {
  const file = new KeptFile(path);
  file.write(FIRST);
  file.write(SECOND);
  const whole = fs.readFileSync(path);
  for (let length = 0; length < whole.length; length++) {
    fs.writeFileSync(path, whole.subarray(0, length), { mode: 0o600 });
    equalBytes(content(path), FIRST, `${length} bytes`);
  }
});

test('kept file: where both are damaged both are kept aside, and nothing is read', ({ path }) => {
  const file = new KeptFile(path);
  file.write(FIRST);
  file.write(SECOND);
  for (const each of [path, `${path}.previous`]) fs.writeFileSync(each, 'x', { mode: 0o600 });
  const read = file.read();
  assert.is(read.content, undefined);
  assert.is(read.remarks.length, 2);
  assert.ok(fs.existsSync(`${path}.damaged`));
  file.write(SECOND);
  equalBytes(content(path), SECOND, 'it can be written again');
});

test('kept file: a crash between link and rename loses nothing', ({ path }) => {
  const file = new KeptFile(path);
  file.write(FIRST);
  fs.linkSync(path, `${path}.previous`);
  equalBytes(content(path), FIRST);
  file.write(SECOND);
  equalBytes(content(path), SECOND);
  fs.rmSync(path);
  equalBytes(content(path), FIRST, 'nor does one behind the loss of the first');
});

test('kept file: a full disk leaves what was there', ({ folder }) => {
  const small = join(folder, 'small');
  fs.mkdirSync(small);
  try {
    const mount = ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', small];
    execFileSync('mount', mount, { stdio: 'ignore' });
  } catch {
    skip('no tmpfs can be mounted here');
  }
  try {
    const path = join(small, 'own');
    const file = new KeptFile(path);
    file.write(FIRST);
    const large = new Uint8Array(256 * 1024);
    assert.throws(
      () => file.write(large),
      (error: unknown) => error instanceof FileError && error.code === 'ENOSPC',
    );
    equalBytes(content(path), FIRST);
    file.write(SECOND);
    equalBytes(content(path), SECOND, 'and once there is room it is written');
  } finally {
    execFileSync('umount', [small]);
  }
});

test('kept file: what a crash left half written is no obstacle, and goes', ({ folder, path }) => {
  const file = new KeptFile(path);
  file.write(FIRST);
  const left = [`own.next.${process.pid}.new`, 'own.next.1.new', 'own.next'];
  for (const name of left) fs.writeFileSync(join(folder, name), 'half a secret', { mode: 0o600 });
  fs.writeFileSync(join(folder, 'members.next'), 'of another file');
  file.write(SECOND);
  equalBytes(content(path), SECOND, 'though a process of our number left it');
  const names = ['members.next', 'own', 'own.previous'];
  assert.equal(fs.readdirSync(folder).sort(), names);
});

test('kept file: both generations are private, and stay two when a write fails', ({ path }) => {
  const file = new KeptFile(path);
  file.write(FIRST);
  file.write(SECOND);
  // A folder in the way of the new file, as a disk that refuses it.
  fs.mkdirSync(`${path}.next`);
  assert.throws(
    () => file.write(Uint8Array.of(9)),
    (error: unknown) => error instanceof FileError && error.code !== '',
  );
  fs.rmdirSync(`${path}.next`);
  for (const each of [path, `${path}.previous`]) {
    assert.is(fs.statSync(each).mode & 0o777, 0o600);
  }
  equalBytes(content(path), SECOND);
  fs.rmSync(path);
  equalBytes(content(path), FIRST, 'the one before is still another');
});

test('kept file: one that others may read is refused, and not taken for damaged', ({ path }) => {
  const file = new KeptFile(path);
  file.write(FIRST);
  fs.chmodSync(path, 0o640);
  assert.throws(
    () => file.read(),
    (error: unknown) => error instanceof FileError && error.code === 'LOOSE_MODE',
  );
  assert.ok(fs.existsSync(path));
});

test('kept file: nothing is content too, and a folder that is not there an error', ({ path }) => {
  new KeptFile(path).write(new Uint8Array(0));
  assert.is(new KeptFile(path).read().content?.length, 0);
  const nowhere = new KeptFile(join(path, 'own'));
  assert.throws(
    () => nowhere.write(FIRST),
    (error: unknown) => error instanceof FileError && error.code === 'ENOTDIR',
  );
});

test('kept file: set aside it is not read, and not gone', ({ path }) => {
  const file = new KeptFile(path);
  file.write(FIRST);
  file.write(SECOND);
  file.setAside();
  assert.is(file.read().content, undefined);
  assert.ok(fs.existsSync(`${path}.left`) && fs.existsSync(`${path}.previous.left`));
  const first = fs.readFileSync(`${path}.left`);
  file.write(FIRST);
  file.setAside();
  equalBytes(fs.readFileSync(`${path}.left`), first, 'what was left before is still there');
  assert.ok(fs.existsSync(`${path}.left.2`));
});

test.run();
