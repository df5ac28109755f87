/**
 * `heddle cleanup`: removes what a daemon that was killed left in the host, and prints each thing.
 * A living daemon's things stay.
 */

import * as fs from 'node:fs';
import { join } from 'node:path';
import { SILENT } from '../../base/log.js';
import { type Folders, lockPath, socketPath, stateLockPath } from '../../daemon/folders.js';
import { hasNetAdmin } from '../../daemon/host_check.js';
import { removeLeftovers } from '../../daemon/leftovers.js';
import { LockFile, LockHeldError, lockOwner } from '../../daemon/lock_file.js';
import { FileError } from '../../io/files.js';
import { loadAddon } from '../../io/native.js';
import { Netlink } from '../../io/netlink.js';
import { removeDeadSocket } from '../../io/uapi_socket.js';
import { CommandError, EXIT, type ExitCode } from '../exit.js';
import { harmless } from '../table.js';

/** What a daemon that was killed while it wrote leaves beside a file. */
const UNFINISHED = /\.(\d+\.new|guard)$/;

export async function cleanup(folders: Folders): Promise<ExitCode> {
  if (!hasNetAdmin(fs.readFileSync('/proc/self/status', 'utf8'))) {
    const why = 'the capability CAP_NET_ADMIN is missing; run it as root';
    throw new CommandError(EXIT.notPermitted, `Cannot remove rules: ${why}`);
  }
  const removed = await removeAll(folders);
  for (const thing of removed) process.stdout.write(`removed ${harmless(thing)}\n`);
  if (removed.length === 0) process.stderr.write('heddle: nothing to clean\n');
  return EXIT.ok;
}

async function removeAll(folders: Folders): Promise<string[]> {
  const stale = [lockPath(folders), stateLockPath(folders)].filter(isStaleLock);
  const lock = takeLock(folders);
  try {
    const removed = await removeLeftovers(folders, openNetlink(), SILENT);
    if ((await removeDeadSocket(socketPath(folders))) === 'removed') {
      removed.push(`socket ${socketPath(folders)}`);
    }
    removed.push(...stale.map((path) => `lock ${path}`));
    for (const path of stale) if (isStaleLock(path)) fs.rmSync(path, { force: true });
    return [...removed, ...removeUnfinished(folders)];
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new CommandError(EXIT.failed, error.message);
  } finally {
    lock?.release();
  }
}

function openNetlink(): Netlink {
  try {
    return new Netlink(loadAddon());
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new CommandError(EXIT.failed, `Cannot look at rules: ${why}`);
  }
}

/** Undefined where there is no folder, and so no daemon that it would keep away. */
function takeLock(folders: Folders): LockFile | undefined {
  if (!fs.existsSync(folders.run)) return undefined;
  try {
    return new LockFile(lockPath(folders));
  } catch (error) {
    if (error instanceof LockHeldError) throw refusal(error.pid);
    if (!(error instanceof FileError)) throw error;
    const isDenied = error.code === 'EACCES' || error.code === 'EPERM';
    throw new CommandError(isDenied ? EXIT.notPermitted : EXIT.failed, error.message);
  }
}

function refusal(pid: number): CommandError {
  const advice = 'what it made is in use; stop it with `heddle down`, which leaves nothing';
  return new CommandError(EXIT.failed, `A heddle daemon runs, process ${pid}: ${advice}`);
}

function isStaleLock(path: string): boolean {
  return fs.existsSync(path) && lockOwner(path) === undefined;
}

function removeUnfinished(folders: Folders): string[] {
  return [...new Set([folders.run, folders.state])].flatMap((folder) => {
    const names = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
    const paths = names.filter((name) => UNFINISHED.test(name)).map((name) => join(folder, name));
    return paths.filter(isAbandoned).map((path) => {
      fs.rmSync(path, { force: true });
      return `file ${path}`;
    });
  });
}

/** Its writer is dead. */
function isAbandoned(path: string): boolean {
  const pid = /\.(\d+)\.new$/.exec(path)?.[1];
  return pid === undefined ? isStaleLock(path) : !fs.existsSync(`/proc/${pid}`);
}
