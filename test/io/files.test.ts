import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  createPrivateFile,
  describeErrno,
  ensureFolder,
  FileError,
  quote,
  readFile,
  readPrivateFile,
  replacePrivateFile,
  isSystemRefusal,
} from '../../src/io/files.js';

const test = suite<{ folder: string }>('io/files');

test.before.each((context) => {
  context.folder = fs.mkdtempSync(join(tmpdir(), 'heddle-'));
});
test.after.each((context) => fs.rmSync(context.folder, { recursive: true }));

function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof FileError) return error.code;
    throw error;
  }
  return 'fine';
}

test('read: gives the bytes and the mode, up to the limit', ({ folder }) => {
  const file = join(folder, 'a');
  fs.writeFileSync(file, 'four', { mode: 0o640 });
  assert.equal(readFile(file, 4), { bytes: new Uint8Array(Buffer.from('four')), mode: 0o640 });
  assert.is(
    codeOf(() => readFile(file, 3)),
    'TOO_BIG',
  );
});

test('read: refuses what is no regular file without waiting for it', ({ folder }) => {
  assert.is(
    codeOf(() => readFile(folder, 9)),
    'NOT_A_FILE',
  );
  assert.is(
    codeOf(() => readFile('/dev/zero', 9)),
    'NOT_A_FILE',
  );
  assert.is(
    codeOf(() => readFile(join(folder, 'absent'), 9)),
    'ENOENT',
  );
});

test('read: a file of unknown size is bounded too', () => {
  assert.is(
    codeOf(() => readFile('/proc/self/maps', 100)),
    'TOO_BIG',
  );
});

test('private: any bit for group or world is refused', ({ folder }) => {
  const file = join(folder, 'key');
  fs.writeFileSync(file, 'x');
  for (const mode of [0o640, 0o604, 0o620, 0o610, 0o602, 0o601]) {
    fs.chmodSync(file, mode);
    assert.is(
      codeOf(() => readPrivateFile(file, 9)),
      'LOOSE_MODE',
      mode.toString(8),
    );
  }
  fs.chmodSync(file, 0o600);
  assert.is(readPrivateFile(file, 9).length, 1);
});

test('folder: is made with its mode, and narrowed when it is wider', ({ folder }) => {
  const path = join(folder, 'a', 'b');
  ensureFolder(path, 0o700);
  assert.is(fs.statSync(path).mode & 0o777, 0o700);
  fs.chmodSync(path, 0o755);
  ensureFolder(path, 0o750);
  assert.is(fs.statSync(path).mode & 0o777, 0o750);
  fs.writeFileSync(join(folder, 'file'), '');
  assert.is(
    codeOf(() => ensureFolder(join(folder, 'file'), 0o700)),
    'NOT_A_FOLDER',
  );
});

test('create: writes a private file once and never over another', ({ folder }) => {
  const file = join(folder, 'key');
  assert.is(createPrivateFile(file, Buffer.from('one')), true);
  assert.is(createPrivateFile(file, Buffer.from('two')), false);
  assert.is(fs.readFileSync(file, 'utf8'), 'one');
  assert.is(fs.statSync(file).mode & 0o777, 0o600);
  assert.equal(fs.readdirSync(folder), ['key']);
});

test('replace: puts a private file in the place of any other, or leaves that', ({ folder }) => {
  const file = join(folder, 'key');
  replacePrivateFile(file, Buffer.from('one'));
  fs.chmodSync(file, 0o644);
  replacePrivateFile(file, Buffer.from('two'));
  assert.is(fs.readFileSync(file, 'utf8'), 'two');
  assert.is(fs.statSync(file).mode & 0o777, 0o600);
  fs.mkdirSync(join(folder, 'taken'));
  assert.is(
    codeOf(() => replacePrivateFile(join(folder, 'taken'), Buffer.from('x'))),
    'EISDIR',
  );
  assert.equal(fs.readdirSync(folder), ['key', 'taken']);
});

test('create: a full disk leaves nothing', () => {
  assert.is(
    codeOf(() => createPrivateFile('/dev/full/key', Buffer.from('x'))),
    'ENOTDIR',
  );
});

test('words: an errno is explained, an unknown one is itself', () => {
  assert.is(describeErrno('ENOSPC'), 'the disk is full');
  assert.is(describeErrno('EFOO'), 'EFOO');
});

test('quote: a shell takes the result as one word', () => {
  assert.is(quote('/etc/heddle.yaml'), '/etc/heddle.yaml');
  assert.is(quote("/a b/it's"), "'/a b/it'\\''s'");
});

test('errors: what the system refuses now is told from defects', () => {
  const refused = Object.assign(new Error('no space'), { code: 'ENOSPC' });
  const defect = Object.assign(new TypeError('argument'), { code: 'ERR_INVALID_ARG_TYPE' });
  assert.ok(isSystemRefusal(refused));
  for (const other of [defect, new Error('x'), 'ENOSPC', undefined]) {
    assert.not.ok(isSystemRefusal(other));
  }
});

test.run();
