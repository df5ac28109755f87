/**
 * Gossip cores that exchange values directly, under virtual time: links that delay and lose,
 * handshakes where there is no session or it is old, hosts that crash, stall and part. Each host
 * has just enough of a mesh around its core: an incarnation, records by place, a digest, comparison
 * of stores. What it sends is counted with all headers, handshakes and hellos.
 */

import { assert, present } from '../../src/base/assert.js';
import { equal } from '../../src/base/bytes.js';
import { type NodeId, nodeId } from '../../src/base/identifiers.js';
import { SILENT } from '../../src/base/log.js';
import { type Random, SeededRandom } from '../../src/base/random.js';
import {
  after,
  type Duration,
  type Instant,
  instant,
  latest,
  micros,
  millis,
  NEVER,
  seconds,
} from '../../src/base/time.js';
import type { GossipAction, MemberStatus } from '../../src/gossip/action.js';
import type { GossipConfig } from '../../src/gossip/config.js';
import { Gossip } from '../../src/gossip/gossip.js';
import type { GossipInput } from '../../src/gossip/input.js';
import { gossipRoom } from '../../src/wire/gossip.js';
import { NO_KEY, placeOf } from '../../src/wire/record.js';

const NODE_RECORD_BYTES = 220;
const SUSPICION_BYTES = 92;
/** Of a message, from the outer IPv4 header to the gossip's own, and tags. */
const HEADERS = 100;
/** With IPv4 and UDP headers, and with the hello that follows. */
const INITIATION_BYTES = 176 + 100;
const RESPONSE_BYTES = 120 + 100;
/** REKEY_AFTER_TIME. */
const SESSION_TIME = seconds(120);

/** With nothing of Lifeguard and nothing of ours; deaths are told, as in SWIM. */
export const PLAIN_SWIM: Partial<GossipConfig> = {
  healthLimit: 0,
  suspicionMaxFactor: 1,
  stallLimit: seconds(100_000),
  lagLimit: seconds(100_000),
  lastQuestionLead: micros(1),
  probeTimeoutFloor: millis(500),
  newsPause: micros(0),
  pingRepeat: seconds(100_000),
};

interface Fact {
  readonly kind: 'node' | 'suspicion' | 'death' | 'other';
  readonly author: NodeId;
  readonly key: string;
  readonly version: number;
  readonly place: string;
  readonly bytes: Uint8Array;
  /** What it adds to a digest. */
  readonly hash: Uint8Array;
}

export interface Change {
  readonly at: Instant;
  readonly by: number;
  readonly of: number;
  readonly status: MemberStatus;
}

export interface NetworkOptions {
  readonly count: number;
  readonly seed: string;
  readonly loss?: number;
  readonly config?: Partial<GossipConfig>;
  /** Every host knows all others from the beginning, and has sessions with them. */
  readonly isAcquainted?: boolean;
  /** As in plain SWIM: who declares another dead tells everybody, and all believe it. */
  readonly spreadsDeath?: boolean;
}

interface Job {
  readonly at: Instant;
  readonly serial: number;
  readonly run: () => void;
}

export class Host {
  readonly core: Gossip;
  readonly facts = new Map<string, Fact>();
  /** Claims about others that it passed on: by place, their versions. */
  readonly heardClaims = new Map<string, number>();
  /** Incarnations at which it was told, or found, that others are dead. */
  readonly dead = new Map<NodeId, number>();
  readonly digest = new Uint8Array(8);
  /** Until when there is a session with another, in the order of their ends. */
  readonly warm = new Map<number, Instant>();
  incarnation = 1;
  isUp = true;
  stalledUntil = instant(0);
  /** What came while it stalled. */
  waiting: (() => void)[] = [];
  wakeAt = NEVER;
  sentBytes = 0;
  sentMessages = 0;

  constructor(
    readonly index: number,
    readonly id: NodeId,
    random: Random,
    config: Partial<GossipConfig>,
  ) {
    this.core = new Gossip({ random, log: SILENT, config });
  }
}

export class MeshNetwork {
  readonly hosts: Host[];
  readonly changes: Change[] = [];
  readonly accusations: { readonly at: Instant; readonly by: number; readonly of: number }[] = [];
  /** Everybody who came to take somebody for dead, by its own judgement or another's. */
  readonly deaths: { readonly by: number; readonly of: number }[] = [];
  readonly comparisons: { readonly at: Instant; readonly by: number }[] = [];
  now = seconds(1000) as number as Instant;
  loss: number;
  /** Whether `from` can reach `to`. */
  isOpen: (from: number, to: number) => boolean = () => true;
  readonly #spreadsDeath: boolean;
  readonly #random: SeededRandom;
  readonly #jobs: Job[] = [];
  readonly #facts = new WeakMap<Uint8Array, Fact>();
  readonly #indexOf = new Map<NodeId, number>();
  #serial = 0;

