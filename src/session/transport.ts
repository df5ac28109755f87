/**
 * Sealing and opening data messages (WireGuard §5.4.6) with a keypair that the walk holds: header, counter, ciphertext, tag.
 *
 *   0        4                8                16
 *   +--------+----------------+----------------+---------------------+
 *   |type 4  |receiver index  |counter         |ciphertext, 16-byte tag
 *   +--------+----------------+----------------+---------------------+   all little-endian
 */

import { loadLe64, storeLe32, storeLe64 } from '../base/bytes.js';
import type { PeerSlot, SessionIndex } from '../base/identifiers.js';
import { elapsed, type Instant } from '../base/time.js';
import type { CryptoSuite } from '../crypto/suite.js';
import { REJECT_AFTER_MESSAGES, REJECT_AFTER_TIME } from './constants.js';
import { ReplayWindow } from './replay.js';

export const DATA_HEADER_BYTES = 16;
/** An empty plaintext: header and tag. */
export const SHORTEST_DATA_BYTES = 32;
const COUNTER_AT = 8;
const EMPTY = new Uint8Array(0);

/** One session's keys in the walk's hands: who sends next, what was received, and which events were raised. */
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

/** The data message around `plaintext`, which is padded already; takes the keypair's next counter. */
export function sealData(
  suite: CryptoSuite,
  keypair: TransportKeypair,
  plaintext: Uint8Array,
): Uint8Array {
  const counter = keypair.sendCounter++;
  const message = new Uint8Array(SHORTEST_DATA_BYTES + plaintext.length);
  storeLe32(message, 0, 4);
  storeLe32(message, 4, keypair.remoteIndex);
  storeLe64(message, COUNTER_AT, counter);
  message.set(suite.seal(keypair.sendKey, counter, plaintext, EMPTY), DATA_HEADER_BYTES);
  return message;
}

/** The counter of a data message of at least SHORTEST_DATA_BYTES. */
export function dataCounter(message: Uint8Array): bigint {
  return loadLe64(message, COUNTER_AT);
}

/** The padded plaintext; undefined when the message does not authenticate. The replay window is the caller's to ask. */
export function openData(
  suite: CryptoSuite,
  keypair: TransportKeypair,
  message: Uint8Array,
): Uint8Array | undefined {
  const sealed = message.subarray(DATA_HEADER_BYTES);
  return suite.open(keypair.receiveKey, dataCounter(message), sealed, EMPTY);
}
