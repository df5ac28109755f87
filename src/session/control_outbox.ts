/**
 * Control messages that wait for a session: the mesh's, which are for this peer and nobody else.
 * They go out before any data does. Limit: WAITING of them; of more the oldest is dropped, for what
 * the mesh says later says more.
 */

import { CONTROL_WAITING } from './constants.js';

export class ControlOutbox {
  #waiting: Uint8Array[] = [];

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** True when another had to go for it. */
  add(message: Uint8Array): boolean {
    this.#waiting.push(message);
    if (this.#waiting.length <= CONTROL_WAITING) return false;
    this.#waiting.shift();
    return true;
  }

  /** All that waits, the oldest first; nothing waits afterwards. */
  take(): readonly Uint8Array[] {
    const taken = this.#waiting;
    if (taken.length > 0) this.#waiting = [];
    return taken;
  }
}
