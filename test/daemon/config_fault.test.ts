import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ConfigError, describeFound, formatPath } from '../../src/daemon/config_fault.js';

const test = suite('daemon/config_fault');

test('error: sorts faults by place, and names the file alone where there is none', () => {
  const error = new ConfigError('f', [
    { line: 2, column: 1, message: 'b' },
    { line: 1, column: 9, message: 'a' },
    { line: 0, column: 0, message: 'whole' },
  ]);
  assert.is(error.message, 'f: whole\nf:1:9: a\nf:2:1: b');
});

test('path: reads like code, and a key that may be a secret is its length', () => {
  assert.is(formatPath(['peers', 0, 'name']), 'peers[0].name');
  assert.is(formatPath(['q'.repeat(44)]), '(44 characters)');
});

const ROWS: readonly (readonly [unknown, readonly string[], string])[] = [
  [undefined, ['a'], 'nothing'],
  [null, ['a'], 'nothing'],
  [[], ['a'], 'a list'],
  [{}, ['a'], 'a map'],
  [7, ['a'], 'the number 7'],
  [true, ['a'], 'the boolean true'],
  ['x', ['a'], '"x"'],
  ['\u001b[31m', ['a'], '"\\u001b[31m"'],
  ['"', ['a'], '"\\""'],
  ['x'.repeat(31), ['a'], `"${'x'.repeat(31)}"`],
  ['x'.repeat(32), ['a'], 'text of 32 characters'],
  ['x'.repeat(32), ['a'], 'text of 32 characters'],
  ['a b '.repeat(20), ['a'], `"${'a b '.repeat(12)}..."`],
  ['x', ['privateKey'], 'text of 1 character'],
  [12345, ['peers', 'presharedKey'], 'a number'],
];

for (const [value, path, expected] of ROWS) {
  test(`found: ${expected}`, () => assert.is(describeFound(value, path), expected));
}

test.run();
