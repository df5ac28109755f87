/**
 * One connection to WireGuard's configuration socket: its bytes cut into requests, which are
 * answered one after the other. While one is answered, nothing more is read.
 *
 * States: reading; answering (the socket is paused); ending (the last answer is on its way, what
 * comes is thrown away); closed.
 */

import { constants } from 'node:os';
import type { Socket } from 'node:net';

const LINE_FEED = 0x0a;
const END_OF_REQUEST = '\n\n';

export interface UapiAnswers {
  /** The lines of the answer in pieces, without the errno. */
  get(): Iterable<string>;
  /**
   * Carries out a request, given its lines without the first and the last; the errno, positive, or
   * 0. Never rejects.
   */
  set(lines: string): Promise<number>;
}

/** Bytes that unfinished requests may still take, over all connections. */
export interface Budget {
  left: number;
}

export class UapiConnection {
  readonly #socket: Socket;
  readonly #answers: UapiAnswers;
  readonly #budget: Budget;
  readonly #idleMs: number;
  /** Of the request that is being read. */
  #chunks: Buffer[] = [];
  #length = 0;
  /** Came after the request that is being answered. */
  #rest: Buffer | undefined;
  #endsWithLineFeed = true;
  #state: 'reading' | 'answering' | 'ending' = 'reading';
  #isHalfClosed = false;

  constructor(socket: Socket, answers: UapiAnswers, budget: Budget, idleMs: number) {
    this.#socket = socket;
    this.#answers = answers;
    this.#budget = budget;
    this.#idleMs = idleMs;
    socket.setTimeout(idleMs, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#release());
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('end', () => {
      this.#isHalfClosed = true;
      if (this.#state === 'reading') socket.end();
    });
  }

  #receive(chunk: Buffer): void {
    if (this.#state === 'ending') return;
    if (this.#state === 'answering') {
      this.#rest = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk;
      return;
    }
    const end = this.#endOf(chunk);
    const length = end ?? chunk.length;
    this.#chunks.push(chunk.subarray(0, length));
    this.#length += length;
    this.#budget.left -= length;
    this.#endsWithLineFeed = chunk[length - 1] === LINE_FEED;
    if (this.#budget.left < 0) return this.#end(constants.errno.ENOMEM);
    if (end === undefined) return;
    const request = Buffer.concat(this.#chunks).toString('latin1');
    this.#release();
    this.#endsWithLineFeed = true;
    if (end < chunk.length) this.#rest = chunk.subarray(end);
    this.#state = 'answering';
    this.#socket.pause();
    void this.#answer(request);
  }

  /** Where in the chunk the request ends; undefined: not in this one. */
  #endOf(chunk: Buffer): number | undefined {
    if (this.#endsWithLineFeed && chunk[0] === LINE_FEED) return 1;
    const found = chunk.indexOf(END_OF_REQUEST);
    return found < 0 ? undefined : found + END_OF_REQUEST.length;
  }

  async #answer(request: string): Promise<void> {
    const lineEnd = request.indexOf('\n') + 1;
    const lines = request.slice(lineEnd, -1);
    switch (request.slice(0, lineEnd)) {
      case 'get=1\n':
        if (lines !== '') return this.#end(constants.errno.EINVAL);
        await this.#sendAll(this.#answers.get());
        return this.#finish(0);
      case 'set=1\n':
        // However long it takes, it is us who are waited for.
        this.#socket.setTimeout(0);
        return this.#finish(await this.#answers.set(lines));
      default:
        return this.#end(constants.errno.EINVAL);
    }
  }

  /** No piece is made before the one ahead of it is on its way. */
  async #sendAll(pieces: Iterable<string>): Promise<void> {
    for (const piece of pieces) {
      if (this.#socket.destroyed) return;
      if (!this.#socket.write(piece, 'latin1')) await this.#drained();
    }
  }

  #drained(): Promise<void> {
    return new Promise((done) => {
      const settle = (): void => {
        this.#socket.off('drain', settle);
        this.#socket.off('close', settle);
        done();
      };
      this.#socket.on('drain', settle);
      this.#socket.on('close', settle);
    });
  }

  /** The request is answered: on to the next, which may be here already. */
  #finish(errno: number): void {
    const socket = this.#socket;
    if (socket.destroyed) return;
    socket.setTimeout(this.#idleMs);
    socket.write(errnoLine(errno));
    this.#state = 'reading';
    const rest = this.#rest;
    this.#rest = undefined;
    if (rest) this.#receive(rest);
    if (this.#state !== 'reading') return;
    if (this.#isHalfClosed) socket.end();
    else socket.resume();
  }

  /** The last answer: what follows cannot be told apart from it. */
  #end(errno: number): void {
    this.#release();
    this.#state = 'ending';
    this.#socket.end(errnoLine(errno));
    this.#socket.resume();
  }

  #release(): void {
    this.#budget.left += this.#length;
    this.#length = 0;
    this.#chunks = [];
    this.#rest = undefined;
  }
}

function errnoLine(errno: number): string {
  return `errno=${errno === 0 ? 0 : -errno}\n\n`;
}
