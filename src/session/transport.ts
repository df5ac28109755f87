/** Sealing and opening data messages (WireGuard §5.4.6) with a keypair that the walk holds. */

import type { PeerSlot, SessionIndex } from '../base/identifiers.js';
import { elapsed, type Instant } from '../base/time.js';
import type { CryptoSuite } from '../crypto/suite.js';
import { counterOf, DATA_HEADER_BYTES, emitData } from '../wire/wireguard.js';
import { REJECT_AFTER_MESSAGES, REJECT_AFTER_TIME } from './constants.js';
import { ReplayWindow } from './replay.js';

const EMPTY = new Uint8Array(0);

/**
 * One session's keys in the walk's hands: who sends next, what was received, and which events were
 * raised.
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
  readonly replay: ReplayWindow;
  /** The next message's counter. */
  sendCounter: bigint;
  sendRekeyRaised: boolean;
  receiveRekeyRaised: boolean;
  confirmedRaised: boolean;
}

export type Material = Pick<
  TransportKeypair,
  'localIndex' | 'remoteIndex' | 'sendKey' | 'receiveKey' | 'createdAt' | 'isInitiator'
>;

/** Copies the keys of `material`. */
export function createTransportKeypair(peer: PeerSlot, material: Material): TransportKeypair {
  return {
    ...material,
    peer,
    sendKey: material.sendKey.slice(),
    receiveKey: material.receiveKey.slice(),
    replay: new ReplayWindow(),
    sendCounter: 0n,
    sendRekeyRaised: false,
    receiveRekeyRaised: false,
    confirmedRaised: false,
  };
}

export function isExpired(keypair: TransportKeypair, now: Instant): boolean {
  return elapsed(keypair.createdAt, now) >= REJECT_AFTER_TIME;
}

/** Whether the keypair may seal one more message at `now`. */
export function maySeal(keypair: TransportKeypair, now: Instant): boolean {
  return !isExpired(keypair, now) && keypair.sendCounter < REJECT_AFTER_MESSAGES;
}

/**
 * The data message around `plaintext`, which is padded already; takes the keypair's next counter.
 */
export function sealData(
  suite: CryptoSuite,
  keypair: TransportKeypair,
  plaintext: Uint8Array,
): Uint8Array {
  const counter = keypair.sendCounter++;
  const sealed = suite.seal(keypair.sendKey, counter, plaintext, EMPTY);
  return emitData({ receiver: keypair.remoteIndex, counter, sealed });
}

/**
 * The padded plaintext; undefined when the message does not authenticate. The replay window is the
 * caller's to ask.
 */
export function openData(
  suite: CryptoSuite,
  keypair: TransportKeypair,
  message: Uint8Array,
): Uint8Array | undefined {
  const sealed = message.subarray(DATA_HEADER_BYTES);
  return suite.open(keypair.receiveKey, counterOf(message), sealed, EMPTY);
}
