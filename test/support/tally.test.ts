/** What a run of the tests tells its reader. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type FileResult,
  forbidSkips,
  formatClosingLine,
  formatResult,
  sumResults,
} from './tally.js';

const RESULT: FileResult = {
  name: 'test/a/b.test.ts',
  passed: 3,
  failed: 1,
  skipped: ['no wg', 'no wg'],
  report: 'expected 1\nfound 2\n',
  elapsedMs: 1_234,
};

const test = suite('tally');

test('tally: the closing line names skipped tests only where there are any', () => {
  assert.is(formatClosingLine({ passed: 5, failed: 0, skipped: 0 }), '5 passed, 0 failed');
  assert.is(
    formatClosingLine({ passed: 5, failed: 1, skipped: 2 }),
    '5 passed, 1 failed, 2 skipped',
  );
});

test('tally: totals are the sums over all files', () => {
  assert.equal(sumResults([RESULT, RESULT]), { passed: 6, failed: 2, skipped: 4 });
});

test('tally: a result tells counts, time, each reason once, and the failures in full', () => {
  const [head, ...rest] = formatResult(RESULT).split('\n');
  assert.match(
    head ?? '',
    /^FAIL {2}test\/a\/b\.test\.ts +1\.2 s {2}3 passed, 1 failed, 2 skipped$/,
  );
  assert.equal(rest, ['      skipped: no wg', '      expected 1', '      found 2']);
});

test('tally: where skips are forbidden, each is a failure with its reason', () => {
  const judged = forbidSkips(RESULT);
  assert.equal([judged.failed, judged.skipped], [3, []]);
  assert.match(judged.report, /found 2[\s\S]*no wg[\s\S]*no wg/);
});

test.run();
