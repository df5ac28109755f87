/**
 * A log for what may happen all the time: at most a line a second. What comes in between is kept,
 * numbers under one message added up, and said when the second is over; a message whose words are
 * the same as last time's is no news and is not said again within a minute.
 */

import type { Log, LogFields } from '../base/log.js';
import { elapsed, type Instant, seconds } from '../base/time.js';

const BETWEEN_LINES = seconds(1);
const REPEATED_AFTER = seconds(60);
/** Messages are ours, so there are few; more would be a defect. */
const MOST_KEPT = 16;

interface Line {
  readonly level: 'info' | 'warn';
  readonly message: string;
  readonly fields: LogFields;
}

export class QuietLog {
  readonly #log: Log;
  readonly #now: () => Instant;
  readonly #kept = new Map<string, Line>();
  readonly #warned = new Map<string, { readonly text: string; readonly at: Instant }>();
  #last: Instant | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(log: Log, now: () => Instant) {
    this.#log = log;
    this.#now = now;
  }

  info(message: string, fields: LogFields): void {
    this.#keep({ level: 'info', message, fields });
  }

  /** Said once while its fields stay the same. */
  warn(message: string, fields: LogFields): void {
    const text = JSON.stringify(fields);
    const before = this.#warned.get(message);
    if (before?.text === text && elapsed(before.at, this.#now()) < REPEATED_AFTER) return;
    this.#warned.set(message, { text, at: this.#now() });
    this.#keep({ level: 'warn', message, fields });
  }

  /** What is kept is said. */
  close(): void {
    clearTimeout(this.#timer);
    for (const line of this.#kept.values()) this.#log[line.level](line.message, line.fields);
    this.#kept.clear();
  }

  #keep(line: Line): void {
    const before = this.#kept.get(line.message);
    if (!before && this.#kept.size >= MOST_KEPT) return;
    const fields = before ? addUp(before.fields, line.fields) : line.fields;
    this.#kept.set(line.message, { ...line, fields });
    this.#sayNext();
  }

  #sayNext(): void {
    if (this.#timer) return;
    const [line] = this.#kept.values();
    if (!line) return;
    const wait = this.#last === undefined ? 0 : BETWEEN_LINES - elapsed(this.#last, this.#now());
    if (wait > 0) {
      this.#timer = setTimeout(
        () => {
          this.#timer = undefined;
          this.#sayNext();
        },
        Math.ceil(wait / 1_000),
      );
      return;
    }
    this.#kept.delete(line.message);
    this.#last = this.#now();
    this.#log[line.level](line.message, line.fields);
    this.#sayNext();
  }
}

function addUp(a: LogFields, b: LogFields): LogFields {
  const sums: Record<string, string | number | boolean> = { ...a };
  for (const [name, value] of Object.entries(b)) {
    const before = sums[name];
    sums[name] = typeof value === 'number' && typeof before === 'number' ? before + value : value;
  }
  return sums;
}
