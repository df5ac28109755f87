/** The built command as a program: its usage, its streams, and what it loads. */

import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EXIT } from '../../src/cli/exit.js';
import { heddle } from '../support/heddle.js';

const test = suite<{ folder: string }>('cli/main');

test.before.each((context) => {
  context.folder = fs.mkdtempSync(join(tmpdir(), 'heddle-'));
});
test.after.each((context) => fs.rmSync(context.folder, { recursive: true }));

const USAGE: readonly (readonly [readonly string[], RegExp])[] = [
  [[], /^Usage: heddle/],
  [['stauts'], /Did you mean status/],
  [['status', '--jsno'], /Did you mean --json/],
  [['check', 'a', 'b'], /too many arguments/],
  [['up', '--default', '-c', 'x'], /cannot be used with/],
  [['up', '-c'], /argument missing/],
];

for (const [words, message] of USAGE) {
  test(`usage: "heddle ${words.join(' ')}" ends with 2 on standard error`, async ({ folder }) => {
    const { code, out, err } = await heddle(folder, words);
    assert.is(code, EXIT.usage);
    assert.is(out, '');
    assert.match(err, message);
  });
}

test('help and version: end with 0, on standard output', async ({ folder }) => {
  const help = await heddle(folder, ['--help']);
  assert.is(help.code, EXIT.ok);
  assert.match(help.out, 'Examples:');
  assert.is(help.err, '');
  assert.match((await heddle(folder, ['--version'])).out, /^\d+\.\d+\.\d+\n$/);
});

test('not running: status, show and down end with 3 and say so', async ({ folder }) => {
  for (const words of [['status'], ['status', '--json'], ['show'], ['down']]) {
    const { code, out, err } = await heddle(folder, words);
    assert.is(code, EXIT.notRunning, words.join(' '));
    assert.is(out, '');
    assert.match(err, /^heddle: No heddle daemon /);
  }
});

test.run();
