/** System calls of a running daemon that fail, by strace. */

import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Lab, waitUntil } from '../support/netns.js';

export interface Failing {
  readonly call: string;
  /** Only on descriptors of this file. */
  readonly on?: string;
  readonly error: string;
  /** Which calls of each thread: `40+40` is every fortieth; absent: all. */
  readonly when?: string;
}

/** Makes a system call of the process fail, each time, until it is ended. */
export class Fault {
  readonly #child: ChildProcess;
  readonly #file: string;
  #said = '';

  private constructor(pid: number, { call, on, error, when }: Failing, file: string) {
    this.#file = file;
    const some = when === undefined ? '' : `:when=${when}`;
    const inject = `inject=${call}:error=${error}${some}`;
    const only = on === undefined ? [] : ['-P', on];
    const trace = ['-f', '-e', `trace=${call}`, ...only, '-e', inject, '-p', String(pid)];
    this.#child = spawn('strace', ['-o', file, ...trace], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child.stderr?.on('data', (text) => {
      this.#said += text;
    });
  }

  /** Resolves when every thread is held. */
  static async begin(lab: Lab, pid: number, failing: Failing): Promise<Fault> {
    const fault = new Fault(pid, failing, join(lab.folder, 'strace'));
    await waitUntil(`strace holds process ${pid}`, 5_000, () => fault.#said.includes('attached'));
    return fault;
  }

  /** How many calls it made fail. */
  async end(): Promise<number> {
    const ended = new Promise((done) => this.#child.once('exit', done));
    this.#child.kill('SIGINT');
    await ended;
    return readFileSync(this.#file, 'utf8').split('(INJECTED)').length - 1;
  }
}
