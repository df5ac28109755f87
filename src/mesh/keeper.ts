/**
 * What must be on disk, and when it is. One write of a file is under way at a time; what changes
 * meanwhile is written next, as one. What waits until something is safe is kept with the number of
 * the write that makes it so, and handed back when it is.
 *
 * A write that fails (a full disk) is repeated every RETRY; what waits for it waits on, and the
 * operator is told.
 *
 * Deadlines: repetitions; the members file, which is only a cache, MEMBERS_DELAY after a change, or
 * HURRY after one that nobody would tell us again: where two hosts are all there is, one that lost
 * the other's key can neither call it nor answer it.
 */

import { after, earliest, type Instant, millis, NEVER, seconds } from '../base/time.js';
import type { MeshAction, MeshFile } from './action.js';
import type { MeshAnswer } from './command.js';

/** To whoever asked for something that must be on disk first. */
export const NOT_KEPT: MeshAnswer = {
  ok: false,
  error: 'The state folder takes no more (is the disk full?); nothing is spread before it does',
};

const RETRY = seconds(5);
const MEMBERS_DELAY = seconds(2);
const HURRY = millis(100);

interface FileState<T> {
  /** A change is not in any write yet. */
  isDirty: boolean;
  /** When it may be written. */
  dueAt: Instant;
  /** The number of the write under way. */
  request: number | undefined;
  failing: boolean;
  /** What waits for the next write. */
  waiting: T[];
  /** What waits for the one under way. */
  writing: T[];
}

export class Keeper<T> {
  readonly #files: Readonly<Record<MeshFile, FileState<T>>> = {
    keys: emptyState(),
    own: emptyState(),
    members: emptyState(),
  };
  readonly #contents: Readonly<Record<MeshFile, (pending: readonly T[]) => Uint8Array>>;
  #nextRequest = 1;
  #actions: MeshAction[] = [];

  /** `contents`: what each file is to hold now, with what becomes possible by it. */
  constructor(contents: Readonly<Record<MeshFile, (pending: readonly T[]) => Uint8Array>>) {
    this.#contents = contents;
  }

  /** Files whose last write failed. */
  failing(): MeshFile[] {
    return names(this.#files).filter((file) => this.#files[file].failing);
  }

  /** `then` comes back from `persisted` when what there is now is safe. */
  keep(file: MeshFile, now: Instant, ...then: readonly T[]): void {
    const state = this.#files[file];
    state.waiting.push(...then);
    if (!state.isDirty) {
      state.dueAt = file === 'members' ? after(now, MEMBERS_DELAY) : now;
      state.isDirty = true;
    }
    this.advance(now);
  }

  /** What changed of the file is written soon. After a failure it is repeated no sooner. */
  hurry(file: MeshFile, now: Instant): void {
    const state = this.#files[file];
    if (state.isDirty && !state.failing) state.dueAt = earliest(state.dueAt, after(now, HURRY));
  }

  /** What waits for this file and is of this sort waits no more: the caller's to deal with. */
  giveUp(file: MeshFile, isOfSort: (item: T) => boolean): readonly T[] {
    const state = this.#files[file];
    const given = state.waiting.filter(isOfSort);
    state.waiting = state.waiting.filter((item) => !isOfSort(item));
    return given;
  }

  /** The answer to a `persist`; returns what is safe by it. */
  persisted(request: number, isSafe: boolean, now: Instant): readonly T[] {
    const file = names(this.#files).find((each) => this.#files[each].request === request);
    if (!file) return [];
    const state = this.#files[file];
    state.request = undefined;
    state.failing = !isSafe;
    const done = state.writing;
    state.writing = [];
    if (isSafe) {
      this.advance(now);
      return done;
    }
    state.waiting = [...done, ...state.waiting];
    state.isDirty = true;
    state.dueAt = after(now, RETRY);
    return [];
  }

  advance(now: Instant): void {
    for (const file of names(this.#files)) {
      const state = this.#files[file];
      if (!state.isDirty || state.request !== undefined || now < state.dueAt) continue;
      state.isDirty = false;
      state.request = this.#nextRequest++;
      state.writing = state.waiting;
      state.waiting = [];
      const content = this.#contents[file](state.writing);
      this.#actions.push({ kind: 'persist', request: state.request, file, content });
    }
  }

  deadline(): Instant {
    let next: Instant = NEVER;
    for (const file of names(this.#files)) {
      const { isDirty, request, dueAt } = this.#files[file];
      if (isDirty && request === undefined) next = earliest(next, dueAt);
    }
    return next;
  }

  drain(out: MeshAction[]): void {
    for (const action of this.#actions) out.push(action);
    this.#actions = [];
  }
}

function names(files: Readonly<Record<MeshFile, unknown>>): MeshFile[] {
  return Object.keys(files).filter((name): name is MeshFile => name in files);
}

function emptyState<T>(): FileState<T> {
  return {
    isDirty: false,
    dueAt: NEVER,
    request: undefined,
    failing: false,
    waiting: [],
    writing: [],
  };
}