  constructor(options: NetworkOptions) {
    const { count, seed, loss = 0, config = {}, isAcquainted = true } = options;
    this.#spreadsDeath = options.spreadsDeath ?? false;
    this.#random = new SeededRandom(`${seed}/network`);
    this.loss = loss;
    this.hosts = Array.from({ length: count }, (_, i) => {
      const id = nodeId((i + 1).toString(16).padStart(16, '0'));
      this.#indexOf.set(id, i);
      return new Host(i, id, new SeededRandom(`${seed}/${i}`), config);
    });
    const first = this.hosts.map((host) => this.#nodeFact(host));
    for (const host of this.hosts) {
      this.#feed(host, { kind: 'start', self: host.id });
      const known = isAcquainted ? first : first.filter(({ author }) => author === host.id);
      for (const fact of known) this.#learn(host, fact, false);
      this.#feed(host, { kind: 'digest', digest: host.digest });
      // Sessions of all ages: of a pair's, both ends have the same.
      for (let k = 1; isAcquainted && k <= count; k++) {
        const other = (k + count - host.index) % count;
        const until = after(this.now, micros((SESSION_TIME * k) / count));
        if (other !== host.index) this.#warmUp(host, other, until);
      }
      this.#carryOut(host);
    }
    this.changes.length = 0;
  }

  host(index: number): Host {
    return present(this.hosts[index], 'there is such a host');
  }

  status(by: number, of: number): MemberStatus | undefined {
    return this.host(by).core.statusOf(this.host(of).id);
  }

  /** Whether every host that is up takes all that are up, and none else, for alive. */
  get isWhole(): boolean {
    const up = this.hosts.filter(({ isUp }) => isUp);
    return up.every((host) =>
      up.every((other) => host === other || host.core.statusOf(other.id) === 'alive'),
    );
  }

  run(duration: Duration): void {
    this.runUntil(duration, () => false);
  }

  /** How long it took until `isDone`; undefined when it did not come to pass in time. */
  runUntil(limit: Duration, isDone: () => boolean): Duration | undefined {
    const [begin, end] = [this.now, after(this.now, limit)];
    while (!isDone()) {
      const job = this.#takeJob(end);
      if (!job) {
        this.now = end;
        return isDone() ? limit : undefined;
      }
      this.now = job.at;
      job.run();
    }
    return micros(this.now - begin);
  }

  crash(index: number): void {
    this.host(index).isUp = false;
  }

  /** It is back as it was, its memory too. */
  revive(index: number): void {
    this.host(index).isUp = true;
    this.#schedule(this.host(index));
  }

  stall(index: number, duration: Duration): void {
    const host = this.host(index);
    host.stalledUntil = after(this.now, duration);
    this.#later(duration, () => {
      if (this.now < host.stalledUntil) return;
      // As an event loop does: first what is due, then what came in.
      this.#wake(host);
      for (const run of host.waiting.splice(0)) run();
    });
  }

  /** Any other record, new at one host; returns its place. */
  publish(index: number, bytes = NODE_RECORD_BYTES): string {
    const host = this.host(index);
    const key = (this.#serial++).toString(16).padStart(16, '0');
    const place = placeOf('lease', host.id, key);
    const fact = { kind: 'other', author: host.id, key, version: 1, place } as const;
    this.#learn(host, this.#register({ ...fact, bytes: new Uint8Array(bytes) }), true);
    this.#carryOut(host);
    return place;
  }

  /** How many hosts have the record. */
  holders(place: string): number {
    return this.hosts.filter(({ facts }) => facts.has(place)).length;
  }

  /** Says that another does not answer, true or not. */
  accuse(by: number, of: number): void {
    const [host, subject] = [this.host(by), this.host(of)];
    this.#accuse(host, subject.id, subject.incarnation);
    this.#carryOut(host);
  }

  feed(index: number, input: GossipInput): void {
    this.#feed(this.host(index), input);
    this.#carryOut(this.host(index));
  }

  /** One host gets to know another, as from a join. */
  introduce(index: number, to: number): void {
    const fact = [...this.host(to).facts.values()].find(
      ({ kind, author }) => kind === 'node' && author === this.host(to).id,
    );
    if (fact) this.#learn(this.host(index), fact, true);
    this.#carryOut(this.host(index));
  }

  #register(unhashed: Omit<Fact, 'hash'>): Fact {
    const { place, version, bytes } = unhashed;
    const fact = { ...unhashed, hash: new SeededRandom(`${place} ${version}`).bytes(8) };
    this.#facts.set(bytes, fact);
    return fact;
  }

  #nodeFact({ id, incarnation }: Host): Fact {
    const [key, place] = [NO_KEY, placeOf('node', id, NO_KEY)];
    const bytes = new Uint8Array(NODE_RECORD_BYTES);
    return this.#register({ kind: 'node', author: id, key, version: incarnation, place, bytes });
  }

  #learn(host: Host, fact: Fact, isNews: boolean): void {
    const isClaim = fact.kind === 'suspicion' || fact.kind === 'death';
    const version = isClaim
      ? host.heardClaims.get(fact.place)
      : host.facts.get(fact.place)?.version;
    if ((version ?? -1) >= fact.version) return;
    if (isClaim) this.#hearClaim(host, fact);
    else {
      mix(host.digest, host.facts.get(fact.place));
      host.facts.set(fact.place, fact);
      mix(host.digest, fact);
      if (isNews) this.#feed(host, { kind: 'digest', digest: host.digest });
    }
    if (fact.kind === 'node' && fact.author !== host.id) {
      const { author: id, version: incarnation } = fact;
      this.#feed(host, { kind: 'member', id, incarnation, status: 'alive', isFresh: isNews });
    }
    if (isNews) this.#feed(host, { kind: 'spread', place: fact.place, record: fact.bytes });
  }

  #hearClaim(host: Host, fact: Fact): void {
    host.heardClaims.set(fact.place, fact.version);
    const [id, incarnation] = [nodeId(fact.key), fact.version];
    if (fact.kind === 'suspicion') {
      return this.#feed(host, { kind: 'suspicion', id, incarnation, accuser: fact.author });
    }
    if (id === host.id) return this.#refute(host, incarnation);
    const known = host.facts.get(placeOf('node', id, NO_KEY))?.version ?? 0;
    if (incarnation < known || (host.dead.get(id) ?? -1) >= incarnation) return;
    host.dead.set(id, incarnation);
    this.deaths.push({ by: host.index, of: this.#index(id) });
  }

  #refute(host: Host, incarnation: number): void {
    if (incarnation < host.incarnation) return;
    host.incarnation = incarnation + 1;
    this.#learn(host, this.#nodeFact(host), true);
  }

  #feed(host: Host, input: GossipInput): void {
    host.core.handle(input, this.now);
  }

  #carryOut(host: Host): void {
    for (;;) {
      const actions: GossipAction[] = [];
      host.core.drain(actions);
      if (actions.length === 0) break;
      for (const action of actions) this.#perform(host, action);
    }
    this.#schedule(host);
  }

  #perform(host: Host, action: GossipAction): void {
    switch (action.kind) {
      case 'send':
        return this.#send(host, action);
      case 'accuse':
        this.accusations.push({ at: this.now, by: host.index, of: this.#index(action.id) });
        return this.#accuse(host, action.id, action.incarnation);
      case 'refute':
        return this.#refute(host, action.incarnation);
      case 'changed': {
        const of = this.#index(action.id);
        this.changes.push({ at: this.now, by: host.index, of, status: action.status });
        if (action.status === 'failed') this.#declareDead(host, action.id);
        return;
      }
      default:
        this.comparisons.push({ at: this.now, by: host.index });
        return this.#compare(host, this.host(this.#index(action.with)));
    }
  }

  #declareDead(host: Host, id: NodeId): void {
    const version = host.facts.get(placeOf('node', id, NO_KEY))?.version ?? 0;
    const place = placeOf('announcement', host.id, id);
    const bytes = new Uint8Array(SUSPICION_BYTES);
    const fact = { kind: 'death', author: host.id, key: id, version, place, bytes } as const;
    this.#learn(host, this.#register(fact), this.#spreadsDeath);
  }

  #accuse(host: Host, id: NodeId, version: number): void {
    const place = placeOf('suspicion', host.id, id);
    const bytes = new Uint8Array(SUSPICION_BYTES);
    const fact = { kind: 'suspicion', author: host.id, key: id, version, place, bytes } as const;
    this.#learn(host, this.#register(fact), true);
  }

  #send(host: Host, { to, message }: Extract<GossipAction, { kind: 'send' }>): void {
    const other = this.host(this.#index(to));
    const records = 'records' in message ? message.records : [];
    const bytes = records.reduce((sum, { length }) => sum + length, 0);
    assert(bytes <= gossipRoom(message.kind), 'a message fits its body');
    host.sentBytes += bytes + HEADERS;
    host.sentMessages++;
    const isWarm = (host.warm.get(other.index) ?? 0) > this.now;
    if (!isWarm) host.sentBytes += INITIATION_BYTES;
    const ways = isWarm ? 1 : 3;
    let delay = 0;
    for (let i = 0; i < ways; i++) delay += 5_000 + this.#random.below(15_000);
    if (!this.#reaches(host.index, other.index)) return;
    if (!isWarm && other.isUp) other.sentBytes += RESPONSE_BYTES;
    if (!isWarm && !this.#reaches(other.index, host.index)) return;
    this.#later(micros(delay), () => {
      this.#arrive(other, () => {
        const until = after(this.now, SESSION_TIME);
        if (!isWarm) this.#warmUp(other, host.index, until);
        if (!isWarm) this.#arrive(host, () => this.#warmUp(host, other.index, until));
        for (const record of records) {
          const fact = this.#facts.get(record);
          if (fact) this.#learn(other, fact, true);
        }
        this.#feed(other, { kind: 'message', from: host.id, message });
        this.#carryOut(other);
      });
    });
  }

  #warmUp(host: Host, index: number, until: Instant): void {
    host.warm.delete(index);
    host.warm.set(index, until);
    this.#feed(host, { kind: 'link', id: this.host(index).id, isWarm: true });
  }

  #coolDown(host: Host): void {
    for (const [index, until] of host.warm) {
      if (until > this.now) return;
      host.warm.delete(index);
      this.#feed(host, { kind: 'link', id: this.host(index).id, isWarm: false });
    }
  }

  /** Both get what they lack, as anti-entropy would bring it. */
  #compare(host: Host, other: Host): void {
    if (!this.#reaches(host.index, other.index) || !this.#reaches(other.index, host.index)) return;
    for (const [from, to] of [
      [other, host],
      [host, other],
    ] as const) {
      const facts = [...from.facts.values()];
      this.#later(millis(40), () => {
        if (!this.isOpen(from.index, to.index) || !from.isUp) return;
        this.#arrive(to, () => {
          for (const fact of facts) this.#learn(to, fact, true);
          this.#feed(to, { kind: 'heard', from: from.id });
          this.#carryOut(to);
        });
      });
    }
  }

  #reaches(from: number, to: number): boolean {
    if (!this.isOpen(from, to)) return false;
    return this.loss === 0 || this.#random.below(1_000_000) >= this.loss * 1_000_000;
  }

  #arrive(host: Host, run: () => void): void {
    if (!host.isUp) return;
    if (this.now < host.stalledUntil) host.waiting.push(run);
    else run();
  }

  #schedule(host: Host): void {
    const at = host.core.deadline();
    if (at === NEVER || (host.wakeAt <= at && host.wakeAt > this.now)) return;
    host.wakeAt = latest(at, this.now);
    const mine = host.wakeAt;
    this.#later(micros(mine - this.now), () => {
      if (host.wakeAt === mine) host.wakeAt = NEVER;
      this.#wake(host);
    });
  }

  #wake(host: Host): void {
    if (!host.isUp || this.now < host.stalledUntil) return;
    if (host.core.deadline() <= this.now) host.core.advance(this.now);
    this.#coolDown(host);
    this.#carryOut(host);
  }

  #index(id: NodeId): number {
    return present(this.#indexOf.get(id), 'the id is a host');
  }

  #later(delay: Duration, run: () => void): void {
    const job = { at: after(this.now, delay), serial: this.#serial++, run };
    this.#jobs.push(job);
    let at = this.#jobs.length - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = this.#jobs[parent];
      if (!above || !isBefore(job, above)) break;
      this.#jobs[at] = above;
      at = parent;
    }
    this.#jobs[at] = job;
  }

  /** The earliest that lies not behind `end`. */
  #takeJob(end: Instant): Job | undefined {
    const first = this.#jobs[0];
    if (!first || first.at > end) return undefined;
    const last = this.#jobs.pop();
    if (!last || this.#jobs.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const [left, right] = [this.#jobs[child], this.#jobs[child + 1]];
      if (!left) break;
      if (right && isBefore(right, left)) child++;
      const below = this.#jobs[child];
      if (!below || !isBefore(below, last)) break;
      this.#jobs[at] = below;
      at = child;
    }
    this.#jobs[at] = last;
    return first;
  }
}

function isBefore(a: Job, b: Job): boolean {
  return a.at < b.at || (a.at === b.at && a.serial < b.serial);
}

/** Puts the fact into a digest, or takes it out. */
function mix(digest: Uint8Array, fact: Fact | undefined): void {
  if (!fact) return;
  for (let i = 0; i < 8; i++) digest[i] = (digest[i] ?? 0) ^ (fact.hash[i] ?? 0);
}

/** Whether two hosts have the same records. */
export function isSame(a: Host, b: Host): boolean {
  return equal(a.digest, b.digest);
}
