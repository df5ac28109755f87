/**
 * Asks one member after the other whether it lives, and answers those that ask. What a probe means
 * for its target is the standing's to know; what it means for ourselves is here: a success lowers
 * our health score, each relay that said nothing at all raises it, and so does a failure where
 * there was nobody to ask (Lifeguard §IV.A).
 *
 * A member whose round trip is known is given a few of them to answer; one to whom there is no
 * session, or that never answered, the whole probe timeout. The wait for a verdict ends early when
 * all relays have said no.
 *
 * Deadlines: the next probe; the steps of the open one; pings on behalf of others.
 */

import type { NodeId } from '../base/identifiers.js';
import { after, type Duration, earliest, type Instant, micros, NEVER } from '../base/time.js';
import type { GossipMessage } from '../wire/gossip.js';
import { Allowance } from './allowance.js';
import type { Awareness } from './awareness.js';
import type { Courier } from './courier.js';
import type { GossipParts } from './parts.js';
import { Probe, type ProbeStep } from './probe.js';
import { ProbeOrder } from './probe_order.js';
import { Relays } from './relays.js';
import type { Standing } from './standing.js';

type Ping = Extract<GossipMessage, { readonly kind: 'ping' }>;
type PingRequest = Extract<GossipMessage, { readonly kind: 'pingRequest' }>;
type Verdict = Extract<ProbeStep, { readonly kind: 'end' }>;

export interface ProberParts extends GossipParts {
  readonly courier: Courier;
  readonly standing: Standing;
  readonly awareness: Awareness;
}

export class Prober {
  readonly #parts: ProberParts;
  readonly #order: ProbeOrder;
  readonly #probe = new Probe();
  readonly #relays: Relays;
  readonly #answers: Allowance;
  #self: NodeId | undefined;
  #probeAt: Instant = NEVER;

  constructor(parts: ProberParts) {
    const { relayLimit: limit, answersPerSecond: perSecond } = parts.config;
    const { relayTimeout: lifetime, pingRepeat: repeat } = parts.config;
    this.#parts = parts;
    this.#order = new ProbeOrder(parts.random);
    this.#relays = new Relays({ limit, lifetime, repeat });
    this.#answers = new Allowance({ perSecond, burst: 2 * perSecond });
  }

  start(self: NodeId): void {
    this.#self = self;
  }

  join(slot: number): void {
    this.#order.insert(slot);
  }

