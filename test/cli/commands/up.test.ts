/**
 * Starts that fail in the foreground; those that succeed are in test/daemon/open_tunnel.test.ts.
 */

import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EXIT } from '../../../src/cli/exit.js';
import { heddle } from '../../support/heddle.js';

const test = suite<{ folder: string; file: string }>('cli/commands/up');
const SECRET = 'yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=';

test.before.each((context) => {
  context.folder = fs.mkdtempSync(join(tmpdir(), 'heddle-'));
  context.file = join(context.folder, 'heddle.yaml');
});
test.after.each((context) => fs.rmSync(context.folder, { recursive: true }));

test('up: a start that fails says why without a secret, and leaves nothing', async (context) => {
  const { folder, file } = context;
  const texts = [
    `privateKey: ${SECRET}\ninterface: lo\n`,
    `privateKey: ${SECRET}x\n`,
    `privateKey: "${SECRET}\n`,
  ];
  for (const text of texts) {
    fs.writeFileSync(file, text, { mode: 0o600 });
    const { code, out, err } = await heddle(folder, ['up', '--verbose', '-c', file]);
    // 5 where this host does not let us make a tunnel at all, which is asked first.
    assert.ok(code === EXIT.failed || code === EXIT.notPermitted, `exit code ${code}`);
    assert.is(out, '');
    assert.match(err, /^heddle: .+/m);
    assert.not.match(err, SECRET);
    assert.not.match(err, 'defect');
    assert.equal(fs.readdirSync(folder), ['heddle.yaml']);
  }
});

test.run();
