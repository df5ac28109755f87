/**
 * A mesh of simulated hosts under one seed: everything that happens to it follows from the seed and
 * the calls, and a hash of all that was delivered tells two runs apart. What must always hold is in
 * safety.ts; what does not is in `faults`.
 */

import type { Endpoint } from '../../src/base/address.js';
import { SeededRandom } from '../../src/base/random.js';
import {
  after,
  type Duration,
  elapsed,
  type Instant,
  instant,
  seconds,
  toSeconds,
} from '../../src/base/time.js';
import type { SignatureSuite } from '../../src/crypto/signature.js';
import type { CryptoSuite } from '../../src/crypto/suite.js';
import type { MeshCommand, MeshResult } from '../../src/mesh/command.js';
import type { SignedRecord } from '../../src/wire/record.js';
import { EventQueue } from './event_queue.js';
import type { Wire } from './lean_hand.js';
import { CALM, Links, type LinkSettings } from './links.js';
import { premake } from './premade.js';
import { Safety } from './safety.js';
import { sharedParser } from './shared_parser.js';
import { type HostWorld, SimHost } from './sim_host.js';
import { ToyCrypto, ToySignatures } from './toy_suites.js';

const START = instant(seconds(1_000));
const FAULTS = 20;

export interface WorldOptions {
  readonly seed: string;
  readonly links?: LinkSettings;
  /** Absent: toys. */
  readonly crypto?: CryptoSuite;
  readonly suite?: SignatureSuite;
  /** How records are read; absent: once for all hosts, and looked at for faults. */
  readonly parse?: (bytes: Uint8Array) => SignedRecord | undefined;
  /** Takes what is interesting, with the time. */
  readonly tell?: (line: string) => void;
}

