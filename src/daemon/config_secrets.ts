/**
 * The secrets of a configuration: keys that stand in it or in files of their own, which must belong
 * to their owner alone.
 */

import { dirname, resolve } from 'node:path';
import { wipe } from '../base/bytes.js';
import { parseSecretKey } from '../crypto/keys.js';
import { FileError, quote, readPrivateFile } from '../io/files.js';
import type { Path } from './config_document.js';
import { formatPath } from './config_fault.js';
import { SECRET_KEYS } from './config_schema.js';
import type { FaultList } from './fault_list.js';

const KEY_FILE_LIMIT = 4096;

/** Where a configuration comes from. */
export interface ConfigPlace {
  /** The file's path: for messages, and where relative paths start. */
  readonly file: string;
  /** The file's permission bits. */
  readonly mode: number;
}

/** A file that holds a secret must be its owner's alone. */
export function judgeMode(place: ConfigPlace, value: unknown, faults: FaultList): void {
  if ((place.mode & 0o077) === 0) return;
  const path = findSecret(value, []);
  if (!path) return;
  const mode = `0${place.mode.toString(8)}`;
  faults.addAtKey(
    path,
    `${formatPath(path)}: a secret stands in a file of mode ${mode} that others may read; ` +
      `run: chmod 600 ${quote(place.file)}`,
  );
}

function findSecret(value: unknown, path: Path): Path | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    if (SECRET_KEYS.includes(key)) return [...path, key];
    const found = findSecret(inner, [...path, Array.isArray(value) ? Number(key) : key]);
    if (found) return found;
  }
  return undefined;
}

export class SecretReader {
  readonly #file: string;
  readonly #faults: FaultList;

  constructor({ file }: ConfigPlace, faults: FaultList) {
    this.#file = file;
    this.#faults = faults;
  }

  /** The key that stands under `name` in `shape`, or in the file under `nameFile`. */
  read(
    shape: Readonly<Record<string, unknown>>,
    path: Path,
    name: 'privateKey' | 'presharedKey',
  ): Uint8Array | undefined {
    const [inline, file] = [shape[name], shape[`${name}File`]];
    const fileAt = [...path, `${name}File`];
    if (inline !== undefined && file !== undefined) {
      this.#faults.addAtKey(fileAt, `${formatPath(fileAt)}: ${name} is given too; keep one`);
      return undefined;
    }
    if (typeof inline === 'string') return parseSecretKey(inline);
    return typeof file === 'string' ? this.#readFile(fileAt, file) : undefined;
  }

  #readFile(path: Path, file: string): Uint8Array | undefined {
    const absolute = resolve(dirname(this.#file), file);
    try {
      const bytes = readPrivateFile(absolute, KEY_FILE_LIMIT);
      const key = parseSecretKey(new TextDecoder().decode(bytes).trim());
      wipe(bytes);
      if (key) return key;
      const expected = 'expected one line with 32 bytes in base64 (44 characters)';
      this.#faults.add(path, `${formatPath(path)}: "${absolute}" does not hold a key, ${expected}`);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      this.#faults.add(path, `${formatPath(path)}: ${error.message}`);
    }
    return undefined;
  }
}
