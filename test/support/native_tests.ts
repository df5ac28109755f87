/**
 * Builds and runs the C++ test programs, native/test/*_test.cc. Each prints one line a test: `ok
 * NAME`, `skip NAME: WHY`, or `FAIL NAME` and why. A program that prints none, or ends badly, is a
 * failure too.
 */

import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { availableParallelism, machine } from 'node:os';
import { basename, join } from 'node:path';
import { brokenFile, type FileResult } from './tally.js';

/** Compilers' checks that a variant of the programs is built with; none for the plain one. */
export type Sanitizer = 'none' | 'address,undefined' | 'thread';

const RUN_LIMIT_MS = 300_000;
/** Of all programs of a variant, on a slow machine. */
const BUILD_LIMIT_MS = 900_000;
const SANITIZER_OPTIONS = {
  ASAN_OPTIONS: 'detect_stack_use_after_return=1',
  UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
  TSAN_OPTIONS: 'halt_on_error=1',
};

export interface NativeTests {
  /** The project's folder. */
  readonly root: string;
  readonly sanitizer: Sanitizer;
  /** Chooses programs by name, such as `native/test/replay_test`. */
  readonly filter: (name: string) => boolean;
}

/** Tells `onResult` of each program as it ends. */
export async function runNativeTests(
  { root, sanitizer, filter }: NativeTests,
  onResult: (result: FileResult) => void,
): Promise<void> {
  const native = join(root, 'native');
  const programs = listPrograms(native).filter((program) => filter(`native/test/${program}`));
  if (programs.length === 0) return;
  const variant = sanitizer === 'none' ? 'release' : sanitizer.replaceAll(',', '-');
  const targets = programs.map((program) => join('build', variant, 'test', program));
  const built = await buildPrograms(native, sanitizer, targets);
  if (built !== undefined) return onResult(built);
  for (const target of targets) onResult(await runProgram(native, target, sanitizer));
}

/** Every `native/test/*_test.cc`, by the name of its program. */
function listPrograms(native: string): string[] {
  const folder = join(native, 'test');
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder)
    .filter((file) => file.endsWith('_test.cc'))
    .map((file) => basename(file, '.cc'))
    .sort();
}

/** What a program's output amounts to. */
export function readProgram(
  name: string,
  output: string,
  outcome: { readonly code: number | null; readonly elapsedMs: number },
): FileResult {
  const lines = output.split('\n');
  const passed = lines.filter((line) => /^ok \S/.test(line)).length;
  const failed = lines.filter((line) => /^FAIL \S/.test(line)).length;
  const { code, elapsedMs } = outcome;
  const skipped = lines.flatMap((line) => /^skip (\S.*)/.exec(line)?.[1] ?? []);
  const isBroken = (code !== 0 && failed === 0) || passed + failed + skipped.length === 0;
  if (failed === 0 && !isBroken) return { name, passed, failed, skipped, report: '', elapsedMs };
  const shown = lines.filter((line) => !/^ok \S/.test(line)).join('\n');
  const end = isBroken ? `\nIt ended with ${code ?? 'a signal'} after ${passed} passed tests` : '';
  return {
    name,
    passed,
    failed: failed + (isBroken ? 1 : 0),
    skipped,
    report: `${shown.trim()}${end}`,
    elapsedMs,
  };
}

async function buildPrograms(
  native: string,
  sanitizer: Sanitizer,
  targets: readonly string[],
): Promise<FileResult | undefined> {
  const variables = sanitizer === 'none' ? [] : [`SANITIZE=${sanitizer}`];
  const args = ['-C', native, `-j${availableParallelism()}`, ...variables, ...targets];
  const { code, output, elapsedMs } = await run('make', args, BUILD_LIMIT_MS);
  return code === 0 ? undefined : brokenFile(`native/test, ${sanitizer}`, output, elapsedMs);
}

async function runProgram(
  native: string,
  target: string,
  sanitizer: Sanitizer,
): Promise<FileResult> {
  const suffix = sanitizer === 'none' ? '' : ` (${sanitizer})`;
  // ThreadSanitizer cannot place its shadow where addresses are randomised by more bits than it
  // knows.
  const [command, ...args] =
    sanitizer === 'thread'
      ? ['setarch', machine(), '-R', join(native, target)]
      : [join(native, target)];
  const { output, ...outcome } = await run(command ?? '', args);
  return readProgram(`native/test/${basename(target)}${suffix}`, output, outcome);
}

interface Outcome {
  readonly code: number | null;
  readonly output: string;
  readonly elapsedMs: number;
}

function run(command: string, args: readonly string[], limitMs = RUN_LIMIT_MS): Promise<Outcome> {
  const startedAt = performance.now();
  const env = { ...process.env, ...SANITIZER_OPTIONS };
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  return new Promise((done) => {
    const end = (code: number | null): void => {
      clearTimeout(timer);
      const output = Buffer.concat(chunks).toString('utf8');
      done({ code, output, elapsedMs: performance.now() - startedAt });
    };
    child.on('error', (error) => {
      chunks.push(Buffer.from(`Cannot run "${command}": ${error.message}`));
      end(1);
    });
    child.on('close', end);
  });
}
