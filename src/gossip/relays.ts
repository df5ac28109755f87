/**
 * Pings that we send because another member asked us to: what to answer to whom when the target
 * answers, another ping before the time is over, as the first may be lost, and a nack when nothing
 * came in time. All last equally long, so the oldest ends first. At the limit none is taken.
 *
 * Deadlines: the next second ping, and the next end.
 */

import type { NodeId } from '../base/identifiers.js';
import { after, type Duration, earliest, type Instant, NEVER } from '../base/time.js';

export interface Relay {
  readonly requester: NodeId;
  /** The requester's own. */
  readonly sequence: number;
  readonly target: NodeId;
  readonly againAt: Instant;
  readonly endsAt: Instant;
}

export interface RelayTimes {
  readonly limit: number;
  readonly lifetime: Duration;
  /** When the target is pinged again. */
  readonly repeat: Duration;
}

export class Relays {
  readonly #times: RelayTimes;
  /** By the sequence number of our ping, the oldest first. */
  readonly #open = new Map<number, Relay>();
  /** Those of them that were pinged once. */
  readonly #once = new Map<number, Relay>();

  constructor(times: RelayTimes) {
    this.#times = times;
  }

  get size(): number {
    return this.#open.size;
  }

  /** False at the limit. `ours`: the sequence number of the ping that goes out. */
  begin(ours: number, request: Omit<Relay, 'againAt' | 'endsAt'>, now: Instant): boolean {
    const { limit, lifetime, repeat } = this.#times;
    if (this.#open.size >= limit) return false;
    const relay = { ...request, againAt: after(now, repeat), endsAt: after(now, lifetime) };
    this.#open.set(ours, relay);
    if (repeat < lifetime) this.#once.set(ours, relay);
    return true;
  }

  /** Whose ping it was that `from` answers. */
  acked(from: NodeId, ours: number): Relay | undefined {
    const relay = this.#open.get(ours);
    if (relay?.target !== from) return undefined;
    this.#forget(ours);
    return relay;
  }

  /** One whose target is to be pinged again, with our sequence number of it. */
  takeUnanswered(now: Instant): { readonly ours: number; readonly target: NodeId } | undefined {
    for (const [ours, { target, againAt }] of this.#once) {
      if (againAt > now) return undefined;
      this.#once.delete(ours);
      return { ours, target };
    }
    return undefined;
  }

  /** One that was not answered in time. */
  takeDue(now: Instant): Relay | undefined {
    for (const [ours, relay] of this.#open) {
      if (relay.endsAt > now) return undefined;
      this.#forget(ours);
      return relay;
    }
    return undefined;
  }

  clear(): void {
    this.#open.clear();
    this.#once.clear();
  }

  deadline(): Instant {
    let next: Instant = NEVER;
    for (const { endsAt } of this.#open.values()) {
      next = endsAt;
      break;
    }
    for (const { againAt } of this.#once.values()) return earliest(next, againAt);
    return next;
  }

  #forget(ours: number): void {
    this.#open.delete(ours);
    this.#once.delete(ours);
  }
}
