/**
 * What a simulated host takes each other one for, by index: followed from what its node logs, so
 * that a mesh of thousands can be looked at as often as one likes. A byte a host.
 */

import type { Log, LogFields } from '../../src/base/log.js';
import { SILENT } from '../../src/base/log.js';

export const VIEWS = ['unknown', 'alive', 'suspect', 'failed', 'left'] as const;
export type View = (typeof VIEWS)[number];

const ALIVE = 1;
const FIRST_CAPACITY = 16;

export class Views {
  #codes = new Uint8Array(FIRST_CAPACITY);

  of(index: number): View {
    return VIEWS[this.#codes[index] ?? 0] ?? 'unknown';
  }

  isAlive(index: number): boolean {
    return this.#codes[index] === ALIVE;
  }

  set(index: number, view: View): void {
    while (index >= this.#codes.length) {
      const grown = new Uint8Array(2 * this.#codes.length);
      grown.set(this.#codes);
      this.#codes = grown;
    }
    this.#codes[index] = VIEWS.indexOf(view);
  }
}

/** The index in a host's name; undefined: it is no host's. */
export function indexOfName(name: string): number | undefined {
  const index = name.startsWith('n') ? Number(name.slice(1)) : Number.NaN;
  return Number.isInteger(index) && index >= 0 ? index : undefined;
}

/** A log that says only whose standing changed. */
export function standingLog(changed: (index: number, view: View) => void): Log {
  const info = (message: string, fields: LogFields = {}): void => {
    if (message !== 'Member changed') return;
    const index = indexOfName(`${fields.member}`);
    const view = VIEWS.find((each) => each === fields.status);
    if (index !== undefined && view) changed(index, view);
  };
  return { ...SILENT, info };
}
