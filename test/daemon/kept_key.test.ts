/** The key of the built-in configuration, whatever happens to its files. */

import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { toBase64 } from '../../src/base/bytes.js';
import { ConfigError } from '../../src/daemon/config_fault.js';
import { type KeptKey, keepKey } from '../../src/daemon/kept_key.js';
import { SystemRandom } from '../../src/io/entropy.js';
import { FileError } from '../../src/io/files.js';
import { SodiumSuite } from '../../src/io/sodium.js';

const test = suite<{ folder: string }>('daemon/kept_key');

const CRYPTO = new SodiumSuite();
const RANDOM = new SystemRandom();

test.before.each((context) => {
  context.folder = fs.mkdtempSync(join(tmpdir(), 'heddle-'));
});
test.after.each((context) => fs.rmSync(context.folder, { recursive: true }));

function keep(folder: string): KeptKey {
  return keepKey(folder, CRYPTO, RANDOM);
}

/** The key, or the error's message; and nothing on the disk is another than before. */
function keepUntouched(folder: string): KeptKey | string {
  const before = contents(folder);
  try {
    return keep(folder);
  } catch (error) {
    assert.instance(error, ConfigError);
    return error instanceof Error ? error.message : '';
  } finally {
    assert.equal(contents(folder), before);
  }
}

function contents(folder: string): string[] {
  return fs.readdirSync(folder).map((name) => {
    return `${name} ${fs.readFileSync(join(folder, name)).toString('hex')}`;
  });
}

test('key: is made once, kept, and its owner’s alone', ({ folder }) => {
  const [first, again] = [keep(folder), keep(folder)];
  assert.equal([first.isNew, again.isNew], [true, false]);
  assert.is(toBase64(again.privateKey), toBase64(first.privateKey));
  assert.is(fs.statSync(first.file).mode & 0o777, 0o600);
  assert.equal(fs.readdirSync(folder), ['private.key', 'public.key']);
});

test('key: one that has no public key beside it yet gets it', ({ folder }) => {
  const first = keep(folder);
  fs.rmSync(join(folder, 'public.key'));
  assert.is(keep(folder).isNew, false);
  const written = fs.readFileSync(join(folder, 'public.key'), 'utf8');
  assert.is(written, `${toBase64(first.publicKey)}\n`);
});

test('key: cut at any byte it is refused and stays, but for its line end', ({ folder }) => {
  const { file, publicKey } = keep(folder);
  const whole = fs.readFileSync(file);
  for (let length = 0; length < whole.length - 1; length++) {
    fs.writeFileSync(file, whole.subarray(0, length));
    const refusal = keepUntouched(folder);
    assert.type(refusal, 'string', `${length} bytes`);
    if (typeof refusal !== 'string') continue;
    assert.match(refusal, /does not hold a key of 32 bytes in base64; restore it, or remove it/);
  }
  fs.writeFileSync(file, whole.subarray(0, -1));
  assert.equal(keep(folder).publicKey, publicKey);
});

test('key: with any bit flipped it is the same key or refused, and stays', ({ folder }) => {
  const { file, publicKey } = keep(folder);
  const whole = fs.readFileSync(file);
  let refused = 0;
  for (let bit = 0; bit < 8 * whole.length; bit++) {
    const damaged = Uint8Array.from(whole);
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    fs.writeFileSync(file, damaged);
    const found = keepUntouched(folder);
    if (typeof found === 'string') refused++;
    else assert.equal(found.publicKey, publicKey, `bit ${bit}`);
  }
  // Five of the 256 bits do not count (RFC 7748 §5), and of the line end some are white space too.
  assert.ok(refused > 8 * whole.length - 20, `${refused} were refused`);
});

test('public key: damaged or of another key it makes the start fail, and stays', ({ folder }) => {
  const { file } = keep(folder);
  const publicFile = join(folder, 'public.key');
  for (const text of ['', 'damaged\n', `${toBase64(new Uint8Array(32).fill(9))}\n`]) {
    fs.writeFileSync(publicFile, text);
    const refusal = keepUntouched(folder);
    assert.type(refusal, 'string');
    assert.ok(String(refusal).includes(`"${file}" is not the private key of "${publicFile}"`));
  }
});

test('key: where only the public one is left, none is made', ({ folder }) => {
  fs.rmSync(keep(folder).file);
  assert.match(String(keepUntouched(folder)), /private\.key" is gone; restore it, or remove /);
  fs.rmSync(join(folder, 'public.key'));
  assert.is(keep(folder).isNew, true);
});

test('key: a file that others may read is refused', ({ folder }) => {
  fs.chmodSync(keep(folder).file, 0o640);
  assert.throws(
    () => keep(folder),
    (error: unknown) => error instanceof FileError && /chmod 600/.test(error.message),
  );
});

test.run();
