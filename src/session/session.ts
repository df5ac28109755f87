/**
 * The session core of one peer: whether there is a session, whose turn it is to make one, and when
 * (WireGuard §5.4, §6).
 *
 * Two things go on side by side.
 * - Keypairs: which live, and which one sends (succession.ts). The walk owns the keys.
 * - An attempt to make a session as initiator: none, or one that began at some instant. While it
 *   lasts, an initiation goes out every REKEY_TIMEOUT and jitter (to a peer of heddle's protocol
 *   the first ones sooner: attempt.ts), each with fresh ephemeral keys that replace the last
 *   one's. It ends with a session made by either side, or after
 *   REKEY_ATTEMPT_TIME, when what was staged is dropped; after CONTROL_ATTEMPT_TIME where nothing
 *   but control messages wait, for the mesh tries again by itself.
 *
 * Legal moves. An attempt begins when the walk has packets and no session (`staged`), when the
 * session is due for a successor (`rekey`, asked of its initiator only), when data went unanswered,
 * when a persistent keepalive or a control message has no session, or when the peer is said to have
 * lost the one there is. As responder nothing is kept between the two
 * messages: a valid initiation makes a `next` keypair at once, and its first message makes it
 * current. A valid initiation does not end an attempt of ours (here the kernel drops its own): when
 * both sides begin together, both handshakes complete and neither waits for a repetition. Both
 * keypairs work in both directions.
 *
 * Endpoint: replaced by the source of every message that authenticates, and by what configuration
 * or a resolved name says. When a handshake has to be repeated, or the underlay changed, the local
 * address it left from is forgotten, in case that was the fault.
 *
 * Deadlines: timers.ts, and those of hellos. Limits: one attempt, one pending initiation, three
 * sessions; own handshake messages are as far apart as attempt.ts says; an initiation is accepted
 * every INITIATION_INTERVAL and with a strictly later timestamp only.
 *
 * Erasure: ephemeral keys go when the handshake completes, is repeated or is given up; keypairs as
 * keypair.ts says, and all of them 540 s after the last one was made.
 */

import { type Endpoint, withoutLocal } from '../base/address.js';
import { unreachable } from '../base/assert.js';
import type { PeerSlot } from '../base/identifiers.js';
import { type Duration, earliest, elapsed, type Instant } from '../base/time.js';
import type { SessionAction } from './action.js';
import { Attempt } from './attempt.js';
import { REKEY_TIMEOUT } from './constants.js';
import type { SessionDependencies } from './dependencies.js';
import { type Agreement, type Features, isSameFeatures } from './features.js';
import type { HandshakeDrop } from './handshake_drop.js';
import { Initiator } from './initiator.js';
import type { SessionInput } from './input.js';
import { Remote } from './remote.js';
import { Responder } from './responder.js';
import { Succession } from './succession.js';
import { SessionTimers, type Timer, type Traffic } from './timers.js';

/** Whose session it is. */
export interface SessionParts {
  readonly slot: PeerSlot;
  /** 32 bytes, borrowed. */
  readonly publicKey: Uint8Array;
}

type InitiationInput = Extract<SessionInput, { kind: 'initiation' }>;
type ControlInput = Extract<SessionInput, { kind: 'control' }>;
type ResponseInput = Extract<SessionInput, { kind: 'response' }>;

export class Session {
  readonly #dependencies: SessionDependencies;
  readonly #slot: PeerSlot;
  readonly #remote: Remote;
  readonly #succession: Succession;
  readonly #timers: SessionTimers;
  #initiator: Initiator | undefined;
  #responder: Responder | undefined;
  #endpoint: Endpoint | undefined;
  readonly #attempt = new Attempt();
  /** When the last attempt was given up. */
  #gaveUpAt: Instant | undefined;
  #roundTrip: Duration | undefined;
  readonly #actions: SessionAction[] = [];

  constructor(dependencies: SessionDependencies, parts: SessionParts) {
    this.#dependencies = dependencies;
    this.#slot = parts.slot;
    this.#remote = new Remote(parts.publicKey);
    this.#timers = new SessionTimers(dependencies.random);
    this.#succession = new Succession(dependencies.table, this.#actions);
  }

  get endpoint(): Endpoint | undefined {
    return this.#endpoint;
  }

  /** When the session in use was established; kept after its keys are gone. */
  get establishedAt(): Instant | undefined {
    return this.#succession.establishedAt;
  }

  /** What the session in use sends by; undefined with a stock peer, and until hellos were said. */
  agreement(now: Instant): Agreement | undefined {
    return this.#succession.agreement(now);
  }

  /** The round trip of the last handshake that we began. */
  get roundTrip(): Duration | undefined {
    return this.#roundTrip;
  }

