/**
 * The handshakes with one peer that we begin: at most one initiation is pending, with its index and
 * its ephemeral key. Each new one replaces the last, and a response is to the pending one or to
 * nothing. A response that does not open changes nothing.
 *
 * Stamps: each initiation's timestamp is later than the last one's even when the wall clock went
 * back, because the peer takes no other. TAI64N stamps are rounded to 2^24 ns, so the least step
 * forward is that.
 */

import type { PeerSlot, SessionIndex } from '../base/identifiers.js';
import { type Duration, elapsed, type Instant, type WallTime, wallTime } from '../base/time.js';
import { KEY_BYTES } from '../crypto/suite.js';
import { tai64n } from '../crypto/tai64n.js';
import { receiverOf, senderOf } from '../wire/wireguard.js';
import type { SessionDependencies } from './dependencies.js';
import {
  consumeResponse,
  createInitiation,
  type PendingHandshake,
  type SessionKeys,
  type StaticKeys,
  wipeHandshake,
} from './handshake.js';
import type { HandshakeDrop } from './handshake_drop.js';
import type { Remote } from './remote.js';

/** What a response brings: the index passes from the handshake to the keypair made of these. */
export interface InitiatedSession {
  readonly keys: SessionKeys;
  readonly localIndex: SessionIndex;
  readonly remoteIndex: SessionIndex;
  /** From the initiation to this response. */
  readonly roundTrip: Duration;
}

interface PendingInitiation {
  readonly handshake: PendingHandshake;
  /** Which of our keys it was made with. */
  readonly ours: StaticKeys;
  readonly index: SessionIndex;
  readonly sentAt: Instant;
}

/** 2^24 ns, the granularity of stamps, rounded up to whole microseconds. */
const STAMP_STEP = 16_778;

export class Initiator {
  readonly #dependencies: SessionDependencies;
  readonly #slot: PeerSlot;
  readonly #remote: Remote;
  #pending: PendingInitiation | undefined;
  #stampedAt: WallTime | undefined;

  constructor(dependencies: SessionDependencies, slot: PeerSlot, remote: Remote) {
    this.#dependencies = dependencies;
    this.#slot = slot;
    this.#remote = remote;
  }

  /**
   * The initiation to send, both MACs in place; undefined, and nothing changed, when the peer's key
   * is of low order.
   */
  create(now: Instant): Uint8Array | undefined {
    const { crypto, random, table, identity } = this.#dependencies;
    const ours = identity.keys;
    const staticStatic = ours && this.#remote.staticStatic(crypto, ours);
    if (!ours || !staticStatic) return undefined;
    this.abandon();
    const index = table.claim(this.#slot);
    const created = createInitiation(crypto, {
      ours,
      theirPublicKey: this.#remote.publicKey,
      staticStatic,
      ephemeralPrivate: random.bytes(KEY_BYTES),
      timestamp: tai64n(this.#nextStamp(now)),
      sender: index,
    });
    if (!created) {
      table.release(index);
      return undefined;
    }
    this.#pending = { handshake: created.handshake, ours, index, sentAt: now };
    this.#remote.cookie.stamp(created.datagram, now);
    return created.datagram;
  }

  /** On success the pending initiation is used up, and its index belongs to the result. */
  consume(datagram: Uint8Array, now: Instant): InitiatedSession | HandshakeDrop {
    const { crypto } = this.#dependencies;
    const pending = this.#pending;
    if (!pending || receiverOf(datagram) !== pending.index) return 'unknown_index';
    const opened = consumeResponse(crypto, pending.handshake, {
      ours: pending.ours,
      presharedKey: this.#remote.presharedKey,
      datagram,
    });
    if (typeof opened === 'string') return opened;
    wipeHandshake(pending.handshake);
    this.#pending = undefined;
    return {
      keys: opened,
      localIndex: pending.index,
      remoteIndex: senderOf(datagram),
      roundTrip: elapsed(pending.sentAt, now),
    };
  }

  /** Wipes what is pending. */
  abandon(): void {
    if (!this.#pending) return;
    wipeHandshake(this.#pending.handshake);
    this.#dependencies.table.release(this.#pending.index);
    this.#pending = undefined;
  }

  #nextStamp(now: Instant): WallTime {
    const wall = this.#dependencies.wallClock.at(now);
    const least = (this.#stampedAt ?? 0) + STAMP_STEP;
    this.#stampedAt = wallTime(Math.max(wall, least));
    return this.#stampedAt;
  }
}
