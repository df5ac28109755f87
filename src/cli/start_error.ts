/** Why a start failed, in words for the operator, and the exit code that says it to a program. */

import { EXIT, type ExitCode } from './exit.js';
import { FileError } from '../io/files.js';
import { HandError } from '../io/hand.js';
import { NetlinkError } from '../io/netlink.js';
import { ConfigError } from '../daemon/config_fault.js';
import { HostError } from '../daemon/host_check.js';
import { LockHeldError } from '../daemon/lock_file.js';
import { MeshError } from '../daemon/mesh_options.js';

export interface StartFailure {
  readonly exitCode: ExitCode;
  readonly message: string;
}

/** Undefined when the error is none of those that a start may end with: then it is a defect. */
export function explainStartError(error: unknown): StartFailure | undefined {
  if (error instanceof LockHeldError) {
    const advice = 'stop it with `heddle down`, or set HEDDLE_RUN_DIR and HEDDLE_STATE_DIR';
    return { exitCode: EXIT.failed, message: `${error.message}; ${advice}` };
  }
  if (error instanceof ConfigError) {
    return { exitCode: exitCodeOf(error.cause), message: error.message };
  }
  if (error instanceof HostError) {
    const exitCode = error.code === 'NOT_PERMITTED' ? EXIT.notPermitted : EXIT.failed;
    return { exitCode, message: error.message };
  }
  if (error instanceof MeshError) return { exitCode: EXIT.failed, message: error.message };
  if (error instanceof HandError || error instanceof NetlinkError || error instanceof FileError) {
    return { exitCode: exitCodeOf(error), message: error.message };
  }
  return undefined;
}

function exitCodeOf(error: unknown): ExitCode {
  if (!(error instanceof Error) || !('code' in error)) return EXIT.failed;
  return error.code === 'EPERM' || error.code === 'EACCES' ? EXIT.notPermitted : EXIT.failed;
}
