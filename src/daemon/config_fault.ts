/**
 * What is wrong in a configuration file: where, what was found and what was expected, in one line
 * each. What was found is shown only where it cannot be a secret.
 */

import { SECRET_KEYS } from './config_schema.js';

export interface Fault {
  /** From 1; 0 when the fault is of the file as a whole. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** As many faults as are printed; a file of another kind may have a million. */
const SHOWN_FAULTS = 50;
const SHOWN_CHARACTERS = 48;

/** The file cannot be used; `message` has a line for each fault. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'CONFIG';
  readonly faults: readonly Fault[];

  constructor(file: string, faults: readonly Fault[], cause?: unknown) {
    const sorted = [...faults].sort((a, b) => a.line - b.line || a.column - b.column);
    const lines = sorted.slice(0, SHOWN_FAULTS).map((fault) => formatFault(file, fault));
    if (sorted.length > SHOWN_FAULTS) lines.push(`... and ${sorted.length - SHOWN_FAULTS} more`);
    super(lines.join('\n'), { cause });
    this.faults = sorted;
  }
}

/** `FILE:LINE:COLUMN: message`, as compilers print, so that editors jump there. */
function formatFault(file: string, fault: Fault): string {
  const place = fault.line === 0 ? file : `${file}:${fault.line}:${fault.column}`;
  return `${place}: ${fault.message}`;
}

/** `peers[0].publicKey`. */
export function formatPath(path: readonly (string | number)[]): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += `${text === '' ? '' : '.'}${showText(step)}`;
  }
  return text;
}

/** What stands at `path`, in words that keep a secret. */
export function describeFound(value: unknown, path: readonly (string | number)[]): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  const isSecret = path.some((step) => typeof step === 'string' && SECRET_KEYS.includes(step));
  if (typeof value === 'string') return isSecret ? `text of ${count(value)}` : describeText(value);
  return isSecret ? `a ${typeof value}` : `the ${typeof value} ${String(value)}`;
}

/** A key's name in quotes; its length only where it might be a secret that slipped. */
export function describeText(text: string): string {
  return looksSecret(text) ? `text of ${count(text)}` : `"${showText(text)}"`;
}

function showText(text: string): string {
  if (looksSecret(text)) return `(${count(text)})`;
  const cut = text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}...` : text;
  return cut.replaceAll(/[^\x20-\x7e]|["\\]/g, (each) => JSON.stringify(each).slice(1, -1));
}

/** Anything near the length of a key in the alphabet of base64 or hexadecimal. */
function looksSecret(text: string): boolean {
  return /[A-Za-z0-9+/_=-]{32,}/.test(text);
}

function count(text: string): string {
  return text.length === 1 ? '1 character' : `${text.length} characters`;
}
