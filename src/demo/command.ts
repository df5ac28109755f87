/**
 * Other programs, run to their end or talked to. They lead sessions of their own: Ctrl-C is the
 * demo's to handle.
 */

import { spawn } from 'node:child_process';

/** Something the demo needs did not work; the message says what. */
export class DemoError extends Error {
  override readonly name = 'DemoError';
}

export interface CommandResult {
  /** Standard output. */
  readonly output: string;
}

/** Throws DemoError with what the command said when it fails. */
export function runCommand(
  command: string,
  args: readonly string[],
  input = '',
): Promise<CommandResult> {
  const child = spawn(command, args, { detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString('utf8');
  });
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString('utf8');
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  return new Promise((done, fail) => {
    const said = (why: string): DemoError =>
      new DemoError(`"${command} ${args.join(' ')}" failed: ${errors.trim() || why}`);
    child.on('error', (error) => fail(said(error.message)));
    child.on('close', (code, signal) => {
      if (code === 0) done({ output });
      else fail(said(signal === null ? `exit code ${code}` : signal));
    });
  });
}
