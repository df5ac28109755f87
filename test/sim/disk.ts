/**
 * A simulated disk: each write takes a while and may fail; one that is under way when the power
 * goes is there afterwards or is not, and never half (io/kept_file.ts sees to that).
 */

import type { SeededRandom } from '../../src/base/random.js';
import { after, type Instant, millis } from '../../src/base/time.js';
import type { MeshFile } from '../../src/mesh/action.js';

const SLOWEST_MS = 20;

export interface DiskWorld {
  readonly now: () => Instant;
  readonly later: (at: Instant, run: () => void) => void;
}

interface Write {
  readonly file: MeshFile;
  readonly content: Uint8Array;
}

export class Disk {
  readonly files = new Map<MeshFile, Uint8Array>();
  #isFull = false;
  #wasFull = false;
  readonly #world: DiskWorld;
  readonly #random: SeededRandom;
  readonly #underWay = new Set<Write>();

  constructor(world: DiskWorld, random: SeededRandom) {
    this.#world = world;
    this.#random = random;
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  set isFull(isFull: boolean) {
    this.#isFull = isFull;
    if (isFull) this.#wasFull = true;
  }

  /** At any time so far. */
  get wasFull(): boolean {
    return this.#wasFull;
  }

  /** `done` is told whether it is safe, unless the power goes before. */
  write(file: MeshFile, content: Uint8Array, done: (isSafe: boolean) => void): void {
    const { now, later } = this.#world;
    const write = { file, content };
    this.#underWay.add(write);
    later(after(now(), millis(1 + this.#random.below(SLOWEST_MS))), () => {
      if (!this.#underWay.delete(write)) return;
      const isSafe = !this.isFull;
      if (isSafe) this.files.set(file, content);
      done(isSafe);
    });
  }

  /** The power goes. */
  cut(): void {
    for (const { file, content } of this.#underWay) {
      if (!this.isFull && this.#random.below(2) === 0) this.files.set(file, content);
    }
    this.#underWay.clear();
  }
}
