/**
 * The process that runs test files one after the other and reports each to its parent
 * (test_process.ts), which enforces the time limits. Arguments: pairs of compiled file and name.
 */

import * as fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { FileResult } from './tally.js';
import { runUvuFile } from './uvu_file.js';

/** How long a file may take to load. */
const LOAD_LIMIT_SECONDS = 60;
/** Of what a file printed, this much is shown when it fails. */
const KEPT_OUTPUT = 16_384;

export type ChildMessage =
  /** The parent's clock for this file starts anew with this limit. */
  | { readonly kind: 'limit'; readonly name: string; readonly limitSeconds: number }
  | { readonly kind: 'result'; readonly result: FileResult };

/**
 * uvu's marks for a passed and a failed test, a suite's name, and its count; the parent prints
 * better ones.
 */
const UVU_PROGRESS = [/^[•✘] $/, /^ .* {2}$/, /^ {2}\(\d+ \/ \d+\)\n$/];

function report(message: ChildMessage): void {
  process.send?.(message);
}

/** Keeps what the tests print, but for uvu's progress, so that a failure can be shown with it. */
class Printed {
  #text = '';

  constructor() {
    const keep = (text: string | Uint8Array): boolean => this.#keep(text);
    process.stdout.write = keep;
    process.stderr.write = keep;
    process.on('exit', () => fs.writeSync(2, this.take()));
  }

  take(): string {
    const taken = this.#text;
    this.#text = '';
    return taken;
  }

  #keep(chunk: string | Uint8Array): boolean {
    const text = typeof chunk === 'string' ? chunk : new TextDecoder().decode(chunk);
    if (UVU_PROGRESS.some((pattern) => pattern.test(text))) return true;
    this.#text = (this.#text + text).slice(-KEPT_OUTPUT);
    return true;
  }
}

async function main(args: readonly string[]): Promise<void> {
  const printed = new Printed();
  for (let i = 0; i < args.length; i += 2) {
    const [file = '', name = ''] = args.slice(i);
    report({ kind: 'limit', name, limitSeconds: LOAD_LIMIT_SECONDS });
    const onSuite = (limitSeconds: number): void => report({ kind: 'limit', name, limitSeconds });
    const result = await runUvuFile(file, name, onSuite);
    report({ kind: 'result', result: showPrinted(result, printed.take()) });
  }
  // What a test left open must not keep the process; the channel is emptied first.
  process.once('disconnect', () => process.exit(0));
  process.disconnect();
}

function showPrinted(result: FileResult, printed: string): FileResult {
  if (result.failed === 0 || printed === '') return result;
  return { ...result, report: `${result.report}\nIt printed:\n${printed}` };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2));
