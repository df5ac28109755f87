/**
 * Runs one compiled uvu file in this process. uvu keeps what `suite.run()` asks for in a global
 * queue and normally empties it by itself; here the queue is ours, so that tests are counted, late
 * errors found, and a file without tests fails.
 */

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { pathToFileURL } from 'node:url';
import { SKIP_CHANNEL } from './skip.js';
import { brokenFile, type FileResult } from './tally.js';

/** How long a suite may take where its file does not export `timeLimitSeconds`. */
const TIME_LIMIT_SECONDS = 60;

/**
 * What uvu's runner answers: the text of all failures (or true), tests passed, marked skip, and
 * asked for.
 */
type SuiteOutcome = [report: string | true, passed: number, marked: number, total: number];
type SuiteRun = () => Promise<SuiteOutcome>;

/** Stack lines of uvu and of this runner: the failure is never there. */
const RUNNER_FRAMES =
  /^ +at .*(node_modules\/uvu\/|test\/support\/(uvu_file|test_child)\.js).*\n/gm;

/**
 * uvu's side of the bargain (uvu/run): it appends to `UVU_QUEUE[UVU_INDEX]` and leaves the running
 * to us.
 */
interface UvuGlobals {
  UVU_DEFER: number;
  UVU_INDEX: number;
  UVU_QUEUE: SuiteRun[][];
}

/** One file's counts while they grow. */
interface Counts {
  passed: number;
  failed: number;
  readonly skipped: string[];
  readonly reports: string[];
}

/**
 * `onSuite` is told before each suite how long it may take; enforcing it is for another process.
 */
export async function runUvuFile(
  file: string,
  name: string,
  onSuite: (limitSeconds: number) => void,
): Promise<FileResult> {
  const startedAt = performance.now();
  const counts: Counts = { passed: 0, failed: 0, skipped: [], reports: [] };
  const stopWatching = watchLateErrors(counts);
  try {
    const { suites, limitSeconds } = await loadSuites(file);
    for (const suite of suites) {
      onSuite(limitSeconds);
      await runSuite(suite, counts);
    }
    await settle();
    failIfEmpty(suites, counts);
  } catch (error) {
    return brokenFile(name, describeError(error), performance.now() - startedAt);
  } finally {
    stopWatching();
  }
  const { passed, failed, skipped, reports } = counts;
  const elapsedMs = performance.now() - startedAt;
  return { name, passed, failed, skipped, report: reports.join('\n'), elapsedMs };
}

async function loadSuites(file: string): Promise<{ suites: SuiteRun[]; limitSeconds: number }> {
  const suites: SuiteRun[] = [];
  const globals: UvuGlobals = { UVU_DEFER: 1, UVU_INDEX: 0, UVU_QUEUE: [suites] };
  Object.assign(globalThis, globals);
  const loaded: { timeLimitSeconds?: unknown } = await import(pathToFileURL(file).href);
  const { timeLimitSeconds } = loaded;
  const limitSeconds = typeof timeLimitSeconds === 'number' ? timeLimitSeconds : TIME_LIMIT_SECONDS;
  return { suites, limitSeconds };
}

async function runSuite(suite: SuiteRun, counts: Counts): Promise<void> {
  const reasons: string[] = [];
  const note = (reason: unknown): void => {
    reasons.push(String(reason));
  };
  subscribe(SKIP_CHANNEL, note);
  try {
    const [report, passed, marked, total] = await suite();
    counts.passed += passed;
    counts.skipped.push(...Array<string>(marked).fill('marked with skip or only'));
    countFailures(report === true ? '' : report, total - passed, reasons, counts);
  } finally {
    unsubscribe(SKIP_CHANNEL, note);
  }
}

/** Of the tests that did not pass, tells those that gave up for a reason from those that failed. */
function countFailures(
  report: string,
  notPassed: number,
  reasons: readonly string[],
  counts: Counts,
): void {
  const blocks = splitReport(report);
  const isSkip = (block: string): boolean =>
    reasons.some((reason) => block.includes(`\n    ${reason}\n`));
  const failures = blocks.filter((block) => !isSkip(block));
  counts.reports.push(...failures);
  // A hook that throws ends the suite, and uvu drops the error: the tests it stood before are
  // neither passed nor reported.
  const untold = notPassed - blocks.length;
  const lastReason = reasons.at(-1);
  const skipped = blocks.length - failures.length + (lastReason === undefined ? 0 : untold);
  counts.skipped.push(...Array.from({ length: skipped }, (_, i) => reasons[i] ?? `${lastReason}`));
  counts.failed += notPassed - skipped;
  if (untold > 0 && lastReason === undefined) counts.reports.push('A hook of the suite threw');
}

/** uvu joins the failures of a suite into one text; each begins with the same word. */
function splitReport(report: string): string[] {
  const told = report.replace(RUNNER_FRAMES, '');
  return told.split(/^(?= {3}FAIL {2})/m).filter((block) => block.trim() !== '');
}

/** Errors that no test awaited belong to the file that was running. */
function watchLateErrors(counts: Counts): () => void {
  const note = (error: unknown): void => {
    counts.failed++;
    counts.reports.push(`An error that no test awaited: ${describeError(error)}`);
  };
  process.on('uncaughtException', note);
  process.on('unhandledRejection', note);
  return () => {
    process.off('uncaughtException', note);
    process.off('unhandledRejection', note);
  };
}

/** Lets rejections that nobody awaits come to light before the file is judged. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((done) => setImmediate(done));
}

function failIfEmpty(suites: readonly SuiteRun[], counts: Counts): void {
  if (counts.passed + counts.failed + counts.skipped.length > 0) return;
  counts.failed++;
  const missing = suites.length === 0 ? 'no suite was run: `suite.run()` is missing' : 'no test';
  counts.reports.push(`The file is empty: ${missing}`);
}

function describeError(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
