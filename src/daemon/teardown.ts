/**
 * What was made, so that it can be unmade in reverse: at the end, and when the start fails half
 * way.
 */

import type { Log } from '../base/log.js';

interface Step {
  readonly name: string;
  readonly undo: () => void | Promise<void>;
}

export class Teardown {
  readonly #steps: Step[] = [];
  readonly #log: () => Log;
  #failures = 0;

  constructor(log: () => Log) {
    this.#log = log;
  }

  /** Notes how to unmake what was just made. */
  add(name: string, undo: () => void | Promise<void>): void {
    this.#steps.push({ name, undo });
  }

  /**
   * Unmakes all, the last first; one that fails is logged and does not stop the others. True when
   * all went well.
   */
  async run(): Promise<boolean> {
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      try {
        await step.undo();
      } catch (error) {
        this.#failures++;
        const why = error instanceof Error ? error.message : String(error);
        this.#log().error('could not undo a part of the start', { part: step.name, why });
      }
    }
    return this.#failures === 0;
  }
}
