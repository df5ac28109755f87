/**
 * Who is in the mesh and lives: SWIM with Lifeguard's three changes, and the spreading of records.
 * It signs and reads nothing: records are bytes to it, and what they say it is told by inputs. This
 * file says who hears of what:
 *
 *   prober      whom we ask whether it lives, and those who ask us
 *   standing    what we take each member for: alive, suspect, failed, left
 *   spreader    what news goes to whom, and when
 *   comparisons when stores are compared, for what spreading missed
 *   awareness   how far we trust our own judgement
 *
 * Deadlines: those of the parts. Woken later than `stallLimit` after one, by whatever comes, this
 * node was away: it drops its open probe, puts off all suspicions by as long, and trusts itself
 * less. Later than `lagLimit` it puts its open probe off. (A test that jumps over deadlines is such
 * a stall.)
 *
 * Limits: config.ts; what is over them is dropped and counted (counters.ts). Sources: SWIM (Das,
 * Gupta, Motivala 2002), Lifeguard (Dadgar, Phillips, Currey 2017).
 */

import { assert, unreachable } from '../base/assert.js';
import { equal } from '../base/bytes.js';
import { type NodeId, nodeId } from '../base/identifiers.js';
import type { Log } from '../base/log.js';
import type { Random } from '../base/random.js';
import {
  type Duration,
  earliest,
  type Instant,
  instant,
  latest,
  micros,
  NEVER,
  toMillis,
} from '../base/time.js';
import type { GossipMessage } from '../wire/gossip.js';
import type { GossipAction, MemberStatus } from './action.js';
import { Awareness } from './awareness.js';
import { Comparisons } from './comparisons.js';
import { GOSSIP_DEFAULTS, type GossipConfig } from './config.js';
import { GossipCounters } from './counters.js';
import { Courier } from './courier.js';
import type { GossipInput } from './input.js';
import { MemberTable } from './member_table.js';
import type { GossipParts } from './parts.js';
import { Prober } from './prober.js';
import { Spreader } from './spreader.js';
import { Standing } from './standing.js';

export interface GossipDependencies {
  readonly random: Random;
  readonly log: Log;
  readonly config?: Partial<GossipConfig>;
}

export interface GossipMember {
  readonly id: NodeId;
  readonly status: MemberStatus;
  readonly incarnation: number;
}

type Accusation = Extract<GossipInput, { readonly kind: 'suspicion' }>;

const SUSPICION = 'suspicion';

export class Gossip {
  readonly #parts: GossipParts;
  readonly #awareness: Awareness;
  readonly #spreader: Spreader;
  readonly #standing: Standing;
  readonly #courier: Courier;
  readonly #prober: Prober;
  readonly #comparisons: Comparisons;
  #self: NodeId | undefined;
  /** The highest incarnation of ours at which we heard a suspicion. */
  #refuted = -1;
  #now: Instant = instant(0);

  constructor({ random, log, config: changes }: GossipDependencies) {
    const config = { ...GOSSIP_DEFAULTS, ...changes };
    const table = new MemberTable(config.memberLimit);
    const parts = { config, random, log, table, counters: new GossipCounters(), actions: [] };
    const awareness = new Awareness(config.healthLimit);
    const spreader = new Spreader(parts);
    const standing = new Standing(parts, spreader);
    const courier = new Courier(parts, spreader, standing);
    this.#parts = parts;
    this.#awareness = awareness;
    this.#spreader = spreader;
    this.#standing = standing;
    this.#courier = courier;
    this.#prober = new Prober({ ...parts, courier, standing, awareness });
    this.#comparisons = new Comparisons(config);
  }

  /** Undefined: nobody that we know. */
  statusOf(id: NodeId): MemberStatus | undefined {
    const { table } = this.#parts;
    const slot = table.slotOf(id);
    return slot === undefined ? undefined : table.statusOf(slot);
  }

  /** Everybody but ourselves, in the order in which they came. */
  members(): GossipMember[] {
    const { table } = this.#parts;
    return Array.from(table.slots(), ([id, slot]) => {
      return { id, status: table.statusOf(slot), incarnation: table.incarnationOf(slot) };
    });
  }

  /** How many members, but ourselves, have this standing. */
  count(status: MemberStatus): number {
    return this.#parts.table.count(status);
  }

  /** Lifeguard's local health score: 0 is well. */
  health(): number {
    return this.#awareness.score;
  }

  counters(): Record<string, number> {
    return this.#parts.counters.read();
  }

  handle(input: GossipInput, now: Instant): void {
    this.#notice(now);
    this.#take(input, now);
    this.#prober.wake(now);
    this.#spreader.wake(now);
  }

