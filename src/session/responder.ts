/**
 * The handshakes with one peer that the peer begins. Nothing is kept between initiation and
 * response but what stops replays and floods: the last timestamp accepted, and when. An initiation
 * that is refused changes neither.
 *
 * An initiation may be by another key of the peer's than the one it goes by (which are its keys is
 * for the caller to know). Once it is accepted, the peer goes by that key.
 */

import { equal, wipe } from '../base/bytes.js';
import type { PeerSlot, SessionIndex } from '../base/identifiers.js';
import { after, type Instant } from '../base/time.js';
import { KEY_BYTES } from '../crypto/suite.js';
import { compareTai64n } from '../crypto/tai64n.js';
import { INITIATION_INTERVAL } from './constants.js';
import type { SessionDependencies } from './dependencies.js';
import {
  createResponse,
  type OpenedInitiation,
  openTimestamp,
  type SessionKeys,
} from './handshake.js';
import type { HandshakeDrop } from './handshake_drop.js';
import type { Remote } from './remote.js';

/** What answering an initiation brings. */
export interface RespondedSession {
  /** The response to send, both MACs in place. */
  readonly datagram: Uint8Array;
  readonly keys: SessionKeys;
  readonly localIndex: SessionIndex;
  readonly remoteIndex: SessionIndex;
}

export class Responder {
  readonly #dependencies: SessionDependencies;
  readonly #slot: PeerSlot;
  readonly #remote: Remote;
  #lastTimestamp: Uint8Array | undefined;
  #acceptedAt: Instant | undefined;

  constructor(dependencies: SessionDependencies, slot: PeerSlot, remote: Remote) {
    this.#dependencies = dependencies;
    this.#slot = slot;
    this.#remote = remote;
  }

  /** Judges an initiation that names this peer. Uses up `opened`, whatever the outcome. */
  respond(opened: OpenedInitiation, now: Instant): RespondedSession | HandshakeDrop {
    const answer = this.#authenticate(opened, now) ?? this.#answer(opened, now);
    opened.state.wipe();
    return answer;
  }

  /** Undefined when it is the peer's, new and not too soon; then it counts as accepted. */
  #authenticate(opened: OpenedInitiation, now: Instant): HandshakeDrop | undefined {
    const timestamp = this.#timestampOf(opened);
    if (typeof timestamp === 'string') return timestamp;
    if (this.#lastTimestamp && compareTai64n(timestamp, this.#lastTimestamp) <= 0)
      return 'timestamp_old';
    if (this.#acceptedAt !== undefined && now < after(this.#acceptedAt, INITIATION_INTERVAL)) {
      return 'too_soon';
    }
    this.#lastTimestamp = timestamp;
    this.#acceptedAt = now;
    this.#remote.setPublicKey(opened.theirPublicKey);
    return undefined;
  }

  /** What is kept of the peer's key stays as it is until the initiation has shown to be by it. */
  #timestampOf(opened: OpenedInitiation): Uint8Array | 'low_order' | 'timestamp_tag' {
    const { crypto } = this.#dependencies;
    const { ours, theirPublicKey } = opened;
    const isKnown = equal(theirPublicKey, this.#remote.publicKey);
    const staticStatic = isKnown
      ? this.#remote.staticStatic(crypto, ours)
      : crypto.dh(ours.privateKey, theirPublicKey);
    if (!staticStatic) return 'low_order';
    const timestamp = openTimestamp(crypto, opened, staticStatic);
    if (!isKnown) wipe(staticStatic);
    return timestamp ?? 'timestamp_tag';
  }

  #answer(opened: OpenedInitiation, now: Instant): RespondedSession | HandshakeDrop {
    const { crypto, random, table } = this.#dependencies;
    const localIndex = table.claim(this.#slot);
    const created = createResponse(crypto, opened, {
      presharedKey: this.#remote.presharedKey,
      ephemeralPrivate: random.bytes(KEY_BYTES),
      sender: localIndex,
    });
    if (!created) {
      table.release(localIndex);
      return 'low_order';
    }
    this.#remote.cookie.stamp(created.datagram, now);
    return { ...created, localIndex, remoteIndex: opened.sender };
  }
}
