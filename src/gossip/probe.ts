/**
 * One probe: a ping; where it is not answered in time, another, and requests to others to ping for
 * us, and from then on further pings, since any may be lost; a verdict.
 *
 *   idle -> pinged -> asked -.-> idle         verdict: silent
 *             |        ^ |   '-> idle         every relay said no: verdict at once
 *             |        '-'                    pinged again
 *             '----------'-----> idle         ack, by any way
 *
 * Anything else authentic of the target that comes after the ping proves as much, but the probe
 * stays open for its ack: it is then answered when its time is over. Deadlines: when others are
 * asked, or it is pinged again; the verdict. Source: SWIM §4.1, and Lifeguard §IV.A on nacks.
 */

import type { NodeId } from '../base/identifiers.js';
import { after, type Duration, earliest, elapsed, type Instant, NEVER } from '../base/time.js';

export interface ProbeStart {
  readonly slot: number;
  readonly target: NodeId;
  readonly incarnation: number;
  readonly sequence: number;
  /** The ping needed no handshake, so that its ack tells how long a round trip takes. */
  readonly isWarm: boolean;
  readonly sentAt: Instant;
  readonly askAt: Instant;
  /** From then on, from each ping to the next. */
  readonly pause: Duration;
  readonly endsAt: Instant;
}

export type ProbeStep =
  | { readonly kind: 'ask' | 'again'; readonly probe: ProbeStart }
  | {
      readonly kind: 'end';
      readonly probe: ProbeStart;
      readonly isHeard: boolean;
      /** Relays that were asked, and those of them that said nothing at all. */
      readonly relays: number;
      readonly silentRelays: number;
    };

export type AckWay = 'direct' | 'indirect';

export class Probe {
  #open: ProbeStart | undefined;
  /** When it is pinged next. */
  #pingAt: Instant = NEVER;
  #isAsked = false;
  #isHeard = false;
  #relays: NodeId[] = [];
  readonly #nacks: NodeId[] = [];

  get target(): NodeId | undefined {
    return this.#open?.target;
  }

  begin(start: ProbeStart): void {
    this.discard();
    this.#open = start;
    this.#pingAt = start.askAt;
  }

  /** We were late: everybody has so much more time. */
  postpone(pause: Duration): void {
    if (!this.#open) return;
    this.#open = { ...this.#open, endsAt: after(this.#open.endsAt, pause) };
    this.#pingAt = after(this.#pingAt, pause);
  }

  /** True when there was one. */
  discard(): boolean {
    const wasOpen = this.#open !== undefined;
    this.#open = undefined;
    this.#pingAt = NEVER;
    this.#isAsked = false;
    this.#isHeard = false;
    this.#relays = [];
    this.#nacks.length = 0;
    return wasOpen;
  }

  /** These were asked. */
  asked(relays: readonly NodeId[]): void {
    this.#relays = [...relays];
  }

  /** The way that an ack came and how long it took; undefined when it answers nothing of ours. */
  acked(
    from: NodeId,
    sequence: number,
    now: Instant,
  ): { readonly way: AckWay; readonly probe: ProbeStart; readonly took: Duration } | undefined {
    const probe = this.#open;
    if (!probe || probe.sequence !== sequence) return undefined;
    const isDirect = from === probe.target;
    if (!isDirect && !this.#relays.includes(from)) return undefined;
    this.discard();
    return { way: isDirect ? 'direct' : 'indirect', probe, took: elapsed(probe.sentAt, now) };
  }

  /** False when it answers nothing of ours. */
  nacked(from: NodeId, sequence: number): boolean {
    if (this.#open?.sequence !== sequence) return false;
    if (!this.#relays.includes(from) || this.#nacks.includes(from)) return false;
    this.#nacks.push(from);
    return true;
  }

  /** Something authentic came from a member. */
  heard(from: NodeId, now: Instant): void {
    if (this.#open?.target === from && now > this.#open.sentAt) this.#isHeard = true;
  }

  takeDue(now: Instant): ProbeStep | undefined {
    const probe = this.#open;
    if (!probe || now < this.deadline()) return undefined;
    if (!this.#isOver() && now >= this.#pingAt && now < probe.endsAt) {
      const kind = this.#isAsked ? 'again' : 'ask';
      this.#isAsked = true;
      this.#pingAt = after(now, probe.pause);
      return { kind, probe };
    }
    const [isHeard, relays] = [this.#isHeard, this.#relays.length];
    const silentRelays = relays - this.#nacks.length;
    this.discard();
    return { kind: 'end', probe, isHeard, relays, silentRelays };
  }

  deadline(): Instant {
    if (!this.#open) return NEVER;
    const { sentAt, endsAt } = this.#open;
    if (this.#isHeard) return endsAt;
    return this.#isOver() ? sentAt : earliest(this.#pingAt, endsAt);
  }

  /** Nothing is waited for any more. */
  #isOver(): boolean {
    const isRefused = this.#relays.length > 0 && this.#nacks.length === this.#relays.length;
    return isRefused && !this.#isHeard;
  }
}
