/**
 * The keypairs of one peer and their succession (WireGuard §5.4.5, kernel noise.c). Only their
 * identities live here: the keys themselves belong to the walk from the moment they are installed.
 *
 * current   sends and receives.
 * previous  still receives what was under way when current took over.
 * next      made by us as responder: receives only, until its first message proves that the
 *           initiator has it too.
 *
 * Moves: the initiator's new keypair becomes current at once, the old current previous (or, where a
 * next was waiting, that one becomes previous and the old current goes). The responder's new
 * keypair becomes next, and the old next and previous go. A confirmed next becomes current, the old
 * current previous. So at most three are alive; each move returns those that died by it, for the
 * walk to wipe.
 */

import type { SessionIndex } from '../base/identifiers.js';
import type { Instant } from '../base/time.js';

export interface Keypair {
  readonly localIndex: SessionIndex;
  readonly remoteIndex: SessionIndex;
  readonly createdAt: Instant;
  readonly isInitiator: boolean;
}

export class Keypairs {
  #previous: Keypair | undefined;
  #current: Keypair | undefined;
  #next: Keypair | undefined;

  get previous(): Keypair | undefined {
    return this.#previous;
  }

  get current(): Keypair | undefined {
    return this.#current;
  }

  get next(): Keypair | undefined {
    return this.#next;
  }

  /** Takes in a new keypair as the role of its maker says; returns the keypairs that died. */
  add(keypair: Keypair): Keypair[] {
    return keypair.isInitiator ? this.#addInitiated(keypair) : this.#addResponded(keypair);
  }

  /**
   * The first message under `localIndex` arrived. Undefined where it is not next: nothing changes
   * then.
   */
  confirm(localIndex: SessionIndex): Keypair[] | undefined {
    const next = this.#next;
    if (next?.localIndex !== localIndex) return undefined;
    const dead = alive(this.#previous);
    this.#previous = this.#current;
    this.#current = next;
    this.#next = undefined;
    return dead;
  }

  /** Forgets all; returns them. */
  clear(): Keypair[] {
    const dead = alive(this.#next, this.#previous, this.#current);
    this.#previous = undefined;
    this.#current = undefined;
    this.#next = undefined;
    return dead;
  }

  #addInitiated(keypair: Keypair): Keypair[] {
    const dead = this.#next ? alive(this.#previous, this.#current) : alive(this.#previous);
    this.#previous = this.#next ?? this.#current;
    this.#next = undefined;
    this.#current = keypair;
    return dead;
  }

  #addResponded(keypair: Keypair): Keypair[] {
    const dead = alive(this.#next, this.#previous);
    this.#previous = undefined;
    this.#next = keypair;
    return dead;
  }
}

function alive(...keypairs: readonly (Keypair | undefined)[]): Keypair[] {
  return keypairs.filter((keypair) => keypair !== undefined);
}
