/**
 * The handshake Noise_IKpsk2 with WireGuard's messages (WireGuard §5.4.2, §5.4.3), as functions on
 * bytes: no index is claimed here, no clock read, nothing sent. The MACs are left zero: cookie.ts
 * sets them.
 *
 *   <- s                      the initiator knows the responder's static key
 * -> e, es, s, ss, {t}      initiation: create; open (whose is it?), then openTimestamp (is it
 * really theirs?) <- e, ee, se, psk, {}     response: create; consume
 *
 * What does not authenticate changes nothing: a pending handshake is only read here, and used up by
 * its owner.
 */

import { wipe } from '../base/bytes.js';
import type { SessionIndex } from '../base/identifiers.js';
import type { CryptoSuite } from '../crypto/suite.js';
import {
  ephemeralOf,
  emitInitiation,
  emitResponse,
  sealedNothingOf,
  sealedStaticOf,
  sealedTimestampOf,
  senderOf,
} from '../wire/wireguard.js';
import { EXPORTER_LABEL } from './lane_keys.js';
import { SymmetricState } from './symmetric_state.js';

/** A static key pair, 32 bytes each. */
export interface StaticKeys {
  readonly privateKey: Uint8Array;
  readonly publicKey: Uint8Array;
}

/** The keys of a new session as its owner uses them, 32 bytes each. */
export interface SessionKeys {
  readonly sendKey: Uint8Array;
  readonly receiveKey: Uint8Array;
  /** What keys of lanes follow from (lane_keys.ts); equal on both sides, the owner's to wipe. */
  readonly exporter: Uint8Array;
}

/** An initiation that was sent. */
export interface PendingHandshake {
  readonly state: SymmetricState;
  readonly ephemeralPrivate: Uint8Array;
}

/** An initiation that was received, as far as it can be read without knowing the peer. */
export interface OpenedInitiation {
  /** Which of our keys it is to; borrowed. */
  readonly ours: StaticKeys;
  /** Claimed; only the owner of its private key can have made the timestamp. */
  readonly theirPublicKey: Uint8Array;
  readonly theirEphemeral: Uint8Array;
  readonly sealedTimestamp: Uint8Array;
  readonly sender: SessionIndex;
  readonly state: SymmetricState;
}

const PROTOCOL_NAME = ascii('Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s');
const IDENTIFIER = ascii('WireGuard v1 zx2c4 Jason@zx2c4.com');
const EMPTY = new Uint8Array(0);
/** Where every handshake starts; never changed, only cloned. */
const START = SymmetricState.named(PROTOCOL_NAME);
START.mixHash(IDENTIFIER);

export interface InitiationParts {
  readonly ours: StaticKeys;
  readonly theirPublicKey: Uint8Array;
  /** DH of both static keys. */
  readonly staticStatic: Uint8Array;
  /** 32 random bytes; kept in the result, not copied. */
  readonly ephemeralPrivate: Uint8Array;
  /** TAI64N, 12 bytes. */
  readonly timestamp: Uint8Array;
  readonly sender: SessionIndex;
}

/** Undefined when the peer's public key is of low order. */
export function createInitiation(
  crypto: CryptoSuite,
  parts: InitiationParts,
): { readonly datagram: Uint8Array; readonly handshake: PendingHandshake } | undefined {
  const { ours, theirPublicKey, staticStatic, ephemeralPrivate, timestamp, sender } = parts;
  const state = startWith(theirPublicKey);
  const ephemeral = crypto.publicKey(ephemeralPrivate);
  mixEphemeral(state, ephemeral);
  if (!mixDh(crypto, state, ephemeralPrivate, theirPublicKey)) return undefined;
  const sealedStatic = state.encryptAndHash(crypto, ours.publicKey);
  state.mixKey(staticStatic);
  const sealedTimestamp = state.encryptAndHash(crypto, timestamp);
  const datagram = emitInitiation({ sender, ephemeral, sealedStatic, sealedTimestamp });
  return { datagram, handshake: { state, ephemeralPrivate } };
}

/** Reads whose initiation it claims to be; a string says why it cannot be read. */
export function openInitiation(
  crypto: CryptoSuite,
  ours: StaticKeys,
  datagram: Uint8Array,
): OpenedInitiation | 'low_order' | 'static_tag' {
  const state = startWith(ours.publicKey);
  const theirEphemeral = ephemeralOf(datagram);
  mixEphemeral(state, theirEphemeral);
  if (!mixDh(crypto, state, ours.privateKey, theirEphemeral)) return 'low_order';
  const theirPublicKey = state.decryptAndHash(crypto, sealedStaticOf(datagram));
  if (!theirPublicKey) {
    state.wipe();
    return 'static_tag';
  }
  const sealedTimestamp = sealedTimestampOf(datagram);
  const sender = senderOf(datagram);
  return { ours, theirPublicKey, theirEphemeral, sealedTimestamp, sender, state };
}

