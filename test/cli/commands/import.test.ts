import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EXIT } from '../../../src/cli/exit.js';
import { heddle } from '../../support/heddle.js';

const test = suite<{ folder: string; file: string; output: string }>('cli/commands/import');
const SECRET = 'yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=';
const TEXT = `[Interface]\nPrivateKey = ${SECRET}\nDNS = 1.1.1.1\n`;

test.before.each((context) => {
  context.folder = fs.mkdtempSync(join(tmpdir(), 'heddle-'));
  context.file = join(context.folder, 'wg0.conf');
  context.output = join(context.folder, 'heddle.yaml');
  fs.writeFileSync(context.file, TEXT, { mode: 0o600 });
});
test.after.each((context) => fs.rmSync(context.folder, { recursive: true }));

test('import: the configuration on standard output, what is lost on standard error', async ({
  folder,
  file,
}) => {
  const { code, out, err } = await heddle(folder, ['import', file]);
  assert.is(code, EXIT.ok);
  assert.match(out, `interface: wg0\nprivateKey: ${SECRET}\n`);
  assert.is(err.split(' left out')[0], `${file}:3: DNS`);
  assert.is(err.trim().split('\n').length, 1);
});

test('import: -o writes a private file that `heddle check` finds right', async ({
  folder,
  file,
  output,
}) => {
  const { code, out, err } = await heddle(folder, ['import', file, '-o', output]);
  assert.is(code, EXIT.ok, err);
  assert.is(out, '');
  assert.is(fs.statSync(output).mode & 0o777, 0o600);
  assert.match(err, `heddle: wrote ${output}`);
  const checked = await heddle(folder, ['check', output]);
  assert.is(checked.code, EXIT.ok, checked.err);
  assert.match(checked.out, 'no faults: interface wg0');
});

test('import: a file that is there is kept, unless it is told to go', async (context) => {
  const { folder, file, output } = context;
  fs.writeFileSync(output, 'precious', { mode: 0o644 });
  const kept = await heddle(folder, ['import', file, '-o', output]);
  assert.is(kept.code, EXIT.failed);
  assert.match(kept.err, '--force');
  assert.is(fs.readFileSync(output, 'utf8'), 'precious');
  const replaced = await heddle(folder, ['import', '--force', file, '-o', output]);
  assert.is(replaced.code, EXIT.ok, replaced.err);
  assert.match(fs.readFileSync(output, 'utf8'), SECRET);
  assert.is(fs.statSync(output).mode & 0o777, 0o600);
  assert.equal(fs.readdirSync(folder).sort(), ['heddle.yaml', 'wg0.conf']);
});

test('import: faults have their lines, and nothing is written', async ({
  folder,
  file,
  output,
}) => {
  fs.writeFileSync(file, `${TEXT}MTU = big\nListenPort = x\n`);
  const { code, out, err } = await heddle(folder, ['import', file, '-o', output]);
  assert.is(code, EXIT.failed);
  assert.is(out, '');
  assert.match(err, `${file}:4: MTU: found "big"`);
  assert.match(err, `${file}:5: ListenPort: found "x"`);
  assert.not.match(err, SECRET);
  assert.is(fs.existsSync(output), false);
});

test('import: what only the whole configuration shows is told too', async ({ folder, file }) => {
  fs.writeFileSync(file, `${TEXT}Address = fd00::1/64\nMTU = 1000\n`);
  const { code, err } = await heddle(folder, ['import', file]);
  assert.is(code, EXIT.failed);
  assert.match(err, 'mtu: found the number 1000, expected at least 1280');
});

test('import: a file that cannot be read is said in one line', async ({ folder }) => {
  const missing = join(folder, 'none.conf');
  const { code, err } = await heddle(folder, ['import', missing]);
  assert.is(code, EXIT.failed);
  assert.is(err, `heddle: Cannot read "${missing}": there is no such file\n`);
});

test.run();