  forget(slot: number): void {
    if (this.#probe.target === this.#parts.table.idOf(slot)) this.#probe.discard();
    this.#order.remove(slot);
  }

  heard(from: NodeId, now: Instant): void {
    this.#probe.heard(from, now);
  }

  /** There may be somebody to probe again: begins at a random moment of the next interval. */
  wake(now: Instant): void {
    const { config, random } = this.#parts;
    if (this.#probeAt !== NEVER || !this.#hasTargets()) return;
    this.#probeAt = after(now, micros(random.below(config.probeInterval)));
  }

  /** What the open probe did not hear is no reason to accuse anybody. */
  discard(): void {
    if (this.#probe.discard()) this.#parts.counters.add('probes_discarded');
  }

  /** We were a little late: answers may have come that we have not read yet. */
  postpone(pause: Duration): void {
    this.#probe.postpone(pause);
    this.#probeAt = after(this.#probeAt, pause);
  }

  /** As `discard`, and asks nobody anything for an interval. */
  rest(now: Instant): void {
    this.discard();
    this.#relays.clear();
    if (this.#probeAt !== NEVER) this.#probeAt = after(now, this.#parts.config.probeInterval);
  }

  answer(from: NodeId, ping: Ping, now: Instant): void {
    const { counters, courier } = this.#parts;
    if (ping.target !== this.#self) return counters.add('drop_wrong_target');
    if (!this.#answers.take(1, now)) return counters.add('drop_answers_limited');
    courier.ack(from, ping.sequence, now);
  }

  /** Pings for another. */
  relay(from: NodeId, { sequence, target }: PingRequest, now: Instant): void {
    const { counters, courier, table } = this.#parts;
    if (!this.#answers.take(1, now)) return counters.add('drop_answers_limited');
    if (target === this.#self) return courier.ack(from, sequence, now);
    if (table.slotOf(target) === undefined) return courier.nack(from, sequence);
    const ours = courier.nextSequence();
    if (!this.#relays.begin(ours, { requester: from, sequence, target }, now)) {
      return counters.add('drop_relays_full');
    }
    courier.ping(target, ours, now);
  }

  acked(from: NodeId, sequence: number, now: Instant): void {
    const { counters, courier, table, standing, awareness } = this.#parts;
    const relay = this.#relays.acked(from, sequence);
    if (relay) return courier.ack(relay.requester, relay.sequence, now);
    const answered = this.#probe.acked(from, sequence, now);
    if (!answered) return counters.add('drop_unexpected_ack');
    counters.add('probes_answered');
    awareness.apply(-1);
    if (answered.way === 'indirect') return counters.add('probes_relayed');
    const { slot } = answered.probe;
    if (answered.probe.isWarm) table.addTrip(slot, answered.took);
    standing.answered(slot, now);
  }

  nacked(from: NodeId, sequence: number): void {
    if (!this.#probe.nacked(from, sequence)) this.#parts.counters.add('drop_unexpected_nack');
  }

  advance(now: Instant): void {
    for (let step = this.#probe.takeDue(now); step; step = this.#probe.takeDue(now)) {
      if (step.kind === 'end') {
        this.#judge(step, now);
        continue;
      }
      // Once more ourselves: the last ping may have been lost, not its target.
      const { target, sequence } = step.probe;
      this.#parts.courier.ping(target, sequence, now);
      if (step.kind === 'ask') this.#askOthers(target, sequence, now);
    }
    for (let due = this.#relays.takeUnanswered(now); due; due = this.#relays.takeUnanswered(now)) {
      this.#parts.courier.ping(due.target, due.ours, now);
    }
    for (let relay = this.#relays.takeDue(now); relay; relay = this.#relays.takeDue(now)) {
      this.#parts.courier.nack(relay.requester, relay.sequence);
    }
    if (now >= this.#probeAt) this.#begin(now);
  }

  deadline(): Instant {
    return earliest(this.#probeAt, earliest(this.#probe.deadline(), this.#relays.deadline()));
  }

  #hasTargets(): boolean {
    return this.#parts.table.living > 0;
  }

  #begin(now: Instant): void {
    const { table, awareness, config, courier, counters } = this.#parts;
    this.#probeAt = NEVER;
    const slot = this.#order.take((each) => {
      const status = table.statusOf(each);
      return status === 'alive' || status === 'suspect';
    });
    if (slot === undefined) return;
    const endsAt = after(now, awareness.scale(config.probeInterval));
    this.#probeAt = endsAt;
    const [target, sequence] = [table.idOf(slot), courier.nextSequence()];
    const askAt = after(now, awareness.scale(this.#patience(slot)));
    const pause = awareness.scale(config.pingRepeat);
    const incarnation = table.incarnationOf(slot);
    const isWarm = table.isWarm(slot);
    const times = { sentAt: now, askAt, pause, endsAt };
    this.#probe.begin({ slot, target, sequence, incarnation, isWarm, ...times });
    counters.add('probes');
    courier.ping(target, sequence, now);
  }

  /** How long it may take to answer, when we are well. */
  #patience(slot: number): Duration {
    const { table, config } = this.#parts;
    const trip = table.isWarm(slot) ? table.tripOf(slot) : undefined;
    if (trip === undefined) return config.probeTimeout;
    const few = Math.max(trip * config.probeTripFactor, config.probeTimeoutFloor);
    return micros(Math.min(config.probeTimeout, few));
  }

  #askOthers(target: NodeId, sequence: number, now: Instant): void {
    const { table, random, config, courier } = this.#parts;
    const relays = table.choose(config.relays, random, (slot) => {
      return table.statusOf(slot) === 'alive' && table.idOf(slot) !== target;
    });
    const ids = relays.map((slot) => table.idOf(slot));
    this.#probe.asked(ids);
    for (const id of ids) courier.pingRequest(id, sequence, target, now);
  }

  #judge({ probe, isHeard, relays, silentRelays }: Verdict, now: Instant): void {
    const { table, awareness, counters, actions, standing } = this.#parts;
    const { slot, target, incarnation } = probe;
    if (isHeard) return counters.add('probes_answered');
    counters.add('probes_failed');
    awareness.apply(relays === 0 ? 1 : silentRelays);
    const status = table.statusOf(slot);
    const isNewer = table.incarnationOf(slot) !== incarnation;
    if (isNewer || (status !== 'alive' && status !== 'suspect')) return;
    const self = this.#self;
    if (self === undefined || standing.isAccused(slot, self)) return;
    standing.suspect(slot, self, now);
    // Where enough others accuse it already, one more says nothing.
    if (!standing.isAccused(slot, self)) return;
    counters.add('accusations');
    actions.push({ kind: 'accuse', id: target, incarnation });
  }
}