  state(now: Instant): 'idle' | 'handshaking' | 'established' {
    if (this.#succession.isUsable(now)) return 'established';
    return this.#attempt.isUnderWay ? 'handshaking' : 'idle';
  }

  handle(input: SessionInput, now: Instant): void {
    switch (input.kind) {
      case 'sessionNeeded':
        return this.#needed(input.reason, now);
      case 'confirmed':
        if (this.#succession.confirmed(input.localIndex, now)) this.#endAttempt();
        return;
      case 'activity':
        return this.#judge(input.traffic, now);
      case 'control':
        return this.#receiveControl(input, now);
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
      case 'protocol':
        return this.#speak(input.features, now);
      case 'presharedKey':
        return this.#remote.setPresharedKey(input.key);
      case 'persistentKeepalive':
        return this.#setPersistentKeepalive(input.interval, now);
      case 'sendControl':
        return this.#sendControl(input.message, now);
      case 'peerRestarted':
        if (this.#succession.isUsable(now)) this.#beginAttempt(now, 'lost');
        return;
      case 'publicKey':
        return this.#remote.setPublicKey(input.publicKey);
      case 'underlayChanged':
        return this.#followUnderlay(now);
      case 'identityChanged':
        return this.#changeIdentity(now);
      case 'stop':
        this.#forget();
        return this.#remote.setPresharedKey(undefined);
      default:
        return unreachable(input);
    }
  }

  advance(now: Instant): void {
    let isAsking = false;
    for (let timer = this.#timers.takeDue(now); timer; timer = this.#timers.takeDue(now)) {
      if (timer === 'retransmitHandshake') this.#retry(now);
      else if (timer === 'zeroKeyMaterial') this.#succession.clear();
      else isAsking = true;
    }
    if (this.#succession.advance(now)) this.#endAttempt();
    if (!isAsking) return;
    this.#timers.asked();
    this.#actions.push({ kind: 'readActivity' });
  }

  deadline(): Instant {
    return earliest(this.#timers.deadline(), this.#succession.deadline());
  }

  /** What the deadline is for. */
  reason(): Timer | 'hello' | undefined {
    const isHello = this.#succession.deadline() < this.#timers.deadline();
    return isHello ? 'hello' : this.#timers.reason();
  }

  drain(out: SessionAction[]): void {
    for (const action of this.#actions) out.push(action);
    this.#actions.length = 0;
  }

  // The attempt: initiations until there is a session or REKEY_ATTEMPT_TIME is over.

  #sendControl(message: Uint8Array, now: Instant): void {
    if (this.#succession.sendControl(message, now)) return;
    if (this.#succession.fallBack(now)) return this.#endAttempt();
    if (this.#attempt.isUnderWay) return this.#attempt.wantedForControl(now);
    this.#beginAttempt(now, 'control');
  }

  #needed(reason: 'staged' | 'rekey', now: Instant): void {
    this.#attempt.wantedForData();
    if (reason === 'staged' && this.#succession.fallBack(now)) return this.#endAttempt();
    const newestAt = this.#succession.newestAt();
    // Asked for before the newest session was made: the walk asks again if it still needs one.
    if (newestAt !== undefined && elapsed(newestAt, now) < REKEY_TIMEOUT) return;
    this.#beginAttempt(now);
  }

  /** `lost`: the session in use is not answered any more. */
  #beginAttempt(now: Instant, why: 'data' | 'control' | 'lost' = 'data'): void {
    if (this.#attempt.isUnderWay) return;
    this.#attempt.begin(why, now);
    this.#initiate(now);
  }

  #retry(now: Instant): void {
    if (!this.#attempt.isUnderWay) return;
    if (this.#attempt.isOver(now)) return this.#giveUp(now);
    this.#forgetLocalAddress();
    this.#initiate(now);
  }

  /** Sends an initiation as part of the attempt, or sets the time for it. */
  #initiate(now: Instant): void {
    const giveUpAt = this.#attempt.giveUpAt(now);
    const blockedUntil = this.#attempt.blockedUntil(now);
    if (blockedUntil !== undefined) return this.#timers.retryHandshake(blockedUntil, giveUpAt);
    const gap = this.#attempt.nextGap(this.#succession.features !== undefined);
    this.#timers.handshakeInitiated(now, gap, giveUpAt);
    if (!this.#endpoint) return;
    this.#initiator ??= new Initiator(this.#dependencies, this.#slot, this.#remote);
    const datagram = this.#initiator.create(now);
    if (!datagram) {
      return this.#dropped(this.#dependencies.identity.keys ? 'unsendable' : 'no_identity');
    }
    this.#attempt.initiated(gap, now);
    this.#actions.push({ kind: 'send', endpoint: this.#endpoint, datagram });
  }

  #giveUp(now: Instant): void {
    this.#endAttempt();
    this.#gaveUpAt = now;
    this.#timers.handshakeGivenUp(now);
    this.#succession.dropControl();
    this.#actions.push({ kind: 'dropStaged' }, { kind: 'gaveUp' });
  }

  #endAttempt(): void {
    this.#attempt.end();
    this.#initiator?.abandon();
    this.#timers.handshakeEnded();
  }

  // Messages from the peer.

  #receiveInitiation(input: InitiationInput, now: Instant): void {
    this.#responder ??= new Responder(this.#dependencies, this.#slot, this.#remote);
    const session = this.#responder.respond(input.opened, now);
    if (typeof session === 'string') return this.#dropped(session);
    this.#heard(input.source, input.datagram.length);
    this.#attempt.responded(now);
    this.#succession.responded(session, now);
    this.#timers.sessionDerived(now);
    this.#actions.push({ kind: 'send', endpoint: input.source, datagram: session.datagram });
  }

  #receiveResponse(input: ResponseInput, now: Instant): void {
    const session = this.#initiator?.consume(input.datagram, now) ?? 'unknown_index';
    if (typeof session === 'string') return this.#dropped(session);
    this.#heard(input.source, input.datagram.length);
    this.#roundTrip = session.roundTrip;
    this.#attempt.answered();
    this.#succession.initiated(session, !this.#attempt.isLost, now);
    this.#timers.sessionDerived(now);
    this.#endAttempt();
  }

  #receiveControl({ localIndex, message }: ControlInput, now: Instant): void {
    if (this.#succession.receiveControl(localIndex, message, now)) this.#endAttempt();
  }

  /** A handshake message of `bytes` length authenticated. */
  #heard(source: Endpoint, bytes: number): void {
    this.#setEndpoint(source);
    this.#actions.push({ kind: 'noteHandshake', direction: 'received', bytes });
  }

  // Traffic, as far as timers hang on it.

  #judge(traffic: Traffic, now: Instant): void {
    const verdict = this.#timers.judge(traffic, now);
    if (verdict.isSilent) this.#hearNothing(traffic, now);
    if (verdict.isPersistentDue) this.#keepAlive(now);
    else if (verdict.isOwed && this.#succession.isUsable(now))
      this.#actions.push({ kind: 'sendKeepalive' });
  }

  /**
   * Data went unanswered. After an attempt that failed, only newer data is a reason for another.
   */
  #hearNothing(traffic: Traffic, now: Instant): void {
    if (!this.#succession.isUsable(now)) return this.#timers.stopLookingForSilence();
    if (this.#attempt.isUnderWay) return;
    if (this.#gaveUpAt !== undefined && traffic.lastSent <= this.#gaveUpAt) return;
    this.#forgetLocalAddress();
    this.#beginAttempt(now, 'lost');
  }

  #setPersistentKeepalive(interval: Duration | undefined, now: Instant): void {
    this.#timers.setPersistentKeepalive(interval, now);
    if (interval !== undefined) this.#keepAlive(now);
  }

  /** A persistent keepalive: where there is no session it makes one. */
  #keepAlive(now: Instant): void {
    if (this.#succession.isUsable(now)) this.#actions.push({ kind: 'sendKeepalive' });
    else if (this.#endpoint) this.#beginAttempt(now);
    else this.#timers.suspendPersistentKeepalive();
  }

  // Where the peer is.

  #moveTo(endpoint: Endpoint, now: Instant): void {
    const isFirst = this.#endpoint === undefined;
    this.#setEndpoint(endpoint);
    if (!isFirst) return;
    if (this.#attempt.isUnderWay) this.#initiate(now);
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
    if (this.#succession.isUsable(now)) this.#actions.push({ kind: 'sendKeepalive' });
    if (this.#attempt.isUnderWay) this.#initiate(now);
  }

  // Keys.

  /** A session keeps what it was made with: what changed needs a new one. */
  #speak(features: Features | undefined, now: Instant): void {
    if (isSameFeatures(this.#succession.features, features)) return;
    this.#succession.features = features;
    if (this.#succession.isUsable(now)) this.#beginAttempt(now);
  }

  /**
   * Begins anew only where packets wait: the peer is often told of our new key after us, and an
   * initiation that it refuses would be repeated no sooner than after REKEY_TIMEOUT.
   */
  #changeIdentity(now: Instant): void {
    const isWanted = this.#attempt.isUnderWay;
    this.#forget();
    this.#attempt.forgetSent();
    if (isWanted || this.#timers.isPersistent) this.#beginAttempt(now);
  }

  #forget(): void {
    this.#endAttempt();
    this.#succession.clear();
    this.#succession.dropControl();
    this.#timers.keysErased();
    this.#remote.forgetStaticStatic();
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
