/** How the output of a C++ test program is judged. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readProgram } from './native_tests.js';

/** Output and exit code; then passed and failed. */
const ROWS: readonly [string, string, number | null, number, number][] = [
  ['all tests passed', 'ok a: b\nok c: d\n', 0, 2, 0],
  ['a failed test counts once', 'ok a: b\nFAIL c: d, 1 is not 2\n', 1, 1, 1],
  ['a failed test counts even if the program forgets its exit code', 'FAIL c: d\n', 0, 0, 1],
  ['a program without a test is a failure', '', 0, 0, 1],
  ['a program that dies after its tests is a failure', 'ok a: b\nERROR: leak\n', 23, 1, 1],
  ['a program ended by a signal is a failure', 'ok a: b\n', null, 1, 1],
  ['a line that only begins like one is none', 'okay\nFAILED\nok a: b\n', 0, 1, 0],
];

const test = suite('native tests');

for (const [rule, output, code, passed, failed] of ROWS) {
  test(`native tests: ${rule}`, () => {
    const result = readProgram('p', output, { code, elapsedMs: 0 });
    assert.equal([result.passed, result.failed], [passed, failed]);
    assert.is(result.report === '', failed === 0);
  });
}

test('native tests: a skipped test counts as skipped, with its reason', () => {
  const result = readProgram('p', 'ok a: b\nskip c: d: why\n', { code: 0, elapsedMs: 0 });
  assert.equal([result.passed, result.failed, result.skipped], [1, 0, ['c: d: why']]);
});

test.run();
