/**
 * A file that must survive: a crash while it is written, a full disk, a flipped bit. Its content
 * lies behind a header (magic, length, BLAKE2s-256 of the content, little endian); a write makes
 * the new file whole and safe as `FILE.next`, keeps the last one as `FILE.previous`, and renames. A
 * read takes the newest that is whole; one that is not is kept aside as `FILE.damaged`. What a
 * crash left half written is removed by the next read, which is at a start: there may be secrets
 * in it.
 */

import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { concat, equal, loadLe32, storeLe32 } from '../base/bytes.js';
import { blake2s } from '../crypto/blake2s.js';
import { errnoOf, FileError, readPrivateFile, replacePrivateFile } from './files.js';

const MAGIC = new TextEncoder().encode('heddle1\n');
const HASH_BYTES = 32;
const HEADER_BYTES = MAGIC.length + 4 + HASH_BYTES;
/** Generations that were set aside. */
const SET_ASIDE = 100;
const LIMIT = 256 * 1024 * 1024;

export interface KeptContent {
  /** Undefined where there is none, or none that is whole. */
  readonly content: Uint8Array | undefined;
  /** What an operator should know: which generation was damaged, and what became of it. */
  readonly remarks: readonly string[];
}

export class KeptFile {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Throws FileError where the system refuses; damage is no error. */
  read(): KeptContent {
    this.#removeUnfinished();
    const remarks: string[] = [];
    for (const path of [this.#path, this.#previous]) {
      const file = readIfThere(path);
      if (!file) continue;
      const content = contentOf(file);
      if (content) {
        if (path !== this.#path) remarks.push(`"${this.#path}" is taken from its last generation`);
        return { content, remarks };
      }
      const aside = `${path}.damaged`;
      fs.renameSync(path, aside);
      remarks.push(`"${path}" is damaged, and kept as "${aside}"`);
    }
    return { content: undefined, remarks };
  }

  /** Whole and on the disk when it returns. Throws FileError, and what was there is still there. */
  write(content: Uint8Array): void {
    const length = new Uint8Array(4);
    storeLe32(length, 0, content.length);
    const whole = concat(MAGIC, length, blake2s(content), content);
    try {
      replacePrivateFile(this.#next, whole);
      if (fs.existsSync(this.#path)) {
        fs.rmSync(this.#previous, { force: true });
        fs.linkSync(this.#path, this.#previous);
      }
      fs.renameSync(this.#next, this.#path);
      syncFolder(dirname(this.#path));
    } catch (error) {
      if (error instanceof FileError) throw error;
      throw new FileError(errnoOf(error), `Cannot write "${this.#path}": ${String(error)}`, error);
    } finally {
      whole.fill(0);
    }
  }

  /** Out of the way, and not lost: `FILE.left`, with a number where others were left before. */
  setAside(): void {
    for (const path of [this.#path, this.#previous]) {
      if (fs.existsSync(path)) fs.renameSync(path, freeName(`${path}.left`));
    }
  }

  #removeUnfinished(): void {
    const folder = dirname(this.#path);
    const next = basename(this.#next);
    for (const name of fs.existsSync(folder) ? fs.readdirSync(folder) : []) {
      const isOurs = name === next || (name.startsWith(`${next}.`) && /\.\d+\.new$/.test(name));
      if (isOurs) fs.rmSync(join(folder, name), { force: true });
    }
  }

  get #next(): string {
    return `${this.#path}.next`;
  }

  get #previous(): string {
    return `${this.#path}.previous`;
  }
}

/** Beyond SET_ASIDE the last one is replaced. */
function freeName(path: string): string {
  let name = path;
  for (let i = 2; i <= SET_ASIDE && fs.existsSync(name); i++) name = `${path}.${i}`;
  return name;
}

function readIfThere(path: string): Uint8Array | undefined {
  return fs.existsSync(path) ? readPrivateFile(path, LIMIT) : undefined;
}

/** Undefined where a bit of it is not as it was written. */
function contentOf(file: Uint8Array): Uint8Array | undefined {
  if (file.length < HEADER_BYTES || !equal(file.subarray(0, MAGIC.length), MAGIC)) return undefined;
  const content = file.subarray(HEADER_BYTES);
  if (loadLe32(file, MAGIC.length) !== content.length) return undefined;
  const hash = file.subarray(HEADER_BYTES - HASH_BYTES, HEADER_BYTES);
  return equal(hash, blake2s(content)) ? content : undefined;
}

function syncFolder(path: string): void {
  const fd = fs.openSync(path, 'r');
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}
