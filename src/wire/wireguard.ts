/**
 * WireGuard's four messages (whitepaper §5.4), all fields little-endian. The type is the full
 * 32-bit word: its upper three bytes are reserved, sent as zero and required to be zero (§5.4.2),
 * as the kernel does.
 *
 *   initiation, 148 bytes
 *   0        4        8              40               88                  116       132
 *   | type 1 | sender | ephemeral 32 | static 32 + 16 | timestamp 12 + 16 | mac1 16 | mac2 16 |
 *
 *   response, 92 bytes
 *   0        4        8          12             44               60        76
 *   | type 2 | sender | receiver | ephemeral 32 | nothing 0 + 16 | mac1 16 | mac2 16 |
 *
 *   cookie reply, 64 bytes
 *   0        4          8          32
 *   | type 3 | receiver | nonce 24 | cookie 16 + 16 |
 *
 *   data, 32 bytes or more
 *   0        4          8           16
 *   | type 4 | receiver | counter 8 | ciphertext ... + 16 |
 *
 * heddle's own data messages, between peers that said hello, have the form of data under two types
 * of their own. The uppermost byte of the type begins the nonce, so no type becomes another on the
 * way; it is 1 where the TCP or UDP checksum inside holds the pseudo-header's sum alone.
 */

import { assert } from '../base/assert.js';
import { loadLe32, loadLe64, storeLe32, storeLe64 } from '../base/bytes.js';
import { type SessionIndex, sessionIndex } from '../base/identifiers.js';

export const MESSAGE_INITIATION = 1;
export const MESSAGE_RESPONSE = 2;
export const MESSAGE_COOKIE_REPLY = 3;
export const MESSAGE_DATA = 4;
export const MESSAGE_HEDDLE = 0x0000_0048;
export const MESSAGE_HEDDLE_PARTIAL = 0x0100_0048;

export const INITIATION_BYTES = 148;
export const RESPONSE_BYTES = 92;
export const COOKIE_REPLY_BYTES = 64;
/** Of the header alone. */
export const DATA_HEADER_BYTES = 16;
/** Of the shortest data message, a keepalive: header and tag. */
export const DATA_LEAST_BYTES = 32;

const TYPE_BYTES = 4;
const SENDER_AT = 4;
const RESPONSE_RECEIVER_AT = 8;
const RECEIVER_AT = 4;
const INITIATION_EPHEMERAL_AT = 8;
const RESPONSE_EPHEMERAL_AT = 12;
const SEALED_STATIC_AT = 40;
const SEALED_TIMESTAMP_AT = 88;
const SEALED_NOTHING_AT = 44;
const NONCE_AT = 8;
const SEALED_COOKIE_AT = 32;
const COUNTER_AT = 8;

const KEY_BYTES = 32;
const SEALED_STATIC_BYTES = 48;
const SEALED_TIMESTAMP_BYTES = 28;
const SEALED_NOTHING_BYTES = 16;
const NONCE_BYTES = 24;
const SEALED_COOKIE_BYTES = 32;
const MAC_BYTES = 16;

/** What data messages have for a type, WireGuard's own and heddle's. */
export type DataType = typeof MESSAGE_DATA | typeof MESSAGE_HEDDLE | typeof MESSAGE_HEDDLE_PARTIAL;

/** Whether this is a message of a known type and of a length that its type can have. */
export function checkMessage(message: Uint8Array): boolean {
  if (message.length < TYPE_BYTES) return false;
  const type = messageType(message);
  switch (type) {
    case MESSAGE_INITIATION:
      return message.length === INITIATION_BYTES;
    case MESSAGE_RESPONSE:
      return message.length === RESPONSE_BYTES;
    case MESSAGE_COOKIE_REPLY:
      return message.length === COOKIE_REPLY_BYTES;
    default:
      return isDataType(type) && message.length >= DATA_LEAST_BYTES;
  }
}

export function isDataType(type: number): type is DataType {
  return type === MESSAGE_DATA || isHeddleType(type);
}

export function isHeddleType(type: number): boolean {
  return type === MESSAGE_HEDDLE || type === MESSAGE_HEDDLE_PARTIAL;
}

/** What the nonce of a data message of this type begins with. */
export function noncePrefix(type: number): number {
  return type >>> 24;
}

