/**
 * What a core may say to its operator. Levels: trace per packet, debug a deviation, info a state
 * change, warn look tomorrow, error look now. Keys and payloads never appear; names from outside go
 * in fields.
 */

export type LogFields = Readonly<Record<string, string | number | boolean>>;

export interface Log {
  trace(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** A log that says nothing. */
export const SILENT: Log = {
  trace: () => {},
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
};
