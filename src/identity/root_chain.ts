/**
 * The root keys of a network, each of which named the next. The first is the one whose id the
 * network's is: of the founding, or of the join line.
 *
 * A root key hands over once. What it signed until then stays in force; what it signs later counts
 * no more, so that an old key in wrong hands makes no second successor and no new admin.
 */

import type { NodeId } from '../base/identifiers.js';
import { nodeIdOf } from './node_id.js';
import type { RootChange } from './root_change.js';

interface Root {
  readonly id: NodeId;
  readonly key: Uint8Array;
  readonly epoch: number;
  /** The version of the record by which the next one followed. */
  handedOverAt: number;
}

export class RootChain {
  readonly #roots: Root[];

  /** Ed25519, 32 bytes. */
  constructor(rootKey: Uint8Array) {
    this.#roots = [rootOf(rootKey, 0)];
  }

  /** Ed25519, 32 bytes. */
  get first(): Uint8Array {
    return this.#roots[0]?.key ?? this.current;
  }

  /** Of the root key in force. */
  get current(): Uint8Array {
    return this.#last().key;
  }

  /** What the change to the root key in force said; 0: it is the first. */
  get epoch(): number {
    return this.#last().epoch;
  }

  /** Undefined: it is no root key, or none that is known yet. */
  keyOf(id: NodeId): Uint8Array | undefined {
    return this.#find(id)?.key;
  }

  has(id: NodeId): boolean {
    return this.#find(id) !== undefined;
  }

  /** Which of the chain it is; -1: none. A later one may revoke an earlier one. */
  rankOf(id: NodeId): number {
    return this.#roots.findIndex((root) => root.id === id);
  }

  /** Whether this root key spoke before it handed over. */
  speaks(id: NodeId, version: number): boolean {
    const root = this.#find(id);
    return root !== undefined && version <= root.handedOverAt;
  }

  /**
   * Whether `author` may name this successor: a new one, or the one that it named. Epochs are for
   * people: a node that began with a later root key knows nothing of those before it.
   */
  mayName(author: NodeId, { rootKey }: RootChange): boolean {
    const rank = this.rankOf(author);
    if (rank < 0) return false;
    const next = this.#roots[rank + 1];
    const id = nodeIdOf(rootKey);
    return next ? next.id === id : !this.has(id);
  }

  /** A change that may be came into force; returns whether the root key is another now. */
  adopt(author: NodeId, change: RootChange, version: number): boolean {
    const root = this.#last();
    if (root.id !== author || !this.mayName(author, change)) return false;
    root.handedOverAt = version;
    this.#roots.push(rootOf(change.rootKey, change.epoch));
    return true;
  }

  #find(id: NodeId): Root | undefined {
    return this.#roots.find((root) => root.id === id);
  }

  #last(): Root {
    const last = this.#roots[this.#roots.length - 1];
    if (!last) throw new Error('A chain of root keys has a first one');
    return last;
  }
}

function rootOf(key: Uint8Array, epoch: number): Root {
  return { id: nodeIdOf(key), key, epoch, handedOverAt: Number.MAX_SAFE_INTEGER };
}
