/**
 * How a start is told: to a person as lines with the elapsed time, or over a pipe to the command
 * that waits for it.
 */

import * as fs from 'node:fs';
import { formatRfc3339 } from '../api/rfc3339.js';
import type { WallTime } from '../base/time.js';
import type { ExitCode } from './exit.js';
import type { Style } from './style.js';
import { harmless } from './table.js';

export interface StartReport {
  step(name: string, detail: string): void;
  ready(): void;
  failed(exitCode: ExitCode, message: string): void;
  advise(text: string): void;
  /** A join line for another host: a secret, for a person and no log. */
  joinLine(line: string, expires: WallTime): void;
}

/** One line a message on the pipe. */
export type ReportLine =
  | { readonly kind: 'step'; readonly name: string; readonly detail: string }
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly exitCode: number; readonly message: string }
  | { readonly kind: 'advice'; readonly text: string }
  | { readonly kind: 'joinLine'; readonly line: string; readonly expires: WallTime };

const NAME_WIDTH = 13;

/**
 * Steps as lines on standard error. `elapsedMs` counts from the start of the command.
 * `isForPeople`: what is printed comes before somebody's eyes, and not into a journal.
 */
export function textReport(
  style: Style,
  elapsedMs: () => number,
  isForPeople: boolean,
): StartReport {
  const line = (name: string, detail: string): void => {
    const elapsed = `${(elapsedMs() / 1000).toFixed(2)} s`.padStart(7);
    process.stderr.write(`${style.dim(elapsed)}  ${name.padEnd(NAME_WIDTH)}  ${detail}\n`);
  };
  return {
    step: (name, detail) => line(name, harmless(detail)),
    ready: () => line('ready', style.good('traffic can flow')),
    failed: (_, message) => {
      process.stderr.write(`heddle: ${message}\n`);
    },
    advise: (text) => {
      process.stderr.write(`\n${text}\n`);
    },
    joinLine: (line, expires) => {
      if (isForPeople) printJoinLine(line, expires);
      else process.stderr.write('heddle: `heddle invite` prints a join line for another host\n');
    },
  };
}

/** The line alone on standard output, and what to do with it beside it. */
export function printJoinLine(line: string, expires: WallTime): void {
  const until = formatRfc3339(expires).replace('T', ' ').slice(0, 16);
  process.stderr.write(
    `\nOn the other host run \`heddle up --join\` and paste this line; it is good until ` +
      `${until} UTC\n` +
      'and is a secret until then: whoever has it can join.\n\n',
  );
  process.stdout.write(`${line}\n`);
}

/** The same over a descriptor, which is closed once the start is decided. */
export function pipeReport(fd: number): StartReport {
  const send = (line: ReportLine): void => {
    try {
      fs.writeSync(fd, `${JSON.stringify(line)}\n`);
    } catch {
      // Nobody waits for the report any more; the daemon does not depend on it.
    }
  };
  const sendLast = (line: ReportLine): void => {
    send(line);
    fs.closeSync(fd);
  };
  return {
    step: (name, detail) => send({ kind: 'step', name, detail }),
    ready: () => sendLast({ kind: 'ready' }),
    failed: (exitCode, message) => sendLast({ kind: 'failed', exitCode, message }),
    advise: (text) => send({ kind: 'advice', text }),
    joinLine: (line, expires) => send({ kind: 'joinLine', line, expires }),
  };
}

/** Parses a line of the pipe; undefined when it is not one. */
export function parseReportLine(text: string): ReportLine | undefined {
  try {
    const line: unknown = JSON.parse(text);
    return isReportLine(line) ? line : undefined;
  } catch {
    return undefined;
  }
}

function isReportLine(line: unknown): line is ReportLine {
  return typeof line === 'object' && line !== null && 'kind' in line;
}
