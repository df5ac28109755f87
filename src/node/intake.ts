/**
 * What becomes of a handshake message that the walk handed up: admission (load, cookie, limiter),
 * then whose it is (the static key an initiation carries, the receiver index of the others), then
 * whether it comes in that peer's form. What comes to nothing is counted by reason and never
 * logged.
 */

import type { Endpoint } from '../base/address.js';
import type { PeerSlot } from '../base/identifiers.js';
import type { Instant } from '../base/time.js';
import type { CryptoSuite } from '../crypto/suite.js';
import type { WalkEvent } from '../datapath/tables.js';
import type { Admission } from '../session/admission.js';
import { openInitiation } from '../session/handshake.js';
import { type HandshakeDrop, HandshakeDropCounters } from '../session/handshake_drop.js';
import type { SessionInput } from '../session/input.js';
import type { SessionTable } from '../session/session_table.js';
import {
  MESSAGE_COOKIE_REPLY,
  MESSAGE_INITIATION,
  messageType,
  receiverOf,
} from '../wire/wireguard.js';
import type { Identity } from './identity.js';
import type { PeerTable } from './peer_table.js';

export type HandshakeEvent = Extract<WalkEvent, { kind: 'handshake' }>;
type ReplyInput = Extract<SessionInput, { kind: 'response' | 'cookieReply' }>;

export type Received =
  /** For this peer's session. */
  | { readonly kind: 'taken'; readonly peer: PeerSlot; readonly input: SessionInput }
  /** A cookie reply goes to the source instead. */
  | { readonly kind: 'answered'; readonly reply: Uint8Array }
  | { readonly kind: 'dropped' };

export interface IntakeParts {
  readonly crypto: CryptoSuite;
  readonly identity: Identity;
  readonly table: SessionTable;
  readonly admission: Admission;
  readonly peers: PeerTable;
}

const DROPPED: Received = { kind: 'dropped' };

export class Intake {
  readonly #parts: IntakeParts;
  readonly drops = new HandshakeDropCounters();

  constructor(parts: IntakeParts) {
    this.#parts = parts;
  }

  receive(event: HandshakeEvent, now: Instant): Received {
    const { datagram, source } = event;
    if (!this.#parts.identity.keys) return this.#drop('no_identity');
    if (messageType(datagram) === MESSAGE_COOKIE_REPLY) {
      return this.#forOwner({ kind: 'cookieReply', datagram }, source);
    }
    const admitted = this.#parts.admission.admit(event, now);
    if (admitted.kind === 'dropped') return this.#drop(admitted.reason);
    if (admitted.kind === 'answered') {
      this.drops.add('answered_with_cookie');
      return admitted;
    }
    if (messageType(datagram) === MESSAGE_INITIATION) return this.#forInitiator(event);
    return this.#forOwner({ kind: 'response', datagram, source }, source);
  }

  #forInitiator({ datagram, source }: HandshakeEvent): Received {
    const { crypto, identity, peers } = this.#parts;
    const ours = identity.keysFor(datagram);
    const opened = ours ? openInitiation(crypto, ours, datagram) : ('no_identity' as const);
    if (typeof opened === 'string') return this.#drop(opened);
    const peer = peers.withKey(opened.theirPublicKey);
    if (peer && source.vni === peer.config.sealedVni) {
      const input: SessionInput = { kind: 'initiation', opened, datagram, source };
      return { kind: 'taken', peer: peer.slot, input };
    }
    opened.state.wipe();
    return this.#drop(peer ? 'encapsulation' : 'unknown_peer');
  }

  /** To the peer that the message's receiver index belongs to. */
  #forOwner(input: ReplyInput, source: Endpoint): Received {
    const { table, peers } = this.#parts;
    const slot = table.lookup(receiverOf(input.datagram));
    const owner = slot === undefined ? undefined : peers.atSlot(slot);
    if (!owner) return this.#drop('unknown_index');
    if (source.vni !== owner.config.sealedVni) return this.#drop('encapsulation');
    return { kind: 'taken', peer: owner.slot, input };
  }

  #drop(reason: HandshakeDrop): Received {
    this.drops.add(reason);
    return DROPPED;
  }
}
