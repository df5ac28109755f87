/** What goes out to members: control messages to their keys, and how much it was. */

import type { NodeId } from '../base/identifiers.js';
import { CONTROL_GOSSIP } from '../wire/control.js';
import { emitGossip } from '../wire/gossip.js';
import type { SignedRecord } from '../wire/record.js';
import type { MeshAction } from './action.js';
import type { Directory } from './directory.js';

export interface OutboxParts {
  readonly directory: Directory;
  readonly actions: MeshAction[];
}

export class Outbox {
  readonly #parts: OutboxParts;
  #messages = 0;
  #bytes = 0;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
  }

  /** Control messages, and the bytes of their bodies. */
  get sent(): { readonly messages: number; readonly bytes: number } {
    return { messages: this.#messages, bytes: this.#bytes };
  }

  /** To whom is no peer nothing is sent. */
  send(to: NodeId, kind: number, body: Uint8Array): void {
    const peer = this.#parts.directory.get(to)?.peer;
    if (!peer) return;
    this.#messages++;
    this.#bytes += body.length;
    const { publicKey } = peer;
    this.#parts.actions.push({ kind: 'sendControl', publicKey, message: { kind, body } });
  }

  /** Says this to a member, whatever becomes of it. */
  say(to: NodeId, { bytes }: SignedRecord): void {
    this.send(to, CONTROL_GOSSIP, emitGossip({ kind: 'spread', records: [bytes] }));
  }
}
