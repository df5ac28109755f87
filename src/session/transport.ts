/**
 * Sealing and opening data messages with a keypair that the walk holds: WireGuard's own (§5.4.6),
 * and those of heddle's type under the sub-keypair of a lane.
 */

import type { PeerSlot, SessionIndex } from '../base/identifiers.js';
import { elapsed, type Instant } from '../base/time.js';
import type { CryptoSuite, Suite } from '../crypto/suite.js';
import {
  counterOf,
  DATA_HEADER_BYTES,
  emitData,
  MESSAGE_DATA,
  MESSAGE_HEDDLE,
  messageType,
  noncePrefix,
} from '../wire/wireguard.js';
import {
  AES_MOST_FAILED_TAGS,
  AES_REJECT_AFTER_MESSAGES,
  AES_REKEY_AFTER_MESSAGES,
  REJECT_AFTER_MESSAGES,
  REJECT_AFTER_TIME,
  REKEY_AFTER_MESSAGES,
} from './constants.js';
import { ReplayWindow } from './replay.js';

/** What one key may be used for. */
interface KeyLimits {
  readonly rekeyAfterMessages: bigint;
  /** Counters from here on are neither sent nor accepted. */
  readonly rejectAfterMessages: bigint;
  readonly mostFailedTags: number;
}

const LIMITS: Readonly<Record<Suite, KeyLimits>> = {
  'chacha20-poly1305': {
    rekeyAfterMessages: REKEY_AFTER_MESSAGES,
    rejectAfterMessages: REJECT_AFTER_MESSAGES,
    mostFailedTags: Number.POSITIVE_INFINITY,
  },
  'aes-256-gcm': {
    rekeyAfterMessages: AES_REKEY_AFTER_MESSAGES,
    rejectAfterMessages: AES_REJECT_AFTER_MESSAGES,
    mostFailedTags: AES_MOST_FAILED_TAGS,
  },
};

/**
 * One session's keys in the walk's hands, or those of one of its lanes: who sends next, what was
 * received, and which events were raised.
 */
export interface TransportKeypair {
  readonly peer: PeerSlot;
  readonly localIndex: SessionIndex;
  readonly remoteIndex: SessionIndex;
  /** 32 bytes each, owned: wiped when the keypair is removed. */
  readonly sendKey: Uint8Array;
  readonly receiveKey: Uint8Array;
  readonly createdAt: Instant;
  readonly isInitiator: boolean;
  /** The peer speaks heddle's protocol: its control messages are taken. */
  readonly takesControl: boolean;
  readonly suite: Suite;
  /** Undefined: WireGuard's own, which belongs to no lane. */
  readonly lane: number | undefined;
  readonly limits: KeyLimits;
  readonly replay: ReplayWindow;
  /** The next message's counter. */
  sendCounter: bigint;
  failedTags: number;
  sendRekeyRaised: boolean;
  receiveRekeyRaised: boolean;
  confirmedRaised: boolean;
  /** What it opened first but control messages was looked at: see Inbound. */
  promotionSettled: boolean;
}

export interface Material
  extends Pick<
    TransportKeypair,
    'localIndex' | 'remoteIndex' | 'sendKey' | 'receiveKey' | 'createdAt' | 'isInitiator'
  > {
  readonly takesControl?: boolean;
  readonly heddle?: { readonly suite: Suite; readonly lane: number };
}

/** Copies the keys of `material`. */
export function createTransportKeypair(peer: PeerSlot, material: Material): TransportKeypair {
  const { localIndex, remoteIndex, createdAt, isInitiator, takesControl, heddle } = material;
  const suite = heddle?.suite ?? 'chacha20-poly1305';
  return {
    ...{ peer, localIndex, remoteIndex, createdAt, isInitiator, suite },
    sendKey: material.sendKey.slice(),
    receiveKey: material.receiveKey.slice(),
    takesControl: takesControl ?? false,
    lane: heddle?.lane,
    limits: LIMITS[suite],
    replay: new ReplayWindow(),
    sendCounter: 0n,
    failedTags: 0,
    sendRekeyRaised: false,
    receiveRekeyRaised: false,
    confirmedRaised: false,
    promotionSettled: false,
  };
}

export function isExpired(keypair: TransportKeypair, now: Instant): boolean {
  return elapsed(keypair.createdAt, now) >= REJECT_AFTER_TIME;
}

/** Whether the keypair may seal one more message at `now`. */
export function maySeal(keypair: TransportKeypair, now: Instant): boolean {
  return !isExpired(keypair, now) && keypair.sendCounter < keypair.limits.rejectAfterMessages;
}

/**
 * The data message around `plaintext`, which is padded already; takes the keypair's next counter.
 */
export function sealData(
  crypto: CryptoSuite,
  keypair: TransportKeypair,
  plaintext: Uint8Array,
): Uint8Array {
  const { suite, sendKey: key, remoteIndex: receiver, lane } = keypair;
  const counter = keypair.sendCounter++;
  const type = lane === undefined ? MESSAGE_DATA : MESSAGE_HEDDLE;
  const sealed = crypto.sealMessage({ suite, key, prefix: noncePrefix(type), counter }, plaintext);
  return emitData({ type, receiver, counter, sealed });
}

/**
 * The padded plaintext; undefined when the message does not authenticate. The type and the replay
 * window are the caller's to ask.
 */
export function openData(
  crypto: CryptoSuite,
  { suite, receiveKey: key }: TransportKeypair,
  message: Uint8Array,
): Uint8Array | undefined {
  const prefix = noncePrefix(messageType(message));
  const sealed = message.subarray(DATA_HEADER_BYTES);
  return crypto.openMessage({ suite, key, prefix, counter: counterOf(message) }, sealed);
}