/** Of at least 4 bytes. All other accessors take a message that `checkMessage` found good. */
export function messageType(message: Uint8Array): number {
  return loadLe32(message, 0);
}

/** Of an initiation or response. */
export function senderOf(message: Uint8Array): SessionIndex {
  return sessionIndex(loadLe32(message, SENDER_AT));
}

/** Of every message but an initiation. */
export function receiverOf(message: Uint8Array): SessionIndex {
  const at = messageType(message) === MESSAGE_RESPONSE ? RESPONSE_RECEIVER_AT : RECEIVER_AT;
  return sessionIndex(loadLe32(message, at));
}

/** Of an initiation or response: a copy of 32 bytes. */
export function ephemeralOf(message: Uint8Array): Uint8Array {
  const isResponse = messageType(message) === MESSAGE_RESPONSE;
  return copy(message, isResponse ? RESPONSE_EPHEMERAL_AT : INITIATION_EPHEMERAL_AT, KEY_BYTES);
}

/** Of an initiation: a copy of 48 bytes. */
export function sealedStaticOf(message: Uint8Array): Uint8Array {
  return copy(message, SEALED_STATIC_AT, SEALED_STATIC_BYTES);
}

/** Of an initiation: a copy of 28 bytes. */
export function sealedTimestampOf(message: Uint8Array): Uint8Array {
  return copy(message, SEALED_TIMESTAMP_AT, SEALED_TIMESTAMP_BYTES);
}

/** Of a response: a copy of 16 bytes. */
export function sealedNothingOf(message: Uint8Array): Uint8Array {
  return copy(message, SEALED_NOTHING_AT, SEALED_NOTHING_BYTES);
}

/** Of an initiation or response: a copy of 16 bytes. */
export function mac1Of(message: Uint8Array): Uint8Array {
  return copy(message, message.length - 2 * MAC_BYTES, MAC_BYTES);
}

/** Of an initiation or response: a copy of 16 bytes. */
export function mac2Of(message: Uint8Array): Uint8Array {
  return copy(message, message.length - MAC_BYTES, MAC_BYTES);
}

/** Of an initiation or response, in place. */
export function setMac1(message: Uint8Array, mac1: Uint8Array): void {
  message.set(mac1, message.length - 2 * MAC_BYTES);
}

/** Of an initiation or response, in place. */
export function setMac2(message: Uint8Array, mac2: Uint8Array): void {
  message.set(mac2, message.length - MAC_BYTES);
}

/** Of a cookie reply: a copy of 24 bytes. */
export function nonceOf(message: Uint8Array): Uint8Array {
  return copy(message, NONCE_AT, NONCE_BYTES);
}

/** Of a cookie reply: a copy of 32 bytes. */
export function sealedCookieOf(message: Uint8Array): Uint8Array {
  return copy(message, SEALED_COOKIE_AT, SEALED_COOKIE_BYTES);
}

/** Of a data message, as are the next two. */
export function dataTypeOf(message: Uint8Array): DataType {
  const type = messageType(message);
  assert(isDataType(type), 'a data message has a type of data');
  return type;
}

export function counterOf(message: Uint8Array): bigint {
  return loadLe64(message, COUNTER_AT);
}

/** A copy, the tag included. */
export function sealedPacketOf(message: Uint8Array): Uint8Array {
  return message.slice(DATA_HEADER_BYTES);
}

export interface Initiation {
  readonly sender: SessionIndex;
  readonly ephemeral: Uint8Array;
  readonly sealedStatic: Uint8Array;
  readonly sealedTimestamp: Uint8Array;
  /** Absent: zero, to be set once the rest stands. */
  readonly mac1?: Uint8Array;
  readonly mac2?: Uint8Array;
}

export interface Response {
  readonly sender: SessionIndex;
  readonly receiver: SessionIndex;
  readonly ephemeral: Uint8Array;
  readonly sealedNothing: Uint8Array;
  /** Absent: zero, to be set once the rest stands. */
  readonly mac1?: Uint8Array;
  readonly mac2?: Uint8Array;
}

export interface CookieReply {
  readonly receiver: SessionIndex;
  readonly nonce: Uint8Array;
  readonly sealedCookie: Uint8Array;
}

export interface DataMessage {
  readonly type: DataType;
  readonly receiver: SessionIndex;
  readonly counter: bigint;
  /** Ciphertext and tag. */
  readonly sealed: Uint8Array;
}

