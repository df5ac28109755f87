/**
 * Which peers' endpoints are configured by host name, and when to ask for the address: when it is
 * configured, again when a handshake was given up (the name may have moved), but not more often
 * than every REKEY_ATTEMPT_TIME, and again and again with a growing gap while the name does not
 * resolve, since without an endpoint nothing else would ever wake the peer.
 *
 * A request is a number; a new one for the same peer replaces the old one, whose answer is then
 * ignored.
 */

import type { Endpoint } from '../base/address.js';
import { type PeerSlot, peerSlot } from '../base/identifiers.js';
import { after, type Duration, type Instant, micros, NEVER, seconds } from '../base/time.js';
import { WakeQueue } from '../base/wake_queue.js';
import { REKEY_ATTEMPT_TIME } from '../session/constants.js';
import type { NodeAction } from './action.js';
import type { HostPort } from './config.js';

type ResolveAction = Extract<NodeAction, { kind: 'resolve' }>;

interface NamedEndpoint {
  readonly at: HostPort;
  request: number | undefined;
  askedAt: Instant | undefined;
  /** Until it is asked again when it does not resolve. */
  gap: Duration;
}

/** The first gap after a name did not resolve; it doubles up to REKEY_ATTEMPT_TIME. */
const FIRST_GAP = seconds(5);

export class EndpointNames {
  readonly #names = new Map<PeerSlot, NamedEndpoint>();
  readonly #requests = new Map<number, PeerSlot>();
  readonly #wakes = new WakeQueue();
  readonly #actions: ResolveAction[] = [];
  #lastRequest = 0;

  /** The peer's endpoint is this name from now on: asks for it. */
  set(slot: PeerSlot, at: HostPort, now: Instant): void {
    this.remove(slot);
    this.#names.set(slot, { at, request: undefined, askedAt: undefined, gap: FIRST_GAP });
    this.#ask(slot, now);
  }

  /** The peer is gone, or its endpoint is no longer a name. */
  remove(slot: PeerSlot): void {
    const name = this.#names.get(slot);
    if (name?.request !== undefined) this.#requests.delete(name.request);
    this.#names.delete(slot);
    this.#wakes.set(slot, NEVER);
  }

  /**
   * Whose answer this is; undefined for one that nobody waits for. Where the name did not resolve,
   * it is asked again.
   */
  answered(request: number, endpoint: Endpoint | undefined, now: Instant): PeerSlot | undefined {
    const slot = this.#requests.get(request);
    this.#requests.delete(request);
    const name = slot === undefined ? undefined : this.#names.get(slot);
    if (slot === undefined || !name) return undefined;
    name.request = undefined;
    if (endpoint) {
      name.gap = FIRST_GAP;
      return slot;
    }
    this.#wakes.set(slot, after(now, name.gap));
    name.gap = micros(Math.min(2 * name.gap, REKEY_ATTEMPT_TIME));
    return slot;
  }

  /** A handshake with the peer came to nothing. */
  gaveUp(slot: PeerSlot, now: Instant): void {
    const name = this.#names.get(slot);
    if (!name || this.#wakes.get(slot) !== NEVER) return;
    const mayAskAt = name.askedAt === undefined ? now : after(name.askedAt, REKEY_ATTEMPT_TIME);
    if (mayAskAt <= now) this.#ask(slot, now);
    else this.#wakes.set(slot, mayAskAt);
  }

  advance(now: Instant): void {
    for (let due = this.#wakes.takeDue(now); due !== undefined; due = this.#wakes.takeDue(now)) {
      this.#ask(peerSlot(due), now);
    }
  }

  deadline(): Instant {
    return this.#wakes.earliest();
  }

  drain(out: NodeAction[]): void {
    for (const action of this.#actions) out.push(action);
    this.#actions.length = 0;
  }

  #ask(slot: PeerSlot, now: Instant): void {
    const name = this.#names.get(slot);
    if (!name) return;
    if (name.request !== undefined) this.#requests.delete(name.request);
    this.#lastRequest++;
    name.request = this.#lastRequest;
    name.askedAt = now;
    this.#requests.set(name.request, slot);
    this.#actions.push({ kind: 'resolve', request: name.request, ...name.at });
  }
}
