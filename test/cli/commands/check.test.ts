import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EXIT } from '../../../src/cli/exit.js';
import { heddle } from '../../support/heddle.js';

const test = suite<{ folder: string; file: string }>('cli/commands/check');
const SECRET = 'yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=';

test.before.each((context) => {
  context.folder = fs.mkdtempSync(join(tmpdir(), 'heddle-'));
  context.file = join(context.folder, 'heddle.yaml');
});
test.after.each((context) => fs.rmSync(context.folder, { recursive: true }));

test('check: a right file is confirmed on standard output', async ({ folder, file }) => {
  fs.writeFileSync(file, `privateKey: ${SECRET}\n`, { mode: 0o600 });
  const { code, out, err } = await heddle(folder, ['check', file]);
  assert.is(code, EXIT.ok);
  assert.is(out, `${file}: no faults: interface heddle0, 0 peers\n`);
  assert.is(err, '');
});

test('check: a wrong file has all its faults on standard error', async ({ folder, file }) => {
  fs.writeFileSync(file, `privateKey: ${SECRET}x\nlistenport: 5\n`, { mode: 0o600 });
  const { code, out, err } = await heddle(folder, ['check', file]);
  assert.is(code, EXIT.failed);
  assert.is(out, '');
  assert.match(err, `${file}:1:13: privateKey: found text of 45 characters`);
  assert.match(err, `${file}:2:1: unknown key "listenport"; did you mean "listenPort"?`);
});

test('check: --json is for programs, with the place of each fault', async ({ folder, file }) => {
  fs.writeFileSync(file, 'mtu: 5\n');
  const { code, out } = await heddle(folder, ['check', '--json', file]);
  assert.is(code, EXIT.failed);
  const { schemaVersion, valid, faults } = JSON.parse(out);
  assert.is(schemaVersion, 1);
  assert.is(valid, false);
  assert.equal([faults[0].line, faults[0].column], [1, 6]);
});

test('check: a file that is not there is said in one line', async ({ folder, file }) => {
  const { code, err } = await heddle(folder, ['check', file]);
  assert.is(code, EXIT.failed);
  assert.is(err, `${file}: Cannot read "${file}": there is no such file\n`);
});

test.run();
