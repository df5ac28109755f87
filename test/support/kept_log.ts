/** A log that keeps what it is told. */

import type { Log, LogFields } from '../../src/base/log.js';

export interface LoggedLine {
  readonly level: keyof Log;
  readonly message: string;
  readonly fields: LogFields;
}

export class KeptLog implements Log {
  readonly lines: LoggedLine[] = [];
  readonly trace = this.#keep('trace');
  readonly debug = this.#keep('debug');
  readonly info = this.#keep('info');
  readonly warn = this.#keep('warn');
  readonly error = this.#keep('error');

  #keep(level: keyof Log): (message: string, fields?: LogFields) => void {
    return (message, fields = {}) => {
      this.lines.push({ level, message, fields });
    };
  }
}
