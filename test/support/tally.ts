/**
 * What a run of the tests amounts to, and how it is told: a line a file, failures in full, and the
 * plain closing line.
 */

/** What became of one test file, or of one native test program. */
export interface FileResult {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  /** The reason of each skipped test. */
  readonly skipped: readonly string[];
  /** What a person needs to mend the failures; empty when nothing failed. */
  readonly report: string;
  readonly elapsedMs: number;
}

export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** A file that did not get as far as counting its tests. */
export function brokenFile(name: string, report: string, elapsedMs: number): FileResult {
  return { name, passed: 0, failed: 1, skipped: [], report, elapsedMs };
}

/** Where nothing may be skipped, a skipped test is a failed one. */
export function forbidSkips(result: FileResult): FileResult {
  if (result.skipped.length === 0) return result;
  const reasons = result.skipped.map((reason) => `Skipped where nothing may be: ${reason}`);
  return {
    ...result,
    failed: result.failed + reasons.length,
    skipped: [],
    report: [result.report, ...reasons].filter((part) => part !== '').join('\n'),
  };
}

export function sumResults(results: readonly FileResult[]): Totals {
  const sum = (count: (result: FileResult) => number): number =>
    results.reduce((total, result) => total + count(result), 0);
  return {
    passed: sum((result) => result.passed),
    failed: sum((result) => result.failed),
    skipped: sum((result) => result.skipped.length),
  };
}

/** One line for the file, then what it says about skips and failures. */
export function formatResult(result: FileResult): string {
  const { name, passed, failed, skipped, report, elapsedMs } = result;
  const word = failed > 0 ? 'FAIL' : skipped.length > 0 ? 'skip' : 'ok';
  const counts = [`${passed} passed`];
  if (failed > 0) counts.push(`${failed} failed`);
  if (skipped.length > 0) counts.push(`${skipped.length} skipped`);
  const time = `${(elapsedMs / 1000).toFixed(1)} s`;
  const lines = [`${word.padEnd(5)} ${name.padEnd(44)} ${time.padStart(7)}  ${counts.join(', ')}`];
  for (const reason of new Set(skipped)) lines.push(`      skipped: ${reason}`);
  if (report !== '') lines.push(indent(report));
  return lines.join('\n');
}

/** The last line of a run, for people and for CI. */
export function formatClosingLine({ passed, failed, skipped }: Totals): string {
  const counts = `${passed} passed, ${failed} failed`;
  return skipped > 0 ? `${counts}, ${skipped} skipped` : counts;
}

function indent(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `      ${line}`.trimEnd())
    .join('\n');
}
