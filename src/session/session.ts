/**
 * The session core of one peer: whether there is a session, whose turn it is to make one, and when
 * (WireGuard §5.4, §6).
 *
 * Two things go on side by side.
 * - Keypairs: none, or up to previous, current and next (keypair.ts). The walk owns the keys; this
 *   core says which live.
 * - An attempt to make a session as initiator: none, or one that began at some instant. While it
 *   lasts, an initiation goes out every REKEY_TIMEOUT and jitter, each with fresh ephemeral keys
 *   that replace the last one's. It ends with a session made by either side, or after
 *   REKEY_ATTEMPT_TIME, when what was staged is dropped.
 *
 * Legal moves. An attempt begins when the walk has packets and no session (`staged`), when the
 * session is due for a successor (`rekey`, asked of its initiator only), when data went unanswered,
 * or when a persistent keepalive has no session. As responder nothing is kept between the two
 * messages: a valid initiation makes a `next` keypair at once, and its first message makes it
 * current. A valid initiation does not end an attempt of ours (here the kernel drops its own): when
 * both sides begin together, both handshakes complete and neither waits for a repetition. Both
 * keypairs work in both directions.
 *
 * Endpoint: replaced by the source of every message that authenticates, and by what configuration
 * or a resolved name says. When a handshake has to be repeated, or the underlay changed, the local
 * address it left from is forgotten, in case that was the fault.
 *
 * Deadlines: timers.ts. Limits: one attempt, one pending initiation, three keypairs; own handshake
 * messages begin at least REKEY_TIMEOUT apart; an initiation is accepted every INITIATION_INTERVAL
 * and with a strictly later timestamp only.
 *
 * Erasure: ephemeral keys go when the handshake completes, is repeated or is given up; keypairs as
 * keypair.ts says, and all of them 540 s after the last one was made.
 */

import { type Endpoint, withoutLocal } from '../base/address.js';
import { unreachable } from '../base/assert.js';
import type { PeerSlot, SessionIndex } from '../base/identifiers.js';
import { after, type Duration, elapsed, type Instant } from '../base/time.js';
import type { SessionAction } from './action.js';
import { REJECT_AFTER_TIME, REKEY_ATTEMPT_TIME, REKEY_TIMEOUT } from './constants.js';
import type { SessionDependencies } from './dependencies.js';
import type { SessionKeys } from './handshake.js';
import type { HandshakeDrop } from './handshake_drop.js';
import { Initiator } from './initiator.js';
import type { SessionInput } from './input.js';
import { type Keypair, Keypairs } from './keypair.js';
import { Remote } from './remote.js';
import { Responder } from './responder.js';
import { SessionTimers, type Timer, type Traffic } from './timers.js';

/** Whose session it is. */
export interface SessionParts {
  readonly slot: PeerSlot;
  /** 32 bytes, borrowed. */
  readonly publicKey: Uint8Array;
}

type InitiationInput = Extract<SessionInput, { kind: 'initiation' }>;
type ResponseInput = Extract<SessionInput, { kind: 'response' }>;

/** What both roles of a handshake bring. */
interface MadeSession {
  readonly keys: SessionKeys;
  readonly localIndex: SessionIndex;
  readonly remoteIndex: SessionIndex;
}

export class Session {
  readonly #dependencies: SessionDependencies;
  readonly #slot: PeerSlot;
  readonly #remote: Remote;
  readonly #keypairs = new Keypairs();
  readonly #timers: SessionTimers;
  #initiator: Initiator | undefined;
  #responder: Responder | undefined;
  #endpoint: Endpoint | undefined;
  /** When the attempt under way began, and when the last one was given up. */
  #attemptSince: Instant | undefined;
  #gaveUpAt: Instant | undefined;
  /** When our last initiation or response went out. */
  #handshakeSentAt: Instant | undefined;
  #establishedAt: Instant | undefined;
  #roundTrip: Duration | undefined;
  readonly #actions: SessionAction[] = [];

  constructor(dependencies: SessionDependencies, parts: SessionParts) {
    this.#dependencies = dependencies;
    this.#slot = parts.slot;
    this.#remote = new Remote(parts.publicKey);
    this.#timers = new SessionTimers(dependencies.random);
  }

  get endpoint(): Endpoint | undefined {
    return this.#endpoint;
  }

  /** When the session in use was established; kept after its keys are gone. */
  get establishedAt(): Instant | undefined {
    return this.#establishedAt;
  }

  /** The round trip of the last handshake that we began. */
  get roundTrip(): Duration | undefined {
    return this.#roundTrip;
  }

