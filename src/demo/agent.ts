/**
 * The demo's hand in one host: a process in that host's namespace which keeps the daemon and makes
 * the traffic. When the demo is gone, however it went, the channel to it closes, and the agent
 * stops the daemon and ends.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { DemoError, runCommand } from './command.js';
import { PYTHON } from './host_check.js';
import { type BulkResult, pullBulk, serveBulk } from './traffic.js';

const HEDDLE = fileURLToPath(new URL('../../../src/cli/heddle', import.meta.url));
const PING = fileURLToPath(new URL('../../../src/demo/ping.py', import.meta.url));
/** What `heddle up` says when traffic can flow. */
const READY = /\bready\b/;
const READY_LIMIT_MS = 15_000;
const STOP_LIMIT_MS = 5_000;
/** Of what the daemon says, this much is kept for the case that it fails. */
const KEPT_LOG = 4_096;

export type AgentRequest =
  /** Starts the daemon and waits until it is ready. */
  | {
      readonly kind: 'start';
      readonly configFile: string;
      readonly marker: string;
      /** What the host is called in its mesh; undefined: there is none. */
      readonly meshName: string | undefined;
      /** What is pasted into the daemon's prompt; undefined: nothing. */
      readonly line: string | undefined;
    }
  | {
      readonly kind: 'ping';
      readonly addresses: readonly string[];
      readonly count: number;
      readonly marker: string;
    }
  /** Takes bulk traffic from another host. */
  | { readonly kind: 'pull'; readonly address: string; readonly seconds: number }
  | { readonly kind: 'stop' };

export interface Ping {
  readonly address: string;
  readonly sent: number;
  /** Of the answered ones, in the order sent. */
  readonly roundTripsMs: readonly number[];
}

export type AgentReply =
  | { readonly kind: 'done' }
  | { readonly kind: 'pings'; readonly pings: readonly Ping[] }
  | { readonly kind: 'bulk'; readonly bulk: BulkResult }
  | { readonly kind: 'failed'; readonly message: string };

/** What crosses the channel: a request or its reply, under one number. */
export interface Numbered<Body> {
  readonly number: number;
  readonly body: Body;
}

type StartRequest = Extract<AgentRequest, { kind: 'start' }>;

class Agent {
  #daemon: ChildProcess | undefined;
  #log = '';

  async carryOut(request: AgentRequest): Promise<AgentReply> {
    switch (request.kind) {
      case 'start':
        await serveBulk(request.marker);
        await this.#start(request);
        return { kind: 'done' };
      case 'ping':
        return { kind: 'pings', pings: await ping(request) };
      case 'pull':
        return { kind: 'bulk', bulk: await pullBulk(request.address, request.seconds) };
      case 'stop':
        await this.stop();
        return { kind: 'done' };
    }
  }

  /** Asks the daemon to end, then makes it. */
  stop(): Promise<void> {
    const daemon = this.#daemon;
    this.#daemon = undefined;
    if (daemon === undefined || hasEnded(daemon)) return Promise.resolve();
    const limit = setTimeout(() => daemon.kill('SIGKILL'), STOP_LIMIT_MS);
    daemon.kill('SIGTERM');
    return new Promise((done) => {
      daemon.once('exit', () => {
        clearTimeout(limit);
        done();
      });
    });
  }

  #start({ configFile, meshName, line }: StartRequest): Promise<void> {
    const name = meshName === undefined ? [] : ['--name', meshName];
    const join = line === undefined ? [] : ['--join'];
    const words = ['up', '-c', configFile, ...name, ...join];
    const daemon = spawn(HEDDLE, words, { stdio: ['pipe', 'ignore', 'pipe'] });
    this.#daemon = daemon;
    daemon.stdin?.on('error', () => {});
    daemon.stdin?.end(line === undefined ? '' : `${line}\n`);
    return new Promise((done, fail) => {
      const failAs = (why: string): void => {
        clearTimeout(limit);
        fail(new DemoError(`The daemon did not start: ${why}\n${this.#log.trim()}`));
      };
      const limit = setTimeout(() => failAs('not ready in time'), READY_LIMIT_MS);
      daemon.on('error', (error) => failAs(error.message));
      daemon.on('exit', (code, signal) => failAs(signal ?? `exit code ${code}`));
      daemon.stderr?.on('data', (chunk: Buffer) => {
        this.#log = (this.#log + chunk.toString('utf8')).slice(-KEPT_LOG);
        if (!READY.test(this.#log)) return;
        clearTimeout(limit);
        done();
      });
    });
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function ping(request: AgentRequest & { kind: 'ping' }): Promise<readonly Ping[]> {
  const { marker, count, addresses } = request;
  const { output } = await runCommand(PYTHON, [PING, marker, String(count), ...addresses]);
  const pings: readonly Ping[] = JSON.parse(output);
  return pings;
}

async function reply(agent: Agent, { number, body }: Numbered<AgentRequest>): Promise<void> {
  let answer: AgentReply;
  try {
    answer = await agent.carryOut(body);
  } catch (error) {
    answer = { kind: 'failed', message: error instanceof Error ? error.message : String(error) };
  }
  const message: Numbered<AgentReply> = { number, body: answer };
  if (process.connected) process.send?.(message);
}

function main(): void {
  const agent = new Agent();
  process.on('message', (message: Numbered<AgentRequest>) => void reply(agent, message));
  process.on('disconnect', () => void agent.stop().then(() => process.exit(0)));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
