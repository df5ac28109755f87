/**
 * `heddle down`: asks the daemon to stop, and waits until its lock is free and so everything it
 * made is gone.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { hasLeftovers } from '../../daemon/leftovers.js';
import { lockOwner } from '../../daemon/lock_file.js';
import { requestStop } from '../client.js';
import { CommandError, EXIT, type ExitCode } from '../exit.js';
import { type Folders, lockPath } from '../../daemon/folders.js';
import { cleanup } from './cleanup.js';

const POLL_MS = 25;
const PATIENCE_MS = 20_000;

export async function down(folders: Folders): Promise<ExitCode> {
  const pid = lockOwner(lockPath(folders));
  if (pid === undefined && hasLeftovers(folders)) return cleanup(folders);
  if (pid === undefined) {
    const advice = 'nothing to stop; with HEDDLE_RUN_DIR set elsewhere, set it here too';
    throw new CommandError(EXIT.notRunning, `No heddle daemon runs in "${folders.run}": ${advice}`);
  }
  await askToStop(folders, pid);
  const started = performance.now();
  while (lockOwner(lockPath(folders)) === pid) {
    if (performance.now() - started > PATIENCE_MS) {
      const advice = 'try again, or end it with SIGKILL; the next `heddle up` tidies up after it';
      throw new CommandError(EXIT.tryLater, `The daemon, process ${pid}, still runs: ${advice}`);
    }
    await pause(POLL_MS);
  }
  process.stderr.write(`heddle: stopped process ${pid}\n`);
  return EXIT.ok;
}

/** By the socket; where nobody answers there, by a signal. */
async function askToStop(folders: Folders, pid: number): Promise<void> {
  try {
    await requestStop(folders);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    if (error.exitCode === EXIT.notPermitted || !signal(pid)) throw error;
  }
}

/** False when the process may not be signalled; one that just ended counts as told. */
function signal(pid: number): boolean {
  try {
    process.kill(pid, 'SIGTERM');
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}
