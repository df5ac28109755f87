/**
 * Files and folders: bounded reads, writes that are whole or absent, and errors that a person can
 * act on.
 */

import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { wipe } from '../base/bytes.js';

export class FileError extends Error {
  override readonly name = 'FileError';
  /** The errno by name, or TOO_BIG, NOT_A_FILE, NOT_A_FOLDER, LOOSE_MODE. */
  readonly code: string;

  constructor(code: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

export interface ReadFile {
  readonly bytes: Uint8Array;
  /** The permission bits, such as 0o600. */
  readonly mode: number;
}

/**
 * A regular file of at most `limit` bytes. The size is judged before a byte is read, and a device
 * or pipe is refused rather than waited for.
 */
export function readFile(path: string, limit: number): ReadFile {
  const flags = fs.constants.O_RDONLY | fs.constants.O_NONBLOCK;
  const fd = attempt('read', path, () => fs.openSync(path, flags));
  try {
    const stat = fs.fstatSync(fd);
    if (!stat.isFile()) {
      throw new FileError('NOT_A_FILE', `Cannot read "${path}": it is not a regular file`);
    }
    if (stat.size > limit) throw tooBig(path, stat.size, limit);
    // One byte more than allowed: a file may grow while it is read, and one of /proc has no size.
    const room = new Uint8Array(limit + 1);
    const length = readWhole(fd, room, path);
    const bytes = room.slice(0, length);
    // There may be a secret in it, which the caller cannot wipe here.
    wipe(room.subarray(0, length));
    if (length > limit) throw tooBig(path, length, limit);
    return { bytes, mode: stat.mode & 0o777 };
  } finally {
    fs.closeSync(fd);
  }
}

/** A file that others may not see: its mode must have no bit for group and world. */
export function readPrivateFile(path: string, limit: number): Uint8Array {
  const { bytes, mode } = readFile(path, limit);
  if ((mode & 0o077) === 0) return bytes;
  const found = `its mode is ${formatMode(mode)}, so others may read the secret in it`;
  throw new FileError('LOOSE_MODE', `Refused "${path}": ${found}; run: chmod 600 ${quote(path)}`);
}

/**
 * Makes the folder and those above it, the folder itself with `mode`; where it is already there,
 * takes away the bits that `mode` does not have.
 */
export function ensureFolder(path: string, mode: number): void {
  attempt('create', path, () => {
    fs.mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    if (fs.existsSync(path)) return;
    fs.mkdirSync(path, { mode });
    // The umask may have taken away more than others' rights.
    fs.chmodSync(path, mode);
  });
  const stat = fs.statSync(path);
  if (!stat.isDirectory()) throw new FileError('NOT_A_FOLDER', `"${path}" is not a folder`);
  const found = stat.mode & 0o777;
  if ((found & ~mode) !== 0) attempt('change the mode of', path, () => fs.chmodSync(path, mode));
}

/**
 * Creates the file with these bytes and mode 0600, whole and on the disk before it has its name.
 * False, and nothing is touched, when the name is taken.
 */
export function createPrivateFile(path: string, bytes: Uint8Array): boolean {
  const temporary = `${path}.${process.pid}.new`;
  attempt('write', path, () => writeSynced(temporary, bytes));
  try {
    fs.linkSync(temporary, path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw fileError('write', path, error);
  } finally {
    fs.rmSync(temporary, { force: true });
  }
}

/**
 * Gives the file these bytes and mode 0600, whole and on the disk before they take the place of
 * what is there.
 */
export function replacePrivateFile(path: string, bytes: Uint8Array): void {
  const temporary = `${path}.${process.pid}.new`;
  attempt('write', path, () => {
    writeSynced(temporary, bytes);
    try {
      fs.renameSync(temporary, path);
    } catch (error) {
      fs.rmSync(temporary, { force: true });
      throw error;
    }
  });
}

/** The errno's name of a failed call, or '' when it is another kind of error. */
export function errnoOf(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

/**
 * Whether the system refused something, now: a full disk, no descriptor left, a setting refused. It
 * may be otherwise later, so it ends no daemon. All errors of io/ carry the errno's name.
 */
export function isSystemRefusal(error: unknown): error is Error {
  return /^E[A-Z0-9]+$/.test(errnoOf(error));
}

/** What an errno means, in words for an operator. */
export function describeErrno(code: string): string {
  return ERRNO_TEXT[code] ?? code;
}

/** `path` as a shell takes it. */
export function quote(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

const ERRNO_TEXT: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is not a folder',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the file system is read-only',
  ELOOP: 'too many symbolic links',
  EIO: 'the disk reports an error',
  ENXIO: 'nothing is at its other end',
};

function formatMode(mode: number): string {
  return `0${mode.toString(8).padStart(3, '0')}`;
}

function readWhole(fd: number, bytes: Uint8Array, path: string): number {
  let length = 0;
  while (length < bytes.length) {
    const count = attempt('read', path, () =>
      fs.readSync(fd, bytes, length, bytes.length - length, null),
    );
    if (count === 0) break;
    length += count;
  }
  return length;
}

function writeSynced(path: string, bytes: Uint8Array): void {
  // A process that was killed may have left one, and have had the number that is ours now.
  fs.rmSync(path, { force: true });
  const fd = fs.openSync(path, 'wx', 0o600);
  try {
    let at = 0;
    while (at < bytes.length) at += fs.writeSync(fd, bytes, at);
    fs.fsyncSync(fd);
  } catch (error) {
    fs.rmSync(path, { force: true });
    throw error;
  } finally {
    fs.closeSync(fd);
  }
}

function tooBig(path: string, size: number, limit: number): FileError {
  const found = `it has ${size} bytes and at most ${limit} are read`;
  return new FileError('TOO_BIG', `Cannot read "${path}": ${found}`);
}

function attempt<T>(action: string, path: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw fileError(action, path, error);
  }
}

function fileError(action: string, path: string, cause: unknown): FileError {
  const code = errnoOf(cause);
  return new FileError(code, `Cannot ${action} "${path}": ${describeErrno(code)}`, cause);
}
