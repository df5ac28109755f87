/**
 * Which sessions of one peer live and which one sends: the keypairs of keypair.ts with, for a peer
 * of heddle's own protocol, their hellos and sub-keypairs. Everything it wants of the walk it
 * pushes to the actions of its owner.
 *
 * A session with a stock peer is used as WireGuard says. One with a peer of heddle's own is used by
 * its base keypair first and by its lanes as soon as its hellos are exchanged. While an earlier
 * session sends by lanes, the new one is not used before that, so that no flow leaves its lane in
 * mid-stream: as initiator ours waits, and says in its hello that we resume; as responder the next
 * one waits where the peer says so, and is used at once where it does not, since that peer has lost
 * the earlier session. When the hellos come to nothing, or the earlier session expires, the new
 * one's base keypair is used.
 *
 * Where both sides began at once there are two new sessions, and both come to the same
 * (isCrossingWinner). A hello counts for the session it came in, as long as that lives.
 *
 * A change of our features counts from the next session on.
 *
 * Deadline: those of the hellos. Erasure: with each session that dies its sub-keypairs, and the
 * exporter of its hellos.
 */

import { wipe } from '../base/bytes.js';
import type { SessionIndex } from '../base/identifiers.js';
import { earliest, elapsed, type Instant, NEVER } from '../base/time.js';
import {
  CONTROL_HELLO,
  CONTROL_KINDS,
  type ControlMessage,
  parseControl,
} from '../wire/control.js';
import { type Hello, parseHello } from '../wire/hello.js';
import type { SessionAction } from './action.js';
import { REJECT_AFTER_TIME } from './constants.js';
import type { ControlDrop } from './control_drop.js';
import { ControlOutbox } from './control_outbox.js';
import type { Agreement, Features } from './features.js';
import type { SessionKeys } from './handshake.js';
import { HelloExchange, type LaneKeys } from './hello_exchange.js';
import { isCrossingWinner, type Keypair, type KeypairName, Keypairs } from './keypair.js';
import { baseIndex, isLaneIndex, laneIndex } from './lane_keys.js';
import type { SessionTable } from './session_table.js';

/** What a completed handshake brings. */
export interface MadeSession {
  readonly keys: SessionKeys;
  readonly localIndex: SessionIndex;
  readonly remoteIndex: SessionIndex;
}

export class Succession {
  readonly #table: SessionTable;
  readonly #actions: SessionAction[];
  readonly #keypairs = new Keypairs();
  readonly #outbox = new ControlOutbox();
  #features: Features | undefined;
  #establishedAt: Instant | undefined;

  /** `actions`: the owner's, to push to. */
  constructor(table: SessionTable, actions: SessionAction[]) {
    this.#table = table;
    this.#actions = actions;
  }

  get establishedAt(): Instant | undefined {
    return this.#establishedAt;
  }

  /** Undefined: the peer is a stock one. From the next session on. */
  get features(): Features | undefined {
    return this.#features;
  }

  set features(features: Features | undefined) {
    this.#features = features;
  }

