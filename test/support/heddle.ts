/** Runs the built command as a program. */

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The compiled command beside the compiled test. */
export const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

export interface CommandResult {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/**
 * Resolves at its end. `folder` is its run and its state folder; nothing else of the environment
 * reaches it.
 */
export function heddle(
  folder: string,
  words: readonly string[],
  input = '',
): Promise<CommandResult> {
  const env = {
    PATH: process.env.PATH,
    HEDDLE_RUN_DIR: folder,
    HEDDLE_STATE_DIR: folder,
    HEDDLE_WG_DIR: folder,
  };
  const child = spawn(process.execPath, [MAIN, ...words], { env });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  return new Promise((done) => child.on('close', (code) => done({ code, out, err })));
}
