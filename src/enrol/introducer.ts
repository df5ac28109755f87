/**
 * A member that joiners come to. It judges nothing: a request goes to the admin that made the
 * invitation, as often as it takes, and what that admin says goes back to the joiner, together
 * with the records that tell the joiner who this member is.
 *
 * One entry for each use of an invitation:
 *
 *   asking --granted, the certificate--> granted --request--> asking (and what is held is sent)
 *      \-----refused------> gone
 *
 * asking: the admin is asked at once and then each RETRY; at the second time the joiner is told
 * whom it waits for, and again at each request of its own. granted: the joiner asks on until it
 * has all it needs, since any message can be lost; it gets what is held, and the admin is asked
 * once more for what may be missing. Another identity in the same use takes the entry over: which
 * of the two has the use is for the redeemer to say. An entry ends LIFE after its joiner last
 * asked.
 *
 * An answer counts when it has the entry's number and comes from who holds the admin key asked for.
 *
 * Deadlines: the next question, or end, of an entry. Limits: ENTRIES, further ones are refused as
 * busy; RECORDS held for each, of which the oldest goes. Source: heddle's protocol, version 1.
 */

import { unreachable } from '../base/assert.js';
import { equal } from '../base/bytes.js';
import type { NodeId } from '../base/identifiers.js';
import { after, earliest, type Instant, NEVER, seconds } from '../base/time.js';
import { nodeIdOf } from '../identity/node_id.js';
import { type JoinRequest, joinNumber } from '../wire/join.js';
import { parseRecord } from '../wire/record.js';
import type { IntroducerAction } from './action.js';
import type { IntroducerInput, RedeemerMessage } from './input.js';

const RETRY = seconds(2);
const LIFE = seconds(60);
const ENTRIES = 64;
const RECORDS = 24;
const NUMBERS = 0x1_0000_0000;

interface Entry {
  readonly number: number;
  readonly publicKey: Uint8Array;
  readonly invitation: string;
  readonly use: number;
  readonly admin: NodeId;
  request: JoinRequest;
  /** What was granted, by place. */
  readonly records: Map<string, Uint8Array>;
  isGranted: boolean;
  /** How often the admin was asked since it last answered. */
  asked: number;
  askAt: Instant;
  endAt: Instant;
}

export class Introducer {
  readonly #entries = new Map<string, Entry>();
  readonly #actions: IntroducerAction[] = [];
  #self: readonly Uint8Array[] = [];
  #nextNumber: number;

  /** `firstNumber`: random for each start, so that no answer to an earlier run fits. */
  constructor(firstNumber: number) {
    this.#nextNumber = firstNumber % NUMBERS;
  }

  /** How many joiners are being served. */
  get size(): number {
    return this.#entries.size;
  }

  handle(input: IntroducerInput, now: Instant): void {
    switch (input.kind) {
      case 'self':
        this.#self = input.records.map((record) => record.slice());
        return;
      case 'request':
        return this.#take(input, now);
      case 'answer':
        return this.#answer(input.admins, input.message);
      default:
        return unreachable(input);
    }
  }

  advance(now: Instant): void {
    for (const [key, entry] of this.#entries) {
      if (now >= entry.endAt) this.#entries.delete(key);
      else if (now >= entry.askAt) this.#ask(entry, now);
    }
  }

  deadline(): Instant {
    let next = NEVER;
    for (const { askAt, endAt } of this.#entries.values()) {
      next = earliest(next, earliest(askAt, endAt));
    }
    return next;
  }

  /** Moves what is wanted, in order, into `out`. */
  drain(out: IntroducerAction[]): void {
    for (const action of this.#actions) out.push(action);
    this.#actions.length = 0;
  }

  #take(input: Extract<IntroducerInput, { kind: 'request' }>, now: Instant): void {
    const key = `${input.invitation} ${input.use}`;
    const held = this.#entries.get(key);
    if (held && equal(held.request.identityKey, input.request.identityKey)) {
      return this.#takeAgain(held, input.request, now);
    }
    if (!held && this.#entries.size >= ENTRIES) {
      const number = joinNumber(input.request);
      const message = { kind: 'refused', number, why: 'busy' } as const;
      this.#actions.push({ kind: 'send', publicKey: input.publicKey.slice(), message });
      return;
    }
    const { invitation, use, admin } = input;
    const entry: Entry = {
      number: this.#nextNumber,
      publicKey: input.publicKey.slice(),
      ...{ invitation, use, admin },
      request: copyOf(input.request),
      records: new Map(),
      isGranted: false,
      asked: 0,
      askAt: now,
      endAt: after(now, LIFE),
    };
    this.#nextNumber = (this.#nextNumber + 1) % NUMBERS;
    this.#entries.set(key, entry);
    this.#ask(entry, now);
  }

  /** The same joiner has not all it needs. */
  #takeAgain(entry: Entry, request: JoinRequest, now: Instant): void {
    entry.request = copyOf(request);
    entry.endAt = after(now, LIFE);
    if (!entry.isGranted) {
      if (entry.asked > 1) this.#tellWaiting(entry);
      return;
    }
    this.#pass(entry);
    entry.isGranted = false;
    entry.asked = 0;
    this.#ask(entry, now);
  }

  #ask(entry: Entry, now: Instant): void {
    const { number, invitation, use, admin, request } = entry;
    entry.asked++;
    entry.askAt = after(now, RETRY);
    const message = { kind: 'forward', number, invitation, use, request } as const;
    this.#actions.push({ kind: 'forward', admin, message });
    if (entry.asked === 2) this.#tellWaiting(entry);
  }

  #tellWaiting({ publicKey, admin }: Entry): void {
    this.#actions.push({ kind: 'send', publicKey, message: { kind: 'waiting', admin } });
  }

  #answer(admins: readonly NodeId[], message: RedeemerMessage): void {
    for (const [key, entry] of this.#entries) {
      if (entry.number !== message.number || !admins.includes(entry.admin)) continue;
      if (message.kind === 'granted') return this.#granted(entry, message.record);
      this.#entries.delete(key);
      const refused = { ...message, number: joinNumber(entry.request) };
      this.#actions.push({ kind: 'send', publicKey: entry.publicKey, message: refused });
      return;
    }
  }

  /** Held until the joiner's certificate comes, which is last; then all of it goes. */
  #granted(entry: Entry, bytes: Uint8Array): void {
    const record = parseRecord(bytes);
    if (!record) return;
    entry.records.delete(record.place);
    const [oldest] = entry.records.keys();
    if (entry.records.size >= RECORDS && oldest !== undefined) entry.records.delete(oldest);
    entry.records.set(record.place, record.bytes);
    entry.asked = 0;
    const member: string = nodeIdOf(entry.request.identityKey);
    if (record.kind !== 'certificate' || record.key !== member) return;
    entry.isGranted = true;
    entry.askAt = NEVER;
    this.#pass(entry);
  }

  /** Who we are, and what was granted, in the order in which it came. */
  #pass({ publicKey, records, request }: Entry): void {
    const number = joinNumber(request);
    for (const record of [...this.#self, ...records.values()]) {
      const message = { kind: 'granted', number, record } as const;
      this.#actions.push({ kind: 'send', publicKey, message });
    }
  }
}

function copyOf({ identityKey, name, record }: JoinRequest): JoinRequest {
  return { identityKey: identityKey.slice(), name, record: record.slice() };
}