  isUsable(now: Instant): boolean {
    return isAlive(this.#keypairs.current, now);
  }

  /** When the newest session that we made or use was made. */
  newestAt(): Instant | undefined {
    return (this.#keypairs.waiting ?? this.#keypairs.current)?.createdAt;
  }

  /** What the session in use sends by; undefined while that is a base keypair. */
  agreement(now: Instant): Agreement | undefined {
    const { current } = this.#keypairs;
    if (!isAlive(current, now) || !current?.exchange?.isReady) return undefined;
    return current.exchange.agreement;
  }

  deadline(): Instant {
    let deadline = NEVER;
    for (const { exchange } of this.#keypairs.all()) {
      if (exchange) deadline = earliest(deadline, exchange.deadline());
    }
    return deadline;
  }

  /** A response made a session. `mayWait`: the session in use is not known to be lost. */
  initiated(session: MadeSession, mayWait: boolean, now: Instant): void {
    const keypair = this.#install(session, true, now);
    const waits = keypair.exchange !== undefined && mayWait && this.agreement(now) !== undefined;
    if (waits) this.#remove(this.#keypairs.addWaiting(keypair));
    else {
      this.#actions.push({ kind: 'useKeypair', localIndex: keypair.localIndex });
      this.#remove(this.#keypairs.add(keypair));
    }
    this.#sayHello(keypair);
    this.#flushControl(now);
    if (!waits) this.#actions.push({ kind: 'flushStaged', orKeepalive: true });
    this.#establish(true, now);
  }

  /** We answered an initiation. */
  responded(session: MadeSession, now: Instant): void {
    this.#remove(this.#keypairs.add(this.#install(session, false, now)));
  }

  /** A first message came under this keypair. True when a session of the peer's came into use. */
  confirmed(localIndex: SessionIndex, now: Instant): boolean {
    const keypair = this.#keypairs.find(baseIndex(localIndex));
    if (!keypair) return false;
    this.#settle(keypair, now);
    const { exchange } = keypair;
    if (isLaneIndex(localIndex)) {
      const wasReady = exchange?.isReady;
      exchange?.laneConfirmed();
      return exchange?.isReady === true && !wasReady && this.#becomeReady(keypair, now);
    }
    if (keypair !== this.#keypairs.next) return false;
    // What the peer's hello said of the session in use stands.
    if (exchange?.agreement && this.agreement(now)) return false;
    if (!exchange?.isOpen || !this.agreement(now)) return this.#takeOver(keypair, now);
    exchange.expectSoon(now);
    return false;
  }

  /** True when a session of the peer's came into use by it. */
  receiveControl(localIndex: SessionIndex, message: Uint8Array, now: Instant): boolean {
    const control = parseControl(message);
    if (!control) return this.#drop('control_malformed');
    if (control.kind !== CONTROL_HELLO) return this.#pass(localIndex, control);
    const hello = parseHello(control.body);
    if (!hello) return this.#drop('control_malformed');
    const keypair = this.#keypairs.find(localIndex);
    if (!keypair?.exchange) return this.#drop('control_stale');
    return this.#hear(keypair, keypair.exchange, hello, now);
  }

  /**
   * Packets wait for a session. True when there is one to fall back on: its base keypair, though
   * its hellos are not over.
   */
  fallBack(now: Instant): boolean {
    const { waiting, next } = this.#keypairs;
    const heard = next?.exchange?.agreement ? next : undefined;
    const keypair = [waiting, heard].find((each) => isAlive(each, now));
    if (!keypair || this.isUsable(now)) return false;
    this.#takeOver(keypair, now);
    return true;
  }

  /** True when a session of the peer's came into use. */
  advance(now: Instant): boolean {
    let isNew = false;
    for (const keypair of this.#keypairs.all()) {
      const { exchange } = keypair;
      for (let due = exchange?.takeDue(now); due; due = exchange?.takeDue(now)) {
        if (due === 'repeat') this.#sayHello(keypair);
        else if (due === 'failed') isNew = this.#fail(keypair, now) || isNew;
        else if (keypair === this.#keypairs.next) isNew = this.#takeOver(keypair, now) || isNew;
      }
    }
    return isNew;
  }

  clear(): void {
    this.#remove(this.#keypairs.clear());
  }

  /** False when it waits for a session; a stock peer is said nothing. */
  sendControl(message: Uint8Array, now: Instant): boolean {
    if (!this.#features) {
      this.#drop('control_unsent');
      return true;
    }
    if (this.#outbox.add(message)) this.#drop('control_unsent');
    this.#flushControl(now);
    return this.#outbox.isEmpty;
  }

  /** What waits for a session waits in vain. */
  dropControl(): void {
    for (const _ of this.#outbox.take()) this.#drop('control_unsent');
  }

  #flushControl(now: Instant): void {
    const { current } = this.#keypairs;
    if (this.#outbox.isEmpty || !current?.exchange || !isAlive(current, now)) return;
    const { localIndex } = current;
    for (const message of this.#outbox.take()) {
      this.#actions.push({ kind: 'sendControl', localIndex, message });
    }
  }

  /** For those above: what came in a session that lives. */
  #pass(localIndex: SessionIndex, { kind, body }: ControlMessage): false {
    if (kind > CONTROL_KINDS) return this.#drop('control_unknown');
    if (!this.#keypairs.find(localIndex)) return this.#drop('control_stale');
    this.#actions.push({ kind: 'controlReceived', message: { kind, body: body.slice() } });
    return false;
  }

  /** Hands the keys to the walk; from here on only it has them. */
  #install({ keys, ...indices }: MadeSession, isInitiator: boolean, now: Instant): Keypair {
    const { sendKey, receiveKey, exporter } = keys;
    const { localIndex, remoteIndex } = indices;
    const name: KeypairName = { localIndex, remoteIndex, createdAt: now, isInitiator };
    const ours = this.#features;
    const control = ours ? { takesControl: true } : {};
    const keypair = { ...name, sendKey, receiveKey, ...control };
    this.#actions.push({ kind: 'installKeypair', keypair });
    if (!ours) {
      wipe(exporter);
      return { ...name, exchange: undefined };
    }
    const exchange = new HelloExchange({ exporter, ours, isInitiator, createdAt: now });
    return { ...name, exchange };
  }

  #hear(keypair: Keypair, exchange: HelloExchange, hello: Hello, now: Instant): boolean {
    this.#settle(keypair, now);
    const wasReady = exchange.isReady;
    const heard = exchange.receive(hello, now);
    if (!heard) return this.#drop('control_stale');
    for (const keys of heard.keys) this.#installLane(keypair, keys);
    const isNext = keypair === this.#keypairs.next;
    const isKept = exchange.isReady || (hello.isResuming && this.agreement(now) !== undefined);
    const isTakingOver = isNext && !isKept;
    if (heard.isAnswerDue) this.#sayHello(keypair, !isTakingOver);
    const isUsed = isTakingOver && this.#takeOver(keypair, now);
    const isReadied = exchange.isReady && !wasReady && this.#becomeReady(keypair, now);
    return isUsed || isReadied;
  }

  /**
   * The peer uses a session of its making. Where a later one of ours is in use and stays, the peer
   * has both, and its own is kept for what comes under it.
   */
  #settle(keypair: Keypair, now: Instant): void {
    const { next, current } = this.#keypairs;
    if (keypair !== next || !current || !isAlive(current, now)) return;
    if (keypair.createdAt >= current.createdAt || isCrossingWinner(keypair, current)) return;
    this.#remove(this.#keypairs.retire(keypair));
  }

  #installLane(base: Keypair, { lane, sendKey, receiveKey }: LaneKeys): void {
    const agreement = base.exchange?.agreement;
    if (!agreement) return;
    const { suite, trustsChecksums } = agreement;
    const { createdAt, isInitiator } = base;
    this.#actions.push({
      kind: 'installKeypair',
      keypair: {
        localIndex: laneIndex(base.localIndex, lane),
        remoteIndex: laneIndex(base.remoteIndex, lane),
        createdAt,
        isInitiator,
        sendKey,
        receiveKey,
        heddle: { suite, lane, trustsChecksums },
      },
    });
  }