export class World {
  readonly hosts: SimHost[] = [];
  readonly links: Links;
  readonly random: SeededRandom;
  readonly faults: string[] = [];
  now: Instant = START;
  delivered = 0;
  readonly #queue = new EventQueue();
  readonly #byEndpoint = new Map<string, SimHost>();
  readonly #options: WorldOptions;
  readonly #world: HostWorld;
  readonly #safety: Safety;
  #hash = 0x811c9dc5;
  #request = 0;
  #checkAt: Instant = START;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.random = new SeededRandom(options.seed);
    this.links = new Links(options.links ?? CALM, this.random.fork('links'));
    this.#safety = new Safety(this);
    this.#world = {
      now: () => this.now,
      later: (at, run) => this.#queue.add(at, run),
      transmit: (from, to, wire) => this.#transmit(from, to, wire),
      note: (text) => this.note(text),
      changed: (by, index, view) => {
        if (view === 'failed') this.note(`${by.name}: n${index} failed`);
        this.#safety.changed(by, index, view);
      },
      crypto: options.crypto ?? new ToyCrypto(),
      suite: options.suite ?? new ToySignatures(),
      parse: options.parse ?? sharedParser((record) => this.#safety.saw(record)),
      random: this.random.fork('hosts'),
    };
  }

  /** Of everything that was delivered, in order. */
  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0');
  }

  add(): SimHost {
    const host = new SimHost(this.hosts.length, this.#world);
    this.hosts.push(host);
    this.#byEndpoint.set(host.endpoint.text, host);
    return host;
  }

  /** So many hosts that were members before; none is started. */
  addMembers(count: number): void {
    const hosts = Array.from({ length: count }, () => this.add());
    const { crypto, suite } = this.#world;
    premake(hosts, { crypto, suite, random: this.random.fork('premade') });
  }

  note(text: string): void {
    const { tell } = this.#options;
    if (tell) tell(`${toSeconds(elapsed(START, this.now)).toFixed(3).padStart(9)}  ${text}`);
  }

  /** Something that must not be. */
  fault(text: string): void {
    this.note(`FAULT: ${text}`);
    if (this.faults.length < FAULTS) this.faults.push(text);
  }

  /** It left or is being revoked: nothing is expected of it, and nobody may talk to it for long. */
  dismiss(host: SimHost): void {
    this.#safety.gone(host);
  }

  run(duration: Duration): void {
    this.runUntil(duration, () => false);
  }

  /** How long it took until `isDone`, asked each tenth of a second; undefined: it did not. */
  runUntil(limit: Duration, isDone: () => boolean): Duration | undefined {
    const [begin, end] = [this.now, after(this.now, limit)];
    let askAt = begin;
    while (this.now < end) {
      if (this.now >= askAt) {
        if (isDone()) return elapsed(begin, this.now);
        askAt = after(this.now, seconds(0.1));
      }
      if (this.now >= this.#checkAt) {
        this.#safety.everySecond();
        this.#checkAt = after(this.now, seconds(1));
      }
      const next = this.#queue.next ?? end;
      this.now = instant(Math.max(this.now, Math.min(next, askAt, this.#checkAt, end)));
      this.#runDue();
    }
    return isDone() ? limit : undefined;
  }

  #runDue(): void {
    for (;;) {
      const { next } = this.#queue;
      if (next === undefined || next > this.now) return;
      this.#queue.take()?.run();
    }
  }

  /** Asks a host's mesh, and runs until the answer is there; undefined: it was refused. */
  ask(host: SimHost, command: MeshCommand): MeshResult | undefined {
    const request = ++this.#request;
    host.feedMesh({ kind: 'command', request, command });
    this.runUntil(seconds(5), () => host.answers.has(request));
    const answer = host.answers.get(request);
    host.answers.delete(request);
    if (answer?.ok) return answer.result;
    this.note(`${host.name}: ${command.kind}: ${answer?.error ?? 'no answer'}`);
    return undefined;
  }

  /** Those of whom anything is expected. */
  get present(): SimHost[] {
    return this.hosts.filter(({ isUp, isGone }) => isUp && !isGone);
  }

  /**
   * All that are up said that they are, see all others that are up alive, and hold the same: so
   * each holds what each said since it started.
   */
  get isWhole(): boolean {
    const present = this.present;
    const digest = present[0]?.digest;
    const isSeen = (by: SimHost): boolean =>
      present.every(({ index }) => index === by.index || by.views?.isAlive(index) === true);
    return present.every((host) => host.hasSpoken && host.digest === digest && isSeen(host));
  }

  /** Why it is not whole: a line a host. */
  whyNotWhole(): string[] {
    const present = this.present;
    return present.map((host) => {
      const missing = present.filter(
        ({ index }) => index !== host.index && host.views?.isAlive(index) !== true,
      );
      const said = host.hasSpoken ? '' : ', silent';
      const views = missing.map(({ index, name }) => `${name} ${host.views?.of(index)}`);
      return `${host.name}: holds ${host.digest}${said}; sees ${views.join(', ') || 'all'}`;
    });
  }

  #transmit(from: SimHost, to: Endpoint, wire: Wire): void {
    const target = this.#byEndpoint.get(to.text);
    if (!target) return;
    this.#safety.sent(from, target);
    for (const at of this.links.arrivals(from.index, target.index, this.now)) {
      this.#queue.add(at, () => {
        if (!this.links.isOpen(from.index, target.index)) return;
        this.delivered++;
        this.#mix(from.index, target.index, wire);
        target.receive(wire, from.endpoint);
      });
    }
  }

  #mix(from: number, to: number, wire: Wire): void {
    const bytes = wire.kind === 'handshake' ? wire.datagram : wire.message;
    const add = (value: number): void => {
      this.#hash = Math.imul(this.#hash ^ value, 0x01000193);
    };
    add(this.now & 0xffffffff);
    add(from);
    add(to);
    for (let i = 0; bytes && i < bytes.length; i += 7) add(bytes[i] ?? 0);
  }
}
