/** A network namespace of a test's own, gone with the process: `run` starts a command in it. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { skip } from './skip.js';

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  readonly milliseconds: number;
}

export class Namespace {
  readonly #keeper: ChildProcess;

  /** Skips the test where this process may not make one, or there is no TUN device. */
  constructor() {
    if (!fs.existsSync('/dev/net/tun')) skip('there is no /dev/net/tun');
    if (spawnSync('unshare', ['--net', 'true']).status !== 0) skip('namespaces need root');
    // It ends when its standard input does: with `close`, or with this process.
    this.#keeper = spawn('unshare', ['--net', 'cat'], { stdio: ['pipe', 'ignore', 'ignore'] });
    const own = fs.readlinkSync('/proc/self/ns/net');
    while (fs.readlinkSync(this.#path) === own) spawnSync('true');
  }

  run(command: string, words: readonly string[], env: NodeJS.ProcessEnv = {}): Ended {
    const started = performance.now();
    const ended = spawnSync('nsenter', [`--net=${this.#path}`, command, ...words], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, ...env },
    });
    const milliseconds = performance.now() - started;
    return { code: ended.status, out: ended.stdout, err: ended.stderr, milliseconds };
  }

  close(): void {
    this.#keeper.stdin?.end();
  }

  get #path(): string {
    return `/proc/${this.#keeper.pid}/ns/net`;
  }
}
