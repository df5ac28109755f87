/**
 * Who has a join line and wants to become a member. The line lets several hosts join, each by one
 * of its uses; a use is an X25519 key that follows from the line's seed, by which the host makes
 * its first sessions, with the introducers that the line names. In them it may do one thing: ask.
 *
 *   idle --record--> asking --certified--> joined
 *                       \---refused-----> refused
 *
 * asking: a request stands with every introducer at once. Which use is taken first is random, so
 * that hosts that share a line seldom meet; where another host has it, the next is. An introducer
 * that has a session and does not answer is asked again after RETRY, then each time twice as late
 * up to RETRY_LIMIT, for ever; one without a session when its handshake was given up, or after
 * QUEUED. Records that are granted go to the caller, who verifies them and says when they suffice
 * (`certified`); until then asking goes on, so that a lost message costs one retry.
 *
 * What an introducer says to another host that met us in one use is not for us: its number tells.
 * An introducer's refusal is not the end as long as another could know better: it ends when all
 * refuse, or SETTLING after the first when no other is about to grant. `busy` never ends it. The
 * redeemer knows an identity again, so that asking twice, or by two introducers, takes one use.
 *
 * Deadlines: each introducer's next request; SETTLING; SILENCE, after which the caller is told that
 * nobody answers. Limit: the line's introducers, three. Source: heddle's protocol, version 1.
 */

import { equal } from '../base/bytes.js';
import type { Endpoint } from '../base/address.js';
import type { NodeId } from '../base/identifiers.js';
import type { Random } from '../base/random.js';
import {
  after,
  type Duration,
  earliest,
  type Instant,
  micros,
  NEVER,
  seconds,
} from '../base/time.js';
import { unreachable } from '../base/assert.js';
import { invitationKey } from '../identity/invitation_key.js';
import type { JoinLine } from '../identity/join_line.js';
import { type JoinMessage, type JoinRefusal, joinNumber } from '../wire/join.js';
import type { JoinerAction } from './action.js';
import type { JoinerInput } from './input.js';

const RETRY = seconds(1);
const RETRY_LIMIT = seconds(10);
/** For a request that waits for a session. */
const QUEUED = seconds(30);
const SETTLING = seconds(5);
const SILENCE = seconds(5);
/** Admins that the caller is told of, at most. */
const TOLD = 3;

export interface JoinerConfig {
  readonly line: JoinLine;
  /** Ed25519 public key, 32 bytes. */
  readonly identityKey: Uint8Array;
  readonly name: string;
  /** When the line expires, as this host's clock has it: only a hint, the admin decides. */
  readonly expiresAt: Instant;
}

interface Introducer {
  readonly publicKey: Uint8Array;
  readonly endpoint: Endpoint;
  hasSession: boolean;
  /** What it said, where that was a refusal that could be the end. */
  refusal: JoinRefusal | undefined;
  delay: Duration;
  dueAt: Instant;
}

export class Joiner {
  readonly #config: JoinerConfig;
  readonly #random: Random;
  readonly #introducers: readonly Introducer[];
  readonly #actions: JoinerAction[] = [];
  readonly #waitedFor = new Set<NodeId>();
  #phase: 'idle' | 'asking' | 'joined' | 'refused' = 'idle';
  #record = new Uint8Array(0);
  #use = 0;
  /** How many of the uses were tried, this one included. */
  #tried = 0;
  #settleAt: Instant = NEVER;
  #silentAt: Instant = NEVER;

