/** The runner itself: what it must notice that uvu alone lets pass. */

import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { FileResult } from './tally.js';
import { runTestFiles } from './test_process.js';

const UVU = import.meta.resolve('uvu');
const SKIP = new URL('./skip.js', import.meta.url).href;
const HEAD = `import { suite } from '${UVU}';
import { skip } from '${SKIP}'; const test = suite('s');`;

interface Row {
  readonly name: string;
  readonly source: string;
  /** Passed, failed, skipped. */
  readonly expected: readonly [number, number, number];
  readonly report?: RegExp;
}

const ROWS: readonly Row[] = [
  {
    name: 'counts passed tests',
    source: `test('a', () => {}); test('b', async () => {}); test.run();`,
    expected: [2, 0, 0],
    report: /^$/,
  },
  {
    name: 'reports a failure with what was printed',
    source: `test('seeded', () => { console.log('SEED=7');
      throw new Error('off by one'); }); test.run();`,
    expected: [0, 1, 0],
    report: /seeded[\s\S]*off by one[\s\S]*SEED=7/,
  },
  {
    name: 'counts a skip apart from a failure',
    source: `test('a', () => skip('no wg')); test('b', () => { throw new Error('bad'); });
      test('c', () => {}); test.run();`,
    expected: [1, 1, 1],
    report: /"b"[\s\S]*bad/,
  },
  {
    name: 'counts all tests behind a hook that skips',
    source: `test.before(() => skip('no root')); test('a', () => {});
       test('b', () => {}); test.run();`,
    expected: [0, 0, 2],
  },
  {
    name: 'fails the tests behind a hook that throws',
    source: `test.before(() => { throw new Error('x'); }); test('a', () => {}); test.run();`,
    expected: [0, 1, 0],
    report: /hook/,
  },
  {
    name: 'fails a file that forgets to run its suite',
    source: `test('a', () => {});`,
    expected: [0, 1, 0],
    report: /suite\.run\(\)/,
  },
  {
    name: 'fails a file without a test',
    source: 'test.run();',
    expected: [0, 1, 0],
    report: /no test/,
  },
  {
    name: 'fails a file that does not load',
    source: `throw new Error('not today');`,
    expected: [0, 1, 0],
    report: /not today/,
  },
  {
    name: 'fails a file for a rejection that nobody awaits',
    source: `test('a', () => { Promise.reject(new Error('lost')); }); test.run();`,
    expected: [1, 1, 0],
    report: /no test awaited[\s\S]*lost/,
  },
  {
    name: 'fails a file that ends the process',
    source: `test('a', () => process.exit(0)); test.run();`,
    expected: [0, 1, 0],
    report: /exit code 0/,
  },
  {
    name: 'ends a test that never settles',
    source: `export const timeLimitSeconds = 0.2; setInterval(() => {}, 1000);
      test('a', () => new Promise(() => {})); test.run();`,
    expected: [0, 1, 0],
    report: /limit of 0\.2 s/,
  },
  {
    name: 'ends a test that never yields',
    source: `export const timeLimitSeconds = 0.2; process.once('SIGTERM', () => {});
      test('a', () => { for (;;); }); test.run();`,
    expected: [0, 1, 0],
    report: /limit of 0\.2 s/,
  },
  {
    name: 'goes on after a file that had to be ended',
    source: `test('a', () => {}); test.run();`,
    expected: [1, 0, 0],
  },
];

const test = suite('test process');

test('test process: gives every file its own verdict, in order', async () => {
  const folder = fs.mkdtempSync(join(tmpdir(), 'heddle-runner-'));
  try {
    const files = ROWS.map(({ name, source }, i) => {
      const file = join(folder, `row_${i}.mjs`);
      fs.writeFileSync(file, `${HEAD}\n${source}\n`);
      return { file, name };
    });
    const results: FileResult[] = [];
    await runTestFiles(files, (result) => results.push(result));
    for (const [i, { name, expected, report }] of ROWS.entries()) {
      const result = results[i];
      const counts = [result?.passed, result?.failed, result?.skipped.length];
      assert.equal([result?.name, counts], [name, expected], `${name}: ${result?.report}`);
      if (report) assert.match(result?.report ?? '', report, name);
    }
    assert.is(results.length, ROWS.length);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});

test.run();
