/**
 * The sessions of one peer and their succession (WireGuard §5.4.5, kernel noise.c), each by its
 * base keypair. Only their identities live here: the keys themselves belong to the walk from the
 * moment they are installed.
 *
 * current   sends and receives.
 * previous  still receives what was under way when current took over.
 * next      made by us as responder: receives only, until its first message proves that the
 *           initiator has it too.
 * waiting   made by us as initiator while current sends by lanes: receives only, until the hellos
 *           in it are exchanged (heddle's own protocol; a stock peer has none).
 *
 * Moves: the initiator's new keypair becomes current at once, the old current previous; or it
 * waits, and the old waiting one goes. The responder's new keypair becomes next, and the old next
 * goes. A next or waiting one that takes over becomes current, the old current previous. Of two
 * sessions that crossed the loser retires to previous unused, once the peer has shown that it has
 * left the previous one: the kernel drops that one at once, and with it what is under way. What was
 * previous goes where another becomes it, and where there would be four. So at most three are
 * alive; each move returns those that died by it, for the walk to wipe.
 */

import type { SessionIndex } from '../base/identifiers.js';
import { type Instant, micros } from '../base/time.js';
import { CROSSING_TIME } from './constants.js';
import type { HelloExchange } from './hello_exchange.js';

/** How a keypair is known, here and in the walk. */
export interface KeypairName {
  readonly localIndex: SessionIndex;
  readonly remoteIndex: SessionIndex;
  readonly createdAt: Instant;
  readonly isInitiator: boolean;
}

/** A session: its base keypair, and its hellos with a peer of heddle's own protocol. */
export interface Keypair extends KeypairName {
  readonly exchange: HelloExchange | undefined;
}

export class Keypairs {
  #previous: Keypair | undefined;
  #current: Keypair | undefined;
  #next: Keypair | undefined;
  #waiting: Keypair | undefined;

  get previous(): Keypair | undefined {
    return this.#previous;
  }

  get current(): Keypair | undefined {
    return this.#current;
  }

  get next(): Keypair | undefined {
    return this.#next;
  }

  get waiting(): Keypair | undefined {
    return this.#waiting;
  }

  /** Those that live. */
  all(): Keypair[] {
    return alive(this.#waiting, this.#next, this.#previous, this.#current);
  }

  /** The one whose base keypair this is. */
  find(localIndex: SessionIndex): Keypair | undefined {
    return this.all().find((keypair) => keypair.localIndex === localIndex);
  }

  /** Takes in a new keypair as the role of its maker says; returns the keypairs that died. */
  add(keypair: Keypair): Keypair[] {
    return keypair.isInitiator ? this.#addInitiated(keypair) : this.#addResponded(keypair);
  }

  /** Takes in a new keypair of our making that is not used yet; returns those that died. */
  addWaiting(keypair: Keypair): Keypair[] {
    const dead = alive(this.#waiting, this.#next && this.#previous);
    if (this.#next) this.#previous = undefined;
    this.#waiting = keypair;
    return dead;
  }

  /** The next or waiting keypair becomes current; returns those that died. */
  promote(keypair: Keypair): Keypair[] {
    const dead = alive(this.#previous);
    this.#previous = this.#current;
    this.#current = keypair;
    this.#take(keypair);
    return dead;
  }

  /** The next or waiting keypair will not be current any more; returns those that died. */
  retire(keypair: Keypair): Keypair[] {
    const dead = alive(this.#previous);
    this.#previous = keypair;
    this.#take(keypair);
    return dead;
  }

  /** The previous keypair becomes current, and the reverse. */
  swap(): void {
    [this.#previous, this.#current] = [this.#current, this.#previous];
  }

  /** Forgets all; returns them. */
  clear(): Keypair[] {
    const dead = this.all();
    this.#previous = undefined;
    this.#current = undefined;
    this.#next = undefined;
    this.#waiting = undefined;
    return dead;
  }

  #addInitiated(keypair: Keypair): Keypair[] {
    const dead = alive(this.#waiting, this.#previous);
    this.#previous = this.#current;
    this.#waiting = undefined;
    this.#current = keypair;
    return dead;
  }

  #addResponded(keypair: Keypair): Keypair[] {
    const dead = alive(this.#next, this.#waiting && this.#previous);
    if (this.#waiting) this.#previous = undefined;
    this.#next = keypair;
    return dead;
  }

  #take(keypair: Keypair): void {
    if (this.#next === keypair) this.#next = undefined;
    if (this.#waiting === keypair) this.#waiting = undefined;
  }
}

/**
 * Whether both sides began at once and `keypair` is the session of the two that is used in the end:
 * the one whose initiator drew the lower index, which both sides know.
 */
export function isCrossingWinner(keypair: Keypair, other: Keypair): boolean {
  const isCrossing =
    keypair.isInitiator !== other.isInitiator &&
    micros(Math.abs(keypair.createdAt - other.createdAt)) < CROSSING_TIME;
  return isCrossing && initiatorIndex(keypair) < initiatorIndex(other);
}

function initiatorIndex({ isInitiator, localIndex, remoteIndex }: Keypair): SessionIndex {
  return isInitiator ? localIndex : remoteIndex;
}

function alive(...keypairs: readonly (Keypair | undefined)[]): Keypair[] {
  return keypairs.filter((keypair) => keypair !== undefined);
}