  constructor(config: JoinerConfig, random: Random) {
    this.#config = config;
    this.#random = random;
    this.#introducers = config.line.introducers.map(({ publicKey, endpoint }) => ({
      publicKey: publicKey.slice(),
      endpoint,
      hasSession: false,
      refusal: undefined,
      delay: RETRY,
      dueAt: NEVER,
    }));
  }

  get phase(): 'idle' | 'asking' | 'joined' | 'refused' {
    return this.#phase;
  }

  /** Whether this is the key of one of the line's introducers, and we still ask it. */
  asks(publicKey: Uint8Array): boolean {
    return this.#phase === 'asking' && this.#find(publicKey) !== undefined;
  }

  handle(input: JoinerInput, now: Instant): void {
    switch (input.kind) {
      case 'record':
        this.#record = input.record.slice();
        if (this.#phase === 'idle') this.#begin(now);
        return;
      case 'session':
        return this.#session(input.publicKey, input.isMade, now);
      case 'message':
        return this.#receive(input.publicKey, input.message, now);
      case 'certified':
        if (this.#phase !== 'asking') return;
        this.#end('joined');
        this.#actions.push({ kind: 'joined' });
        return;
      default:
        return unreachable(input);
    }
  }

  advance(now: Instant): void {
    if (this.#phase !== 'asking') return;
    if (now >= this.#silentAt) {
      this.#silentAt = NEVER;
      this.#actions.push({ kind: 'silent', isExpired: now >= this.#config.expiresAt });
    }
    if (now >= this.#settleAt) return this.#refuse();
    for (const introducer of this.#introducers) {
      if (now >= introducer.dueAt) this.#ask(introducer, now);
    }
  }

  deadline(): Instant {
    let next = earliest(this.#settleAt, this.#silentAt);
    for (const { dueAt } of this.#introducers) next = earliest(next, dueAt);
    return next;
  }

  /** Moves what is wanted, in order, into `out`. */
  drain(out: JoinerAction[]): void {
    for (const action of this.#actions) out.push(action);
    this.#actions.length = 0;
  }

  #begin(now: Instant): void {
    this.#phase = 'asking';
    this.#use = this.#random.below(this.#config.line.uses);
    this.#silentAt = after(now, SILENCE);
    this.#takeUse(now);
  }

  /** Sessions by this use's key, and a request in each. */
  #takeUse(now: Instant): void {
    this.#tried++;
    this.#settleAt = NEVER;
    const privateKey = invitationKey(this.#config.line.seed, this.#use);
    this.#actions.push({ kind: 'useKey', privateKey });
    for (const introducer of this.#introducers) {
      const { publicKey, endpoint } = introducer;
      this.#actions.push({ kind: 'addPeer', publicKey, endpoint });
      introducer.hasSession = false;
      introducer.refusal = undefined;
      introducer.delay = RETRY;
      this.#ask(introducer, now);
    }
  }

  #ask(introducer: Introducer, now: Instant): void {
    const { identityKey, name } = this.#config;
    const request = { identityKey, name, record: this.#record };
    const { publicKey } = introducer;
    this.#actions.push({ kind: 'send', publicKey, message: { kind: 'request', request } });
    if (introducer.hasSession) this.#askLater(introducer, now);
    else introducer.dueAt = after(now, QUEUED);
  }

  #askLater(introducer: Introducer, now: Instant): void {
    const { delay } = introducer;
    introducer.dueAt = after(now, micros(delay + this.#random.below(delay / 4)));
    introducer.delay = micros(Math.min(2 * delay, RETRY_LIMIT));
  }

  /** What waited for the session goes out with it; what was given up is asked again. */
  #session(publicKey: Uint8Array, isMade: boolean, now: Instant): void {
    const introducer = this.#find(publicKey);
    if (!introducer || this.#phase !== 'asking') return;
    const isNews = introducer.hasSession !== isMade;
    introducer.hasSession = isMade;
    if (isMade && isNews) introducer.delay = RETRY;
    if (isNews || !isMade) this.#askLater(introducer, now);
  }

  #receive(publicKey: Uint8Array, message: JoinMessage, now: Instant): void {
    const introducer = this.#find(publicKey);
    if (!introducer || this.#phase !== 'asking') return;
    if ('number' in message && message.number !== joinNumber(this.#config)) return;
    switch (message.kind) {
      case 'granted':
        this.#goesOn(introducer);
        this.#actions.push({ kind: 'granted', record: message.record.slice() });
        return;
      case 'waiting':
        this.#goesOn(introducer);
        if (this.#waitedFor.has(message.admin) || this.#waitedFor.size >= TOLD) return;
        this.#waitedFor.add(message.admin);
        this.#actions.push({ kind: 'waiting', admin: message.admin });
        return;
      case 'refused':
        this.#silentAt = NEVER;
        return this.#refusedBy(introducer, message.why, now);
      case 'request':
      case 'forward':
        return;
      default:
        return unreachable(message);
    }
  }

  /** One of them does not refuse: it is not the end. */
  #goesOn(introducer: Introducer): void {
    introducer.refusal = undefined;
    this.#silentAt = NEVER;
    this.#settleAt = NEVER;
  }

  #refusedBy(introducer: Introducer, why: JoinRefusal, now: Instant): void {
    if (why === 'busy') return;
    if (why === 'used' && this.#tried < this.#config.line.uses) {
      this.#dropPeers();
      this.#use = (this.#use + 1) % this.#config.line.uses;
      return this.#takeUse(now);
    }
    introducer.refusal = why;
    introducer.delay = RETRY_LIMIT;
    this.#askLater(introducer, now);
    if (this.#settleAt === NEVER) this.#settleAt = after(now, SETTLING);
    if (this.#introducers.every(({ refusal }) => refusal !== undefined)) this.#refuse();
  }

  #refuse(): void {
    const why = this.#introducers.find(({ refusal }) => refusal)?.refusal ?? 'unknown_invitation';
    this.#end('refused');
    this.#actions.push({ kind: 'refused', why });
  }

  #end(phase: 'joined' | 'refused'): void {
    this.#phase = phase;
    this.#settleAt = NEVER;
    this.#silentAt = NEVER;
    for (const introducer of this.#introducers) introducer.dueAt = NEVER;
    this.#actions.push({ kind: 'useKey', privateKey: undefined });
    this.#dropPeers();
  }

  #dropPeers(): void {
    for (const { publicKey } of this.#introducers) {
      this.#actions.push({ kind: 'removePeer', publicKey });
    }
  }

  #find(publicKey: Uint8Array): Introducer | undefined {
    return this.#introducers.find((each) => equal(each.publicKey, publicKey));
  }
}