  state(now: Instant): 'idle' | 'handshaking' | 'established' {
    if (this.#isUsable(now)) return 'established';
    return this.#attemptSince === undefined ? 'idle' : 'handshaking';
  }

  handle(input: SessionInput, now: Instant): void {
    switch (input.kind) {
      case 'sessionNeeded':
        return this.#needed(now);
      case 'confirmed':
        return this.#confirmed(input.localIndex, now);
      case 'activity':
        return this.#judge(input.traffic, now);
      case 'endpoint':
        return this.#moveTo(input.endpoint, now);
      case 'initiation':
        return this.#receiveInitiation(input, now);
      case 'response':
        return this.#receiveResponse(input, now);
      case 'cookieReply':
        return this.#dropped(
          this.#remote.cookie.consume(this.#dependencies.crypto, input.datagram, now),
        );
      case 'presharedKey':
        return this.#remote.setPresharedKey(input.key);
      case 'persistentKeepalive':
        return this.#setPersistentKeepalive(input.interval, now);
      case 'underlayChanged':
        return this.#followUnderlay(now);
      case 'identityChanged':
        return this.#changeIdentity(now);
      case 'stop':
        return this.#forget();
      default:
        return unreachable(input);
    }
  }

  advance(now: Instant): void {
    let isAsking = false;
    for (let timer = this.#timers.takeDue(now); timer; timer = this.#timers.takeDue(now)) {
      if (timer === 'retransmitHandshake') this.#retry(now);
      else if (timer === 'zeroKeyMaterial') this.#removeKeypairs(this.#keypairs.clear());
      else isAsking = true;
    }
    if (!isAsking) return;
    this.#timers.asked();
    this.#actions.push({ kind: 'readActivity' });
  }

  deadline(): Instant {
    return this.#timers.deadline();
  }

  /** What the deadline is for. */
  reason(): Timer | undefined {
    return this.#timers.reason();
  }

  drain(out: SessionAction[]): void {
    for (const action of this.#actions) out.push(action);
    this.#actions.length = 0;
  }

  // The attempt: initiations until there is a session or REKEY_ATTEMPT_TIME is over.

  #needed(now: Instant): void {
    const current = this.#keypairs.current;
    // Asked for before the session in use now was made: the walk asks again if it still needs one.
    if (current && elapsed(current.createdAt, now) < REKEY_TIMEOUT) return;
    this.#beginAttempt(now);
  }

  #beginAttempt(now: Instant): void {
    if (this.#attemptSince !== undefined) return;
    this.#attemptSince = now;
    this.#initiate(now);
  }

  #retry(now: Instant): void {
    if (this.#attemptSince === undefined) return;
    if (elapsed(this.#attemptSince, now) >= REKEY_ATTEMPT_TIME) return this.#giveUp(now);
    this.#forgetLocalAddress();
    this.#initiate(now);
  }

  /** Sends an initiation as part of the attempt, or sets the time for it. */
  #initiate(now: Instant): void {
    const giveUpAt = after(this.#attemptSince ?? now, REKEY_ATTEMPT_TIME);
    const nextAt =
      this.#handshakeSentAt !== undefined ? after(this.#handshakeSentAt, REKEY_TIMEOUT) : undefined;
    if (nextAt !== undefined && now < nextAt) return this.#timers.retryHandshake(nextAt, giveUpAt);
    this.#timers.handshakeInitiated(now, giveUpAt);
    if (!this.#endpoint) return;
    this.#initiator ??= new Initiator(this.#dependencies, this.#slot, this.#remote);
    const datagram = this.#initiator.create(now);
    if (!datagram) {
      return this.#dropped(this.#dependencies.identity.keys ? 'unsendable' : 'no_identity');
    }
    this.#handshakeSentAt = now;
    this.#actions.push({ kind: 'send', endpoint: this.#endpoint, datagram });
  }

  #giveUp(now: Instant): void {
    this.#endAttempt();
    this.#gaveUpAt = now;
    this.#timers.handshakeGivenUp(now);
    this.#actions.push({ kind: 'dropStaged' }, { kind: 'gaveUp' });
  }

  #endAttempt(): void {
    this.#attemptSince = undefined;
    this.#initiator?.abandon();
    this.#timers.handshakeEnded();
  }

  // Messages from the peer.

  #receiveInitiation(input: InitiationInput, now: Instant): void {
    this.#responder ??= new Responder(this.#dependencies, this.#slot, this.#remote);
    const session = this.#responder.respond(input.opened, now);
    if (typeof session === 'string') return this.#dropped(session);
    this.#heard(input.source, input.datagram.length);
    this.#handshakeSentAt = now;
    const keypair = this.#install(session, false, now);
    this.#removeKeypairs(this.#keypairs.add(keypair));
    this.#actions.push({ kind: 'send', endpoint: input.source, datagram: session.datagram });
  }

