/**
 * Hosts for tests: network namespaces with names of this process, joined by veth pairs. Everything
 * made here goes again when the lab is removed, and when the process ends first.
 */

import {
  type ChildProcess,
  type ExecFileException,
  execFile,
  execFileSync,
  spawn,
  spawnSync,
} from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { skip } from './skip.js';

const COMMAND_LIMIT_MS = 20_000;
const FOLDERS = ['/usr/sbin', '/usr/bin', '/sbin', '/bin', '/usr/local/bin', '/usr/local/sbin'];

/**
 * Skips the test where namespaces may not be made, there is no TUN device, or a tool is missing:
 * `packages` names the Debian package of each.
 */
export function requireTools(packages: Readonly<Record<string, string>>): void {
  if (!existsSync('/dev/net/tun')) skip('there is no /dev/net/tun');
  if (spawnSync('unshare', ['--net', 'true']).status !== 0) {
    skip('needs root, to make network namespaces');
  }
  for (const [tool, debian] of Object.entries(packages)) {
    if (!FOLDERS.some((folder) => existsSync(join(folder, tool)))) {
      skip(`needs ${tool}: apt-get install ${debian}`);
    }
  }
}

export interface Finished {
  /** -1 for a command that a signal ended, or that is not there. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly limitMs?: number;
}

/** One namespace. */
export class LabHost {
  readonly name: string;
  readonly #children: ChildProcess[] = [];

  constructor(name: string) {
    this.name = name;
  }

  /** Runs a command to its end, whatever its exit code; rejects when it takes too long. */
  run(command: readonly string[], options: RunOptions = {}): Promise<Finished> {
    const [limitMs, env] = [
      options.limitMs ?? COMMAND_LIMIT_MS,
      { ...process.env, ...options.env },
    ];
    const args = ['netns', 'exec', this.name, ...command];
    return new Promise((resolve, reject) => {
      execFile(
        'ip',
        args,
        { timeout: limitMs, env, maxBuffer: 64 << 20 },
        (error, stdout, stderr) => {
          if (error?.killed)
            reject(new Error(`Ran longer than ${limitMs} ms: ${command.join(' ')}`));
          else resolve({ code: exitCodeOf(error), stdout, stderr });
        },
      );
    });
  }

  /** Runs a command that must succeed; its standard output. */
  async must(command: readonly string[], options: RunOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(command, options);
    if (code !== 0)
      throw new Error(`"${command.join(' ')}" exited with ${code}: ${stderr}${stdout}`);
    return stdout;
  }

  /** Starts a command that goes on until the lab is removed or the caller ends it. */
  start(command: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', this.name, ...command], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#children.push(child);
    return child;
  }

  /** Ends what was started here and removes the namespace, with all that is in it. */
  remove(): void {
    for (const child of this.#children) child.kill('SIGKILL');
    const inside = execFileSync('ip', ['netns', 'pids', this.name], { encoding: 'utf8' });
    for (const pid of inside.split('\n').filter((line) => line !== '')) {
      try {
        process.kill(Number(pid), 'SIGKILL');
      } catch {
        // It ended by itself between the two lines.
      }
    }
    execFileSync('ip', ['netns', 'del', this.name]);
  }
}

const labs = new Set<Lab>();
const ENDINGS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export class Lab {
  /** A folder for configuration and state, gone with the lab. */
  readonly folder = mkdtempSync(join(tmpdir(), 'heddle-lab-'));
  readonly #hosts: LabHost[] = [];
  readonly #cleanups: (() => void)[] = [];
  #links = 0;

  constructor() {
    if (labs.size === 0) watchEndings();
    labs.add(this);
  }

  host(label: string): LabHost {
    const name = `hd${process.pid}${label}`;
    execFileSync('ip', ['netns', 'add', name]);
    const host = new LabHost(name);
    this.#hosts.push(host);
    ip(host, 'link', 'set', 'lo', 'up');
    return host;
  }

  /** A veth pair between two hosts, both ends called `name`; addresses with their prefix length. */
  link(
    name: string,
    ends: readonly [LabHost, readonly string[]][],
    options: { readonly mtu?: number } = {},
  ): void {
    const [near, far] = ends;
    if (!near || !far) throw new Error('a link has two ends');
    const temporary = [`hv${process.pid}a${this.#links}`, `hv${process.pid}b${this.#links++}`];
    const [a = '', b = ''] = temporary;
    execFileSync('ip', ['link', 'add', a, 'type', 'veth', 'peer', 'name', b]);
    for (const [[host, addresses], device] of [
      [near, a],
      [far, b],
    ] as const) {
      execFileSync('ip', ['link', 'set', device, 'netns', host.name, 'name', name]);
      if (options.mtu !== undefined) ip(host, 'link', 'set', name, 'mtu', String(options.mtu));
      // The kernel's own link-local address would come and go as it is checked, and blur what a
      // test compares.
      ip(host, 'link', 'set', name, 'addrgenmode', 'none', 'up');
      for (const address of addresses) {
        const quick = address.includes(':') ? ['nodad'] : [];
        ip(host, 'addr', 'add', address, 'dev', name, ...quick);
      }
    }
  }

  /** Something made outside the namespaces, to be removed after them. */
  onRemove(clean: () => void): void {
    this.#cleanups.push(clean);
  }

  remove(): void {
    if (!labs.delete(this)) return;
    for (const host of this.#hosts) host.remove();
    for (const clean of this.#cleanups) clean();
    rmSync(this.folder, { recursive: true, force: true });
    if (labs.size === 0) unwatchEndings();
  }
}

/** `ip` in the namespace of a host. Throws with what it said when it fails. */
export function ip(host: LabHost, ...args: readonly string[]): string {
  return execFileSync('ip', ['-n', host.name, ...args], { encoding: 'utf8', stdio: 'pipe' });
}

/** Whether an answer to a ping comes within a second. */
export async function reaches(from: LabHost, to: string, ...options: string[]): Promise<boolean> {
  return (await from.run(['ping', '-c', '1', '-W', '1', ...options, to])).code === 0;
}

/** `reaches`, which must be so. */
export async function pings(from: LabHost, to: string, ...options: string[]): Promise<void> {
  assert.ok(await reaches(from, to, ...options), `${from.name} reaches ${to} within a second`);
}

/** Resolves when `isTrue` does, asked every 20 ms; rejects after `limitMs`, naming `what`. */
export async function waitUntil(
  what: string,
  limitMs: number,
  isTrue: () => boolean | Promise<boolean>,
): Promise<void> {
  const end = Date.now() + limitMs;
  while (!(await isTrue())) {
    if (Date.now() > end) throw new Error(`Waited ${limitMs} ms in vain until ${what}`);
    await pause(20);
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function exitCodeOf(error: ExecFileException | null): number {
  if (error === null) return 0;
  return typeof error.code === 'number' ? error.code : -1;
}

/** While there are labs: other tests of this process have signals of their own to try. */
function watchEndings(): void {
  process.on('exit', removeLabs);
  for (const signal of ENDINGS) process.on(signal, removeLabsAndEnd);
}

function unwatchEndings(): void {
  process.off('exit', removeLabs);
  for (const signal of ENDINGS) process.off(signal, removeLabsAndEnd);
}

function removeLabs(): void {
  for (const lab of [...labs]) lab.remove();
}

function removeLabsAndEnd(): void {
  removeLabs();
  process.exit(1);
}
