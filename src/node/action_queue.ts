/**
 * What a node wants, in order, until the shell takes it. Keys that were taken are kept in sight, to
 * be wiped when the shell has carried them out.
 */

import { wipe } from '../base/bytes.js';
import type { TableWrite } from '../datapath/tables.js';
import type { NodeAction } from './action.js';

export class ActionQueue {
  readonly #actions: NodeAction[] = [];
  readonly #handedOver: Uint8Array[] = [];

  push(action: NodeAction): void {
    this.#actions.push(action);
  }

  write(write: TableWrite): void {
    this.#actions.push({ kind: 'write', write });
  }

  /** Keys in `installKeypair` writes are valid until `wipeHandedOver`. */
  drain(out: NodeAction[]): void {
    for (const action of this.#actions) {
      out.push(action);
      if (action.kind !== 'write' || action.write.kind !== 'installKeypair') continue;
      this.#handedOver.push(action.write.keypair.sendKey, action.write.keypair.receiveKey);
    }
    this.#actions.length = 0;
  }

  wipeHandedOver(): void {
    for (const key of this.#handedOver) wipe(key);
    this.#handedOver.length = 0;
  }
}
