/**
 * The hellos of one session with a peer of heddle's own protocol (wire/hello.ts): sealed in the
 * session's base keypair, from which the sub-keypairs of its lanes follow.
 *
 *   initiator                                responder
 *   hello                       ->           installs, may receive by lanes
 *   installs, sends by lanes    <-           hello, acknowledged
 *   hello, acknowledged         ->           sends by lanes
 *
 * asking     as initiator: our hello is repeated until theirs comes.
 * listening  as responder: we say nothing before they do.
 * answering  theirs came and what follows is installed; as responder ours is repeated until they
 *            acknowledge it, or send by a lane, which shows the same.
 * ready      the peer has our hello and installed what follows: we may send by lanes.
 * failed     nothing came in time. The session goes on as a stock one; where theirs came, ours may
 *            still be acknowledged later.
 *
 * A hello is answered unless it acknowledges ours and we are the responder: so of one that is lost
 * the repetition brings the answer, and no answer brings another. Theirs counts once: what is
 * installed stays as it is for the session, so that no key is ever used from counter zero twice.
 * Ours is the same through the session, but for its flags.
 *
 * Deadlines: HELLO_RETRY, doubled up to HELLO_RETRY_MAX, HELLO_TRIES times; HELLO_WAIT for a
 * responder. Limit: HELLO_ANSWERS. Erasure: the exporter goes when the sub-keypairs are derived,
 * when the exchange failed, and with the session.
 */

import { wipe } from '../base/bytes.js';
import { after, type Duration, earliest, type Instant, micros, NEVER } from '../base/time.js';
import { CONTROL_HELLO, emitControl } from '../wire/control.js';
import { emitHello, HELLO_VERSION, type Hello } from '../wire/hello.js';
import {
  HELLO_ANSWERS,
  HELLO_CONFIRM_WAIT,
  HELLO_RETRY,
  HELLO_RETRY_MAX,
  HELLO_TRIES,
  HELLO_WAIT,
} from './constants.js';
import { type Agreement, agree, type Features } from './features.js';
import { laneKeys } from './lane_keys.js';

export interface HelloParts {
  /** 32 bytes, owned from here on. */
  readonly exporter: Uint8Array;
  readonly ours: Features;
  readonly isInitiator: boolean;
  /** When the session was made; an initiator's first hello goes out then. */
  readonly createdAt: Instant;
}

/** The keys of one lane, 32 bytes each. */
export interface LaneKeys {
  readonly lane: number;
  readonly sendKey: Uint8Array;
  readonly receiveKey: Uint8Array;
}

/** What a hello of the peer's brings. */
export interface Heard {
  /** Of every lane, the first time; none after that. */
  readonly keys: readonly LaneKeys[];
  readonly isAnswerDue: boolean;
}

/**
 * repeat   our hello must go out again.
 * unheard  the peer uses the session and said no hello: it must be taken as it is for now.
 * failed   no more is expected.
 */
export type Due = 'repeat' | 'unheard' | 'failed';

export class HelloExchange {
  readonly #ours: Features;
  readonly #isInitiator: boolean;
  #exporter: Uint8Array | undefined;
  #agreement: Agreement | undefined;
  #isReady = false;
  #tries = 0;
  #answers = 0;
  /** When our hello is repeated, or the peer's is no longer expected. */
  #dueAt: Instant;
  #decideAt = NEVER;

  constructor({ exporter, ours, isInitiator, createdAt }: HelloParts) {
    this.#ours = ours;
    this.#isInitiator = isInitiator;
    this.#exporter = exporter;
    this.#dueAt = after(createdAt, isInitiator ? HELLO_RETRY : HELLO_WAIT);
    if (isInitiator) this.#tries = 1;
  }

  /** What follows from both hellos, once the peer's came. */
  get agreement(): Agreement | undefined {
    return this.#agreement;
  }

  /** Whether the peer has installed what follows too. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Whether the peer's hello may still come. */
  get isOpen(): boolean {
    return this.#exporter !== undefined;
  }

  deadline(): Instant {
    return earliest(this.#dueAt, this.#decideAt);
  }

  /** What is due; undefined when nothing is. To be asked again until then. */
  takeDue(now: Instant): Due | undefined {
    if (now >= this.#decideAt) {
      this.#decideAt = NEVER;
      return 'unheard';
    }
    if (now < this.#dueAt) return undefined;
    if (this.#tries === 0 || this.#tries >= HELLO_TRIES) {
      this.abandon();
      return 'failed';
    }
    this.#tries++;
    this.#dueAt = after(now, retryAfter(this.#tries));
    return 'repeat';
  }

  /** Our hello as it goes out now. */
  message(isResuming: boolean): Uint8Array {
    const { suites, lanes, trustsChecksums } = this.#ours;
    const body = emitHello({
      version: HELLO_VERSION,
      suites,
      lanes,
      takesPartialChecksums: trustsChecksums,
      isAcknowledged: this.#agreement !== undefined,
      isResuming,
    });
    return emitControl({ kind: CONTROL_HELLO, body });
  }

  /** Undefined when it comes too late to mean anything. */
  receive(hello: Hello, now: Instant): Heard | undefined {
    const isFirst = this.#agreement === undefined;
    const keys = isFirst ? this.#derive(hello) : [];
    if (!keys) return undefined;
    this.#decideAt = NEVER;
    if (hello.isAcknowledged) this.#setReady();
    else if (isFirst) this.#repeatFrom(now);
    const isAsked = this.#isInitiator || isFirst || !hello.isAcknowledged;
    const isAnswerDue = isAsked && this.#answers < HELLO_ANSWERS;
    if (isAnswerDue) this.#answers++;
    return { keys, isAnswerDue };
  }

  /** The peer sent by a lane: it has our hello, acknowledged or not. */
  laneConfirmed(): void {
    if (this.#agreement) this.#setReady();
  }

  /** The peer uses the session; its hello should be here in a moment. */
  expectSoon(now: Instant): void {
    this.#decideAt = after(now, HELLO_CONFIRM_WAIT);
  }

  /** Wants nothing any more. */
  abandon(): void {
    if (this.#exporter) wipe(this.#exporter);
    this.#exporter = undefined;
    this.#dueAt = NEVER;
    this.#decideAt = NEVER;
  }

  /** Uses up the exporter; undefined where there is none any more. */
  #derive(theirs: Hello): LaneKeys[] | undefined {
    const exporter = this.#exporter;
    if (!exporter) return undefined;
    const { suites, lanes, takesPartialChecksums } = theirs;
    const agreement = agree(this.#ours, { suites, lanes, trustsChecksums: takesPartialChecksums });
    const { suite } = agreement;
    const isInitiator = this.#isInitiator;
    const keys = Array.from({ length: agreement.keypairs }, (_, lane) => ({
      lane,
      ...laneKeys(exporter, { suite, lane, isInitiator }),
    }));
    this.#agreement = agreement;
    wipe(exporter);
    this.#exporter = undefined;
    return keys;
  }

  #setReady(): void {
    this.#isReady = true;
    this.#dueAt = NEVER;
  }

  #repeatFrom(now: Instant): void {
    this.#tries = 1;
    this.#dueAt = after(now, HELLO_RETRY);
  }
}

/** Until the hello after the `tries`th. */
function retryAfter(tries: number): Duration {
  return micros(Math.min(HELLO_RETRY * 2 ** (tries - 1), HELLO_RETRY_MAX));
}