  #receiveResponse(input: ResponseInput, now: Instant): void {
    const session = this.#initiator?.consume(input.datagram, now) ?? 'unknown_index';
    if (typeof session === 'string') return this.#dropped(session);
    this.#heard(input.source, input.datagram.length);
    this.#roundTrip = session.roundTrip;
    const keypair = this.#install(session, true, now);
    this.#actions.push({ kind: 'useKeypair', localIndex: keypair.localIndex });
    this.#removeKeypairs(this.#keypairs.add(keypair));
    this.#established(true, now);
  }

  /** The initiator has the keypair too: from now on we send with it. */
  #confirmed(localIndex: SessionIndex, now: Instant): void {
    const dead = this.#keypairs.confirm(localIndex);
    if (!dead) return;
    this.#actions.push({ kind: 'useKeypair', localIndex });
    this.#removeKeypairs(dead);
    this.#established(false, now);
  }

  #established(isInitiator: boolean, now: Instant): void {
    this.#endAttempt();
    this.#establishedAt = now;
    this.#actions.push({ kind: 'flushStaged', orKeepalive: isInitiator });
    this.#actions.push({ kind: 'established', isInitiator });
  }

  /** A handshake message of `bytes` length authenticated. */
  #heard(source: Endpoint, bytes: number): void {
    this.#setEndpoint(source);
    this.#actions.push({ kind: 'noteHandshake', direction: 'received', bytes });
  }

  /** Hands the keys to the walk; from here on only it has them. */
  #install(session: MadeSession, isInitiator: boolean, now: Instant): Keypair {
    const { localIndex, remoteIndex } = session;
    const keypair: Keypair = { localIndex, remoteIndex, createdAt: now, isInitiator };
    this.#actions.push({ kind: 'installKeypair', keypair: { ...keypair, ...session.keys } });
    this.#timers.sessionDerived(now);
    return keypair;
  }

  #removeKeypairs(keypairs: readonly Keypair[]): void {
    for (const { localIndex } of keypairs) {
      this.#dependencies.table.release(localIndex);
      this.#actions.push({ kind: 'removeKeypair', localIndex });
    }
  }

  // Traffic, as far as timers hang on it.

  #judge(traffic: Traffic, now: Instant): void {
    const verdict = this.#timers.judge(traffic, now);
    if (verdict.isSilent) this.#hearNothing(traffic, now);
    if (verdict.isPersistentDue) this.#keepAlive(now);
    else if (verdict.isOwed && this.#isUsable(now)) this.#actions.push({ kind: 'sendKeepalive' });
  }

  /**
   * Data went unanswered. After an attempt that failed, only newer data is a reason for another.
   */
  #hearNothing(traffic: Traffic, now: Instant): void {
    if (!this.#isUsable(now)) return this.#timers.stopLookingForSilence();
    if (this.#attemptSince !== undefined) return;
    if (this.#gaveUpAt !== undefined && traffic.lastSent <= this.#gaveUpAt) return;
    this.#forgetLocalAddress();
    this.#beginAttempt(now);
  }

  #setPersistentKeepalive(interval: Duration | undefined, now: Instant): void {
    this.#timers.setPersistentKeepalive(interval, now);
    if (interval !== undefined) this.#keepAlive(now);
  }

  /** A persistent keepalive: where there is no session it makes one. */
  #keepAlive(now: Instant): void {
    if (this.#isUsable(now)) this.#actions.push({ kind: 'sendKeepalive' });
    else if (this.#endpoint) this.#beginAttempt(now);
    else this.#timers.suspendPersistentKeepalive();
  }

  // Where the peer is.

  #moveTo(endpoint: Endpoint, now: Instant): void {
    const isFirst = this.#endpoint === undefined;
    this.#setEndpoint(endpoint);
    if (!isFirst) return;
    if (this.#attemptSince !== undefined) this.#initiate(now);
    this.#timers.resumePersistentKeepalive(now);
    if (this.#timers.isPersistent) this.#keepAlive(now);
  }

  #setEndpoint(endpoint: Endpoint): void {
    if (this.#endpoint && isSame(this.#endpoint, endpoint)) return;
    this.#endpoint = endpoint;
    this.#actions.push({ kind: 'setEndpoint', endpoint });
  }

  #forgetLocalAddress(): void {
    const endpoint = this.#endpoint;
    if (endpoint?.local) this.#setEndpoint(withoutLocal(endpoint));
  }

  /** Where ours leave from may be another place now: the peer learns it from a message at once. */
  #followUnderlay(now: Instant): void {
    this.#forgetLocalAddress();
    if (this.#isUsable(now)) this.#actions.push({ kind: 'sendKeepalive' });
    if (this.#attemptSince !== undefined) this.#initiate(now);
  }

  // Keys.

  /**
   * Begins anew only where packets wait: the peer is often told of our new key after us, and an
   * initiation that it refuses would be repeated no sooner than after REKEY_TIMEOUT.
   */
  #changeIdentity(now: Instant): void {
    const isWanted = this.#attemptSince !== undefined;
    this.#forget();
    this.#handshakeSentAt = undefined;
    if (isWanted || this.#timers.isPersistent) this.#beginAttempt(now);
  }

  #forget(): void {
    this.#endAttempt();
    this.#removeKeypairs(this.#keypairs.clear());
    this.#timers.keysErased();
    this.#remote.forgetStaticStatic();
  }

  #isUsable(now: Instant): boolean {
    const current = this.#keypairs.current;
    return current !== undefined && elapsed(current.createdAt, now) < REJECT_AFTER_TIME;
  }

  #dropped(reason: HandshakeDrop | undefined): void {
    if (reason !== undefined) this.#actions.push({ kind: 'handshakeDropped', reason });
  }
}

function isSame(a: Endpoint, b: Endpoint): boolean {
  return (
    a.text === b.text &&
    a.vni === b.vni &&
    a.local?.address.text === b.local?.address.text &&
    a.local?.interfaceIndex === b.local?.interfaceIndex
  );
}