  /** Carries out everything that is due at `now`. */
  advance(now: Instant): void {
    this.#notice(now);
    this.#prober.advance(now);
    this.#standing.advance(now, (slot) => {
      const target = this.#parts.table.idOf(slot);
      this.#courier.ping(target, this.#courier.nextSequence(), now);
    });
    this.#courier.carry(this.#spreader.takeTurn(now));
    this.#prober.wake(now);
    this.#spreader.wake(now);
  }

  deadline(): Instant {
    const own = earliest(this.#prober.deadline(), this.#standing.deadline());
    return earliest(own, this.#spreader.deadline());
  }

  /** What came in as news since the last call goes out with it. */
  drain(out: GossipAction[]): void {
    const { actions } = this.#parts;
    this.#courier.carry(this.#spreader.takeNews(this.#now));
    for (const action of actions) out.push(action);
    actions.length = 0;
  }

  #take(input: GossipInput, now: Instant): void {
    switch (input.kind) {
      case 'start':
        this.#self = input.self;
        return this.#prober.start(input.self);
      case 'member': {
        if (input.id === this.#self) return;
        const added = this.#standing.hearNews(input, now);
        if (added !== undefined) this.#prober.join(added);
        return;
      }
      case 'suspicion':
        return this.#hearSuspicion(input, now);
      case 'forget':
        return this.#forget(input.id);
      case 'message':
        return this.#receive(input.from, input.message, now);
      case 'compared':
        this.#comparisons.answered();
        this.#heard(input.from, now);
        return;
      case 'heard':
        this.#heard(input.from, now);
        return;
      case 'link': {
        const slot = this.#parts.table.slotOf(input.id);
        if (slot !== undefined) this.#parts.table.setWarm(slot, input.isWarm);
        return;
      }
      case 'lag':
        return this.#lagged(input.lag);
      case 'spread':
        return this.#spread(input.place, input.record);
      case 'digest':
        this.#courier.setDigest(input.digest);
        this.#spreader.disagreed();
        return this.#comparisons.changed(now);
      default:
        unreachable(input);
    }
  }

  // Time, and our trust in ourselves.

  #notice(now: Instant): void {
    assert(now >= this.#now, 'time does not go back');
    const due = this.deadline();
    const late = micros(due === NEVER ? 0 : now - latest(due, this.#now));
    this.#now = now;
    if (late > this.#parts.config.stallLimit) this.#stalled(late, now);
    else if (late > this.#parts.config.lagLimit) this.#prober.postpone(late);
  }

  #stalled(pause: Duration, now: Instant): void {
    this.#parts.counters.add('stalls');
    this.#parts.log.debug('Gossip stood still', { pauseMs: toMillis(pause) });
    this.#prober.rest(now);
    this.#standing.postpone(pause);
    this.#awareness.apply(1);
  }

  #lagged(lag: Duration): void {
    const { lagLimit, stallLimit } = this.#parts.config;
    if (lag < lagLimit) return;
    this.#parts.counters.add('lags');
    this.#awareness.apply(1);
    if (lag > stallLimit) this.#prober.discard();
  }

  // What members say of each other, and of us.

  #hearSuspicion({ id, incarnation, accuser }: Accusation, now: Instant): void {
    const { table, counters } = this.#parts;
    if (id === this.#self) return this.#refute(incarnation);
    const slot = table.slotOf(id);
    if (slot === undefined) return counters.add('drop_unknown_member');
    if (incarnation < table.incarnationOf(slot)) return counters.add('drop_stale_suspicion');
    this.#standing.suspect(slot, accuser, now);
  }

  /** The mesh raises our incarnation, where it is not higher already. */
  #refute(incarnation: number): void {
    if (incarnation <= this.#refuted) return;
    this.#refuted = incarnation;
    this.#parts.counters.add('refutations');
    this.#awareness.apply(1);
    this.#parts.actions.push({ kind: 'refute', incarnation });
  }

  #spread(place: string, record: Uint8Array): void {
    const [kind, accuser = '', subject = ''] = place.split(' ');
    if (kind === SUSPICION) {
      const slot = this.#parts.table.slotOf(nodeId(subject));
      if (slot === undefined || !this.#standing.isAccused(slot, nodeId(accuser))) {
        return this.#parts.counters.add('drop_superfluous_suspicion');
      }
      this.#standing.keepAccusation(slot, record);
      if (accuser === this.#self) this.#courier.spread(nodeId(subject), [record]);
    }
    this.#spreader.push(place, record);
  }

  #forget(id: NodeId): void {
    const slot = this.#parts.table.slotOf(id);
    if (slot === undefined) return;
    this.#prober.forget(slot);
    this.#comparisons.forget(slot);
    this.#standing.forget(slot);
  }

  // What members send.

  #receive(from: NodeId, message: GossipMessage, now: Instant): void {
    const slot = this.#heard(from, now);
    if (slot === undefined) this.#parts.counters.add('drop_unknown_member');
    switch (message.kind) {
      case 'ping':
        this.#compareDigest(slot, message.digest, now);
        return this.#prober.answer(from, message, now);
      case 'ack':
        this.#compareDigest(slot, message.digest, now);
        return this.#prober.acked(from, message.sequence, now);
      case 'pingRequest':
        return this.#prober.relay(from, message, now);
      case 'nack':
        return this.#prober.nacked(from, message.sequence);
      case 'spread':
        return;
      default:
        unreachable(message);
    }
  }

  /** A sign of life. The slot of who gave it. */
  #heard(from: NodeId, now: Instant): number | undefined {
    const slot = this.#parts.table.slotOf(from);
    if (slot === undefined) return undefined;
    this.#prober.heard(from, now);
    const isBack = this.#standing.heard(slot, now);
    if (isBack || !this.#comparisons.hasCompared) this.#compare(slot, now);
    return slot;
  }

  #compareDigest(slot: number | undefined, digest: Uint8Array, now: Instant): void {
    if (slot === undefined) return;
    if (equal(digest, this.#courier.digest)) {
      this.#spreader.agreed(slot);
      return this.#comparisons.equal(slot);
    }
    this.#spreader.disagreed();
    const isSpreading = this.#spreader.waiting > 0;
    if (this.#comparisons.differs(slot, isSpreading, now)) this.#wantComparison(slot);
  }

  #compare(slot: number, now: Instant): void {
    if (this.#comparisons.begin(slot, now)) this.#wantComparison(slot);
  }

  #wantComparison(slot: number): void {
    this.#parts.counters.add('comparisons');
    this.#parts.actions.push({ kind: 'compare', with: this.#parts.table.idOf(slot) });
  }
}
