import * as fs from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { statusDocument } from '../../../src/api/status.js';
import { EXIT } from '../../../src/cli/exit.js';
import { fakeDaemon } from '../../support/fake_daemon.js';
import { heddle } from '../../support/heddle.js';
import { skip } from '../../support/skip.js';
import { statusSource } from '../../support/status.js';

const test = suite<{ folder: string }>('cli/commands/cleanup');

const DEAD = `${process.pid} 1 another-boot\n`;

test.before.each((context) => {
  if (process.getuid?.() !== 0) skip('needs root, to look at rules');
  context.folder = fs.mkdtempSync(join(tmpdir(), 'heddle-'));
});
test.after.each(({ folder }) => {
  if (folder !== undefined) fs.rmSync(folder, { recursive: true, force: true });
});

/** A socket that nobody listens at. */
async function deadSocket(path: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(`${path}.bound`, done));
  fs.linkSync(`${path}.bound`, path);
  await new Promise((done) => server.close(done));
}

test('cleanup: nothing to clean is no failure, with folders and without', async ({ folder }) => {
  for (const name of [folder, join(folder, 'missing')]) {
    assert.equal(await heddle(name, ['cleanup']), {
      code: EXIT.ok,
      out: '',
      err: 'heddle: nothing to clean\n',
    });
  }
  assert.equal(fs.readdirSync(folder), []);
});

test('cleanup: refuses while a daemon lives, and names it', async () => {
  const daemon = await fakeDaemon(statusDocument(statusSource()));
  const before = fs.readdirSync(daemon.folder);
  const { code, out, err } = await heddle(daemon.folder, ['cleanup']);
  assert.is(code, EXIT.failed);
  assert.is(out, '');
  assert.match(err, new RegExp(`^heddle: A heddle daemon runs, process ${process.pid}: `));
  assert.equal(fs.readdirSync(daemon.folder), before);
  await daemon.close();
});

test('cleanup: prints each thing, and leaves what is not heddle’s', async ({ folder }) => {
  const at = (name: string): string => join(folder, name);
  for (const name of ['heddle.pid', 'heddle.lock', 'heddle.lock.guard']) {
    fs.writeFileSync(at(name), DEAD);
  }
  for (const name of ['leftovers.json', 'heddle.pid']) {
    fs.writeFileSync(at(`${name}.999999999.new`), '');
  }
  fs.writeFileSync(at('heddle.log'), 'kept');
  fs.writeFileSync(at('private.key'), 'kept');
  await deadSocket(at('api.sock'));
  const { code, out } = await heddle(folder, ['cleanup']);
  assert.is(code, EXIT.ok);
  assert.equal(out.trim().split('\n').sort(), [
    `removed file ${at('heddle.lock.guard')}`,
    `removed file ${at('heddle.pid.999999999.new')}`,
    `removed lock ${at('heddle.lock')}`,
    `removed lock ${at('heddle.pid')}`,
    `removed socket ${at('api.sock')}`,
  ]);
  assert.equal(fs.readdirSync(folder).sort(), ['heddle.log', 'private.key']);
});

test('cleanup: something else in the place of a socket is told and stays', async ({ folder }) => {
  fs.writeFileSync(join(folder, 'api.sock'), 'a file');
  const { code, err } = await heddle(folder, ['cleanup']);
  assert.is(code, EXIT.failed);
  assert.match(err, /api\.sock/);
  assert.equal(fs.readdirSync(folder), ['api.sock']);
});

test.run();
