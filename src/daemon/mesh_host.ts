/**
 * What a mesh wants of its host, done: files written, addresses and routes put on the interface,
 * questions answered, the operator told. The answers go back into the loop a turn later, for the
 * loop is busy with the wish itself.
 *
 * What the host refuses to put on the interface is tried again every RETRY_MS, the latest alone.
 *
 * Limits: COMMANDS that wait for their answer; a command without one is answered after ANSWER_MS.
 */

import type { Log } from '../base/log.js';
import { isSystemRefusal } from '../io/files.js';
import type { MeshAction } from '../mesh/action.js';
import type { MeshAnswer, MeshCommand } from '../mesh/command.js';
import type { MeshInput } from '../mesh/input.js';
import type { HostMeshAction } from '../node/mesh_port.js';
import type { MeshRouting } from '../node/config.js';
import type { MeshFiles } from './mesh_files.js';

const COMMANDS = 16;
const ANSWER_MS = 20_000;
const RETRY_MS = 5_000;

export interface MeshHostParts {
  readonly files: MeshFiles;
  readonly log: Log;
  /** Puts these on the interface, and routes to it. Rejects where the host refuses. */
  readonly route: (routing: MeshRouting) => Promise<void>;
  readonly feed: (input: MeshInput) => void;
  /** The network is forgotten: the daemon is to stop. */
  readonly onForgotten: (why: string) => void;
  /** Takes an error that is a defect. */
  readonly fail: (error: unknown) => void;
}

type Persist = Extract<MeshAction, { kind: 'persist' }>;

export class MeshHost {
  readonly #parts: MeshHostParts;
  readonly #waiting = new Map<number, (answer: MeshAnswer) => void>();
  readonly #writes: Persist[] = [];
  #isWriting = false;
  #nextRequest = 1;
  #isFailing = false;
  #isClosed = false;
  /** What the interface is to have, and does not have yet. */
  #routing: MeshRouting | undefined;
  #isRefused = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(parts: MeshHostParts) {
    this.#parts = parts;
  }

  carryOut(action: HostMeshAction): void {
    switch (action.kind) {
      case 'persist':
        return this.#persist(action);
      case 'addresses':
        return this.#route({ addresses: action.addresses, prefixes: action.prefixes });
      case 'answer':
        this.#waiting.get(action.request)?.(action.answer);
        this.#waiting.delete(action.request);
        return;
      case 'tell':
        return this.#parts.log[action.level](action.message, action.fields);
      default:
        this.#end();
        this.#parts.files.setAside();
        return this.#parts.onForgotten(action.why);
    }
  }

  /** Writes what waits to be written, and does nothing more. */
  close(): void {
    if (this.#isClosed) return;
    for (const write of this.#writes.splice(0)) this.#write(write);
    this.#end();
  }

  /** Never rejects. */
  command(command: MeshCommand): Promise<MeshAnswer> {
    if (this.#waiting.size >= COMMANDS) {
      const error = 'Too many commands wait for the mesh; try again';
      return Promise.resolve({ ok: false, error });
    }
    const request = this.#nextRequest++;
    return new Promise((done) => {
      const giveUp = setTimeout(() => {
        this.#waiting.delete(request);
        const error = 'The mesh did not answer in time; what was asked may still come to be';
        done({ ok: false, error });
      }, ANSWER_MS);
      this.#waiting.set(request, (answer) => {
        clearTimeout(giveUp);
        done(answer);
      });
      this.#parts.feed({ kind: 'command', request, command });
    });
  }

  /** One after the other, each in a turn of its own. */
  #persist(write: Persist): void {
    if (this.#isClosed) write.content.fill(0);
    else this.#writes.push(write);
    if (this.#isClosed || this.#isWriting) return;
    this.#isWriting = true;
    setImmediate(() => this.#writeNext());
  }

  #writeNext(): void {
    const write = this.#writes.shift();
    this.#isWriting = this.#writes.length > 0;
    if (this.#isWriting) setImmediate(() => this.#writeNext());
    if (!write || this.#isClosed) return;
    const isSafe = this.#write(write);
    this.#parts.feed({ kind: 'persisted', request: write.request, isSafe });
  }

  #write({ file, content }: Persist): boolean {
    try {
      this.#parts.files.write(file, content);
      if (this.#isFailing) this.#parts.log.info('the state folder takes the mesh again');
      this.#isFailing = false;
      return true;
    } catch (error) {
      if (!isSystemRefusal(error)) {
        this.#parts.fail(error);
        return false;
      }
      const advice = 'it is tried again; make room on the disk';
      if (!this.#isFailing)
        this.#parts.log.warn(`cannot keep the mesh, ${advice}`, { why: error.message });
      this.#isFailing = true;
      return false;
    } finally {
      content.fill(0);
    }
  }

  #route(routing: MeshRouting): void {
    this.#routing = routing;
    clearTimeout(this.#retry);
    void this.#parts.route(routing).then(
      () => this.#routed(routing),
      (error: unknown) => this.#refused(routing, error),
    );
  }

  #routed(routing: MeshRouting): void {
    if (this.#routing !== routing) return;
    this.#routing = undefined;
    if (this.#isRefused) this.#parts.log.info('the interface has what the mesh gave');
    this.#isRefused = false;
  }

  #refused(routing: MeshRouting, error: unknown): void {
    if (!isSystemRefusal(error)) return this.#parts.fail(error);
    if (this.#routing !== routing || this.#isClosed) return;
    const { log } = this.#parts;
    const what = 'cannot put what the mesh gave on the interface, it is tried again';
    if (!this.#isRefused) log.warn(what, { why: error.message });
    this.#isRefused = true;
    this.#retry = setTimeout(() => this.#route(routing), RETRY_MS);
  }

  #end(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    for (const { content } of this.#writes.splice(0)) content.fill(0);
  }
}
