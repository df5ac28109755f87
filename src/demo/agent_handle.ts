/** The demo's end of an agent: starts it in its namespace, asks, and lets it go. */

import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { AgentReply, AgentRequest, Numbered, Ping } from './agent.js';
import { DemoError } from './command.js';
import type { DemoFolders } from './configuration.js';
import type { DemoHost } from './topology.js';
import type { BulkResult } from './traffic.js';

const AGENT = fileURLToPath(new URL('./agent.js', import.meta.url));

export class AgentHandle {
  host: DemoHost;
  readonly folders: DemoFolders;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (reply: AgentReply) => void>();
  readonly #gone: Promise<void>;
  #lastNumber = 0;

  constructor(host: DemoHost, folders: DemoFolders) {
    this.host = host;
    this.folders = folders;
    const command = ['netns', 'exec', host.namespace, process.execPath, AGENT];
    const { state, run, wireguard } = folders;
    this.#child = spawn('ip', command, {
      detached: true,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: {
        ...process.env,
        HEDDLE_STATE_DIR: state,
        HEDDLE_RUN_DIR: run,
        HEDDLE_WG_DIR: wireguard,
      },
    });
    this.#child.on('message', (message: Numbered<AgentReply>) => this.#receive(message));
    this.#child.on('error', () => this.#failAll());
    this.#gone = new Promise((done) => {
      this.#child.on('exit', () => {
        this.#failAll();
        done();
      });
    });
  }

  /** `meshName`: in a mesh, which `line` is to join. */
  async start(marker: string, meshName?: string, line?: string): Promise<void> {
    const { configFile } = this.folders;
    await this.#ask({ kind: 'start', configFile, marker, meshName, line });
  }

  async ping(
    addresses: readonly string[],
    count: number,
    marker: string,
  ): Promise<readonly Ping[]> {
    const reply = await this.#ask({ kind: 'ping', addresses, count, marker });
    return reply.kind === 'pings' ? reply.pings : [];
  }

  async pull(address: string, seconds: number): Promise<BulkResult> {
    const reply = await this.#ask({ kind: 'pull', address, seconds });
    return reply.kind === 'bulk' ? reply.bulk : { bytes: 0, seconds };
  }

  /** Resolves when the agent, and with it the daemon, has ended. Never throws. */
  async end(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      if (this.#child.connected) this.#child.disconnect();
      await this.#gone;
    }
  }

  #ask(request: AgentRequest): Promise<AgentReply> {
    const number = ++this.#lastNumber;
    const message: Numbered<AgentRequest> = { number, body: request };
    return new Promise((done, fail) => {
      this.#waiting.set(number, (reply) => {
        if (reply.kind === 'failed') fail(new DemoError(`${this.host.name}: ${reply.message}`));
        else done(reply);
      });
      this.#child.send(message, (error) => {
        if (error) this.#receive({ number, body: { kind: 'failed', message: error.message } });
      });
    });
  }

  #receive({ number, body }: Numbered<AgentReply>): void {
    this.#waiting.get(number)?.(body);
    this.#waiting.delete(number);
  }

  #failAll(): void {
    for (const number of [...this.#waiting.keys()]) {
      this.#receive({ number, body: { kind: 'failed', message: 'its agent ended' } });
    }
  }
}
