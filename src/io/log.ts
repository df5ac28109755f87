/**
 * pino behind the Log interface: one line a message on a file descriptor, as logfmt where a person
 * reads it and as JSON where a program does. Nobody outside fills the disk: a message is written at
 * most once a second, with the count of what was held back, and values are cut and escaped.
 */

import { pino } from 'pino';
import type { Log, LogFields } from '../base/log.js';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error';

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: 'logfmt' | 'json';
  /** Takes one whole line with its line end. Must not throw. */
  readonly write: (line: string) => void;
  /** Milliseconds of a clock that does not go back. */
  readonly now: () => number;
  /** Milliseconds since 1970, for the stamp. */
  readonly wall: () => number;
}

const INTERVAL_MS = 1000;
/** Distinct messages remembered; they are texts of the source, so there are fewer. */
const REMEMBERED = 512;
const LONGEST_VALUE = 256;

export function openLog(options: LogOptions): Log {
  const sink = pino(
    {
      level: options.level,
      base: null,
      timestamp: () => `,"time":"${new Date(options.wall()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line) => options.write(options.format === 'json' ? line : toLogfmt(line)) },
  );
  const limiter = new LineLimiter(options.now);
  const write = (level: LogLevel, message: string, fields: LogFields | undefined): void => {
    if (!sink.isLevelEnabled(level)) return;
    const held = limiter.admit(`${level} ${message}`);
    if (held === undefined) return;
    const shown = { ...tame(fields ?? {}), ...(held > 0 ? { suppressed: held } : {}) };
    sink[level](shown, cut(message));
  };
  return {
    trace: (message, fields) => write('trace', message, fields),
    debug: (message, fields) => write('debug', message, fields),
    info: (message, fields) => write('info', message, fields),
    warn: (message, fields) => write('warn', message, fields),
    error: (message, fields) => write('error', message, fields),
  };
}

/** A bucket of one token a message, refilled once a second. */
class LineLimiter {
  readonly #now: () => number;
  readonly #lines = new Map<string, { since: number; held: number }>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * How many lines like it were held back since the last one; undefined when this one is held back
   * too.
   */
  admit(line: string): number | undefined {
    const now = this.#now();
    const before = this.#lines.get(line);
    if (before && now - before.since < INTERVAL_MS) {
      before.held++;
      return undefined;
    }
    this.#lines.delete(line);
    this.#lines.set(line, { since: now, held: 0 });
    const oldest = this.#lines.keys().next();
    if (this.#lines.size > REMEMBERED && !oldest.done) this.#lines.delete(oldest.value);
    return before?.held ?? 0;
  }
}

function tame(fields: LogFields): Record<string, string | number | boolean> {
  const entries = Object.entries(fields).map(([name, value]) => {
    return [name, typeof value === 'string' ? cut(value) : value] as const;
  });
  return Object.fromEntries(entries);
}

/** Cut to length, and every control or invisible character spelled out. */
function cut(text: string): string {
  const short = text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}...` : text;
  return short.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, (each) => {
    return `\\u{${(each.codePointAt(0) ?? 0).toString(16)}}`;
  });
}

/** `12:34:56.789 info  message name=value`. */
function toLogfmt(json: string): string {
  const fields = new Map<string, unknown>(Object.entries(JSON.parse(json)));
  const clock = String(fields.get('time')).slice(11, 23);
  let line = `${clock} ${String(fields.get('level')).padEnd(5)} ${String(fields.get('msg'))}`;
  for (const [name, value] of fields) {
    if (!['level', 'time', 'msg'].includes(name)) line += ` ${name}=${logfmtValue(value)}`;
  }
  return `${line}\n`;
}

function logfmtValue(value: unknown): string {
  const text = String(value);
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text);
}