  /** `isUnused`: another session goes on sending; the one in use never says so. */
  #sayHello(keypair: Keypair, isUnused = true): void {
    const { localIndex, exchange } = keypair;
    if (!exchange) return;
    const message = exchange.message(isUnused && keypair !== this.#keypairs.current);
    this.#actions.push({ kind: 'sendControl', localIndex, message });
  }

  /** The peer has installed our lanes. True when a session of its making came into use by it. */
  #becomeReady(keypair: Keypair, now: Instant): boolean {
    const { previous, current } = this.#keypairs;
    this.#actions.push({ kind: 'helloAnswered' });
    if (keypair === current) this.#use(keypair);
    else if (keypair !== previous) return this.#succeed(keypair, now);
    else if (current && isCrossingWinner(keypair, current)) {
      this.#keypairs.swap();
      this.#use(keypair);
    }
    return false;
  }

  /** The hellos came to nothing: it is used as a stock session. */
  #fail(keypair: Keypair, now: Instant): boolean {
    const { next, previous, current } = this.#keypairs;
    // Nothing at all came in it: it may not even be known to the peer.
    if (keypair === next && !keypair.exchange?.agreement) return false;
    if (keypair === previous) return false;
    this.#actions.push({ kind: 'helloUnanswered' });
    return keypair !== current && this.#succeed(keypair, now);
  }

  /** Next or waiting takes over, unless one that crossed it has and stays. */
  #succeed(keypair: Keypair, now: Instant): boolean {
    const { current } = this.#keypairs;
    if (!current || !isAlive(current, now) || !isCrossingWinner(current, keypair)) {
      return this.#takeOver(keypair, now);
    }
    this.#remove(this.#keypairs.retire(keypair));
    return false;
  }

  /** True when the peer made it. */
  #takeOver(keypair: Keypair, now: Instant): boolean {
    const dead = this.#keypairs.promote(keypair);
    this.#use(keypair);
    this.#remove(dead);
    this.#flushControl(now);
    this.#actions.push({ kind: 'flushStaged', orKeepalive: false });
    if (!keypair.isInitiator) this.#establish(false, now);
    return !keypair.isInitiator;
  }

  #establish(isInitiator: boolean, now: Instant): void {
    this.#establishedAt = now;
    this.#actions.push({ kind: 'established', isInitiator });
  }

  /** From now on we send by its lanes, or by its base keypair as long as it has none. */
  #use({ localIndex, exchange }: Keypair): void {
    const lanes = exchange?.isReady ? (exchange.agreement?.lanes ?? 0) : 0;
    if (lanes === 0) this.#actions.push({ kind: 'useKeypair', localIndex });
    for (let lane = 0; lane < lanes; lane++) {
      this.#actions.push({ kind: 'useKeypair', localIndex: laneIndex(localIndex, lane) });
    }
  }

  #remove(keypairs: readonly Keypair[]): void {
    for (const { localIndex, exchange } of keypairs) {
      for (let lane = 0; lane < (exchange?.agreement?.keypairs ?? 0); lane++) {
        this.#actions.push({ kind: 'removeKeypair', localIndex: laneIndex(localIndex, lane) });
      }
      exchange?.abandon();
      this.#table.release(localIndex);
      this.#actions.push({ kind: 'removeKeypair', localIndex });
    }
  }

  #drop(reason: ControlDrop): false {
    this.#actions.push({ kind: 'controlDropped', reason });
    return false;
  }
}

function isAlive(keypair: Keypair | undefined, now: Instant): boolean {
  return keypair !== undefined && elapsed(keypair.createdAt, now) < REJECT_AFTER_TIME;
}
