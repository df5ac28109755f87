/**
 * One daemon a folder. The lock is a file that names its owner: pid, when that process started, and
 * of which boot; so it is right after a SIGKILL and a power cut too, when nobody removed it, and
 * after the pid went to another process.
 *
 * Taking it is a hard link of a file that is already complete: the kernel lets one of two win, and
 * nobody reads a half written lock. Replacing the lock of a dead owner happens under a second lock,
 * the guard, so that two that find it stale do not remove each other's. A guard whose owner died is
 * removed in turn.
 */

import * as fs from 'node:fs';
import { errnoOf, FileError } from '../io/files.js';

/** A guard is held for a few system calls; longer means that its owner is stopped. */
const GUARD_ATTEMPTS = 200;
const GUARD_PAUSE_MS = 10;
/** Each attempt but the last lost against somebody who took or gave back the lock meanwhile. */
const LOCK_ATTEMPTS = 16;

/** Somebody alive holds the lock. */
export class LockHeldError extends Error {
  override readonly name = 'LockHeldError';
  readonly code = 'HELD';
  readonly pid: number;

  constructor(path: string, pid: number) {
    super(`Another heddle daemon holds "${path}": process ${pid}`);
    this.pid = pid;
  }
}

export class LockFile {
  readonly #path: string;
  readonly #text: string;

  /**
   * Takes the lock. Throws LockHeldError when its owner lives, FileError when the folder cannot be
   * written.
   */
  constructor(path: string) {
    this.#path = path;
    this.#text = describeProcess(process.pid);
    const complete = `${path}.${process.pid}.new`;
    try {
      fs.writeFileSync(complete, this.#text, { mode: 0o644 });
      acquire(complete, path);
    } catch (error) {
      if (error instanceof LockHeldError || error instanceof FileError) throw error;
      const code = errnoOf(error);
      throw new FileError(code, `Cannot take the lock "${path}": ${code}`, error);
    } finally {
      fs.rmSync(complete, { force: true });
    }
  }

  /** Gives it back; a lock that is not ours any more stays. */
  release(): void {
    if (readText(this.#path) === this.#text) fs.rmSync(this.#path, { force: true });
  }
}

/** The pid of the living owner of the lock; undefined when nobody holds it. */
export function lockOwner(path: string): number | undefined {
  const text = readText(path);
  return text === undefined ? undefined : livingOwner(text);
}

function acquire(complete: string, path: string): void {
  for (let attempt = 1; attempt <= LOCK_ATTEMPTS; attempt++) {
    if (link(complete, path)) return;
    const text = readText(path);
    if (text === undefined) continue;
    const pid = livingOwner(text);
    if (pid !== undefined) throw new LockHeldError(path, pid);
    removeStale(complete, path, text);
  }
  throw new FileError('EAGAIN', `Cannot take the lock "${path}": others keep taking it`);
}

/** Removes the lock if it still is the stale one. */
function removeStale(complete: string, path: string, stale: string): void {
  const guard = `${path}.guard`;
  for (let attempt = 1; !link(complete, guard); attempt++) {
    const text = readText(guard);
    if (text === undefined) continue;
    const pid = livingOwner(text);
    if (pid === undefined) fs.rmSync(guard, { force: true });
    else if (attempt === GUARD_ATTEMPTS) throw new LockHeldError(guard, pid);
    else pause(GUARD_PAUSE_MS);
  }
  if (readText(path) === stale) fs.rmSync(path, { force: true });
  fs.rmSync(guard, { force: true });
}

/** False when the name is taken. */
function link(from: string, to: string): boolean {
  try {
    fs.linkSync(from, to);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Undefined when there is no such file. */
function readText(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function livingOwner(text: string): number | undefined {
  const pid = Number(/^(\d{1,10}) /.exec(text)?.[1] ?? Number.NaN);
  if (!Number.isInteger(pid) || pid === 0) return undefined;
  return describeProcess(pid) === text ? pid : undefined;
}

/**
 * `pid start boot`: a text that no other process has or will have; '' when there is no such
 * process.
 */
function describeProcess(pid: number): string {
  const stat = readText(`/proc/${pid}/stat`);
  if (stat === undefined) return '';
  // proc(5): the name in parentheses may hold anything, the state follows it, the start time is 19
  // fields later.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const isDead = fields[0] === 'Z' || fields[0] === 'X';
  if (isDead) return '';
  const boot = readText('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
  return `${pid} ${fields[19] ?? ''} ${boot}\n`;
}

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