/**
 * The initiation's timestamp, 12 bytes; undefined when it is not by the owner of the static key it
 * names.
 */
export function openTimestamp(
  crypto: CryptoSuite,
  opened: OpenedInitiation,
  staticStatic: Uint8Array,
): Uint8Array | undefined {
  opened.state.mixKey(staticStatic);
  return opened.state.decryptAndHash(crypto, opened.sealedTimestamp);
}

export interface ResponseParts {
  readonly presharedKey: Uint8Array;
  /** 32 random bytes; wiped here. */
  readonly ephemeralPrivate: Uint8Array;
  readonly sender: SessionIndex;
}

/**
 * Answers an initiation whose timestamp was opened. Undefined when one of the peer's keys is of low
 * order.
 */
export function createResponse(
  crypto: CryptoSuite,
  opened: OpenedInitiation,
  parts: ResponseParts,
): { readonly datagram: Uint8Array; readonly keys: SessionKeys } | undefined {
  const { state, theirEphemeral, theirPublicKey } = opened;
  const { ephemeralPrivate, sender } = parts;
  const ephemeral = crypto.publicKey(ephemeralPrivate);
  mixEphemeral(state, ephemeral);
  const isMixed =
    mixDh(crypto, state, ephemeralPrivate, theirEphemeral) &&
    mixDh(crypto, state, ephemeralPrivate, theirPublicKey);
  wipe(ephemeralPrivate);
  if (!isMixed) return undefined;
  state.mixKeyAndHash(parts.presharedKey);
  const sealedNothing = state.encryptAndHash(crypto, EMPTY);
  const { initiatorKey, responderKey } = state.split();
  const exporter = state.exporter(EXPORTER_LABEL);
  return {
    datagram: emitResponse({ sender, receiver: opened.sender, ephemeral, sealedNothing }),
    keys: { sendKey: responderKey, receiveKey: initiatorKey, exporter },
  };
}

/** The session that a response to `pending` makes; a string says why it makes none. */
export function consumeResponse(
  crypto: CryptoSuite,
  pending: PendingHandshake,
  parts: {
    readonly ours: StaticKeys;
    readonly presharedKey: Uint8Array;
    readonly datagram: Uint8Array;
  },
): SessionKeys | 'low_order' | 'response_tag' {
  const { ours, presharedKey, datagram } = parts;
  const state = pending.state.clone();
  try {
    const theirEphemeral = ephemeralOf(datagram);
    mixEphemeral(state, theirEphemeral);
    const isMixed =
      mixDh(crypto, state, pending.ephemeralPrivate, theirEphemeral) &&
      mixDh(crypto, state, ours.privateKey, theirEphemeral);
    if (!isMixed) return 'low_order';
    state.mixKeyAndHash(presharedKey);
    if (!state.decryptAndHash(crypto, sealedNothingOf(datagram))) return 'response_tag';
    const { initiatorKey, responderKey } = state.split();
    const exporter = state.exporter(EXPORTER_LABEL);
    return { sendKey: initiatorKey, receiveKey: responderKey, exporter };
  } finally {
    state.wipe();
  }
}

/** Forgets the secrets of a handshake that ends or is replaced. */
export function wipeHandshake(handshake: PendingHandshake): void {
  handshake.state.wipe();
  wipe(handshake.ephemeralPrivate);
}

function startWith(responderPublicKey: Uint8Array): SymmetricState {
  const state = START.clone();
  state.mixHash(responderPublicKey);
  return state;
}

function mixEphemeral(state: SymmetricState, ephemeral: Uint8Array): void {
  state.mixHash(ephemeral);
  state.mixKey(ephemeral);
}

/** False, and nothing mixed, when the result is zero: then `theirs` is of low order. */
function mixDh(
  crypto: CryptoSuite,
  state: SymmetricState,
  ours: Uint8Array,
  theirs: Uint8Array,
): boolean {
  const secret = crypto.dh(ours, theirs);
  if (!secret) return false;
  state.mixKey(secret);
  wipe(secret);
  return true;
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
