/**
 * Runs the tests: every test/X/y.test.ts and every native/test/y_test.cc, those that take long
 * last, one after the other.
 *
 *   npm test                        everything
 *   npm test -- session replay      files whose path contains one of the words
 *   npm test -- --sanitize          the native tests also under ASan with UBSan, and under TSan
 *
 * A suite may take 60 s, or the `timeLimitSeconds` that its file exports. With CI=true the
 * sanitizers are on and a skipped test counts as failed. The last line is `N passed, N failed`,
 * with `, N skipped` where there are any.
 */

import * as fs from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runNativeTests, type Sanitizer } from './support/native_tests.js';
import {
  brokenFile,
  type FileResult,
  forbidSkips,
  formatClosingLine,
  formatResult,
  sumResults,
} from './support/tally.js';
import { runTestFiles, type TestFile } from './support/test_process.js';

/** This file runs as dist/test/run.js. */
const DIST = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const ROOT = resolve(DIST, '..');
/** Folders whose tests touch the world, the slowest last. All others come before them, by name. */
const SLOW_FOLDERS = ['twin', 'io', 'daemon', 'cli', 'fuzz', 'demo', 'interop'];
/** From here on the folders wait until the native tests are through. */
const FIRST_AFTER_NATIVE = SLOW_FOLDERS.indexOf('demo');

async function main(args: readonly string[]): Promise<number> {
  const isCi = process.env.CI === 'true';
  const words = args.filter((arg) => !arg.startsWith('--'));
  const isChosen = (name: string): boolean =>
    words.length === 0 || words.some((word) => name.includes(word));
  const results: FileResult[] = [];
  const note = (result: FileResult): void => {
    const judged = isCi ? forbidSkips(result) : result;
    results.push(judged);
    process.stdout.write(`${formatResult(judged)}\n`);
  };

  const files = listTestFiles().filter(({ name }) => isChosen(name));
  await runTestFiles(files.filter(isBeforeNative), note);
  for (const sanitizer of chooseSanitizers(isCi || args.includes('--sanitize'))) {
    await runNativeTests({ root: ROOT, sanitizer, filter: isChosen }, note);
  }
  await runTestFiles(
    files.filter((file) => !isBeforeNative(file)),
    note,
  );
  if (results.length === 0) note(brokenFile('test', 'No test file matches', 0));
  return conclude(results);
}

/** Prints what a reader must see last, and gives the exit code. */
function conclude(results: readonly FileResult[]): number {
  const broken = results.filter(({ failed }) => failed > 0);
  if (broken.length > 0) process.stdout.write('\nFailed:\n');
  for (const { name, failed } of broken) process.stdout.write(`  ${name}: ${failed}\n`);
  process.stdout.write(`\n${formatClosingLine(sumResults(results))}\n`);
  return broken.length > 0 ? 1 : 0;
}

/** The sources say which tests there are: dist may hold the output of files that are gone. */
function listTestFiles(): TestFile[] {
  return fs
    .readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => ({
      file: join(DIST, 'test', path.replace(/\.ts$/, '.js')),
      name: relative(ROOT, join(ROOT, 'test', path)),
    }))
    .sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
}

function rank({ name }: TestFile): number {
  return SLOW_FOLDERS.indexOf(name.split('/')[1] ?? '');
}

function isBeforeNative(file: TestFile): boolean {
  return rank(file) < FIRST_AFTER_NATIVE;
}

function chooseSanitizers(isThorough: boolean): readonly Sanitizer[] {
  return isThorough ? ['none', 'address,undefined', 'thread'] : ['none'];
}

process.exitCode = await main(process.argv.slice(2));