export type Message =
  | ({ readonly kind: 'initiation' } & Initiation)
  | ({ readonly kind: 'response' } & Response)
  | ({ readonly kind: 'cookieReply' } & CookieReply)
  | ({ readonly kind: 'data' } & DataMessage);

/** Undefined when `checkMessage` does not hold. */
export function parseMessage(message: Uint8Array): Message | undefined {
  if (!checkMessage(message)) return undefined;
  switch (messageType(message)) {
    case MESSAGE_INITIATION:
      return { kind: 'initiation', ...parseInitiation(message) };
    case MESSAGE_RESPONSE:
      return { kind: 'response', ...parseResponse(message) };
    case MESSAGE_COOKIE_REPLY:
      return { kind: 'cookieReply', ...parseCookieReply(message) };
    default:
      return { kind: 'data', ...parseData(message) };
  }
}

export function parseInitiation(message: Uint8Array): Initiation {
  return {
    sender: senderOf(message),
    ephemeral: ephemeralOf(message),
    sealedStatic: sealedStaticOf(message),
    sealedTimestamp: sealedTimestampOf(message),
    mac1: mac1Of(message),
    mac2: mac2Of(message),
  };
}

export function parseResponse(message: Uint8Array): Response {
  return {
    sender: senderOf(message),
    receiver: receiverOf(message),
    ephemeral: ephemeralOf(message),
    sealedNothing: sealedNothingOf(message),
    mac1: mac1Of(message),
    mac2: mac2Of(message),
  };
}

export function parseCookieReply(message: Uint8Array): CookieReply {
  return {
    receiver: receiverOf(message),
    nonce: nonceOf(message),
    sealedCookie: sealedCookieOf(message),
  };
}

export function parseData(message: Uint8Array): DataMessage {
  return {
    type: dataTypeOf(message),
    receiver: receiverOf(message),
    counter: counterOf(message),
    sealed: sealedPacketOf(message),
  };
}

/** 148 new bytes. */
export function emitInitiation(initiation: Initiation): Uint8Array {
  const message = new Uint8Array(INITIATION_BYTES);
  storeLe32(message, 0, MESSAGE_INITIATION);
  storeLe32(message, SENDER_AT, initiation.sender);
  message.set(initiation.ephemeral, INITIATION_EPHEMERAL_AT);
  message.set(initiation.sealedStatic, SEALED_STATIC_AT);
  message.set(initiation.sealedTimestamp, SEALED_TIMESTAMP_AT);
  if (initiation.mac1) setMac1(message, initiation.mac1);
  if (initiation.mac2) setMac2(message, initiation.mac2);
  return message;
}

/** 92 new bytes. */
export function emitResponse(response: Response): Uint8Array {
  const message = new Uint8Array(RESPONSE_BYTES);
  storeLe32(message, 0, MESSAGE_RESPONSE);
  storeLe32(message, SENDER_AT, response.sender);
  storeLe32(message, RESPONSE_RECEIVER_AT, response.receiver);
  message.set(response.ephemeral, RESPONSE_EPHEMERAL_AT);
  message.set(response.sealedNothing, SEALED_NOTHING_AT);
  if (response.mac1) setMac1(message, response.mac1);
  if (response.mac2) setMac2(message, response.mac2);
  return message;
}

/** 64 new bytes. */
export function emitCookieReply(reply: CookieReply): Uint8Array {
  const message = new Uint8Array(COOKIE_REPLY_BYTES);
  storeLe32(message, 0, MESSAGE_COOKIE_REPLY);
  storeLe32(message, RECEIVER_AT, reply.receiver);
  message.set(reply.nonce, NONCE_AT);
  message.set(reply.sealedCookie, SEALED_COOKIE_AT);
  return message;
}

/** Header and sealed packet in new bytes. */
export function emitData(data: DataMessage): Uint8Array {
  const message = new Uint8Array(DATA_HEADER_BYTES + data.sealed.length);
  storeLe32(message, 0, data.type);
  storeLe32(message, RECEIVER_AT, data.receiver);
  storeLe64(message, COUNTER_AT, data.counter);
  message.set(data.sealed, DATA_HEADER_BYTES);
  return message;
}

function copy(message: Uint8Array, at: number, length: number): Uint8Array {
  return message.slice(at, at + length);
}
