/**
 * rtnetlink messages (rtnetlink(7), linux/rtnetlink.h) as values. All integers are in host byte
 * order, which is little-endian on every machine that heddle runs on.
 *
 *   0          4       6       8          12         16
 *   +----------+-------+-------+----------+----------+----------------------+----------------
 *   |length    |type   |flags  |sequence  |port      |fixed part of the type|attributes ...
 *   +----------+-------+-------+----------+----------+----------------------+----------------
 *
 * An attribute: length(2) type(2) payload, padded to four bytes.
 */

import { concat, loadLe16, loadLe32, storeLe16, storeLe32 } from '../base/bytes.js';

export const HEADER_BYTES = 16;
/** The two top bits say "nested" and "network byte order". */
const TYPE_BITS = 0x3fff;

export const TYPE = {
  error: 2,
  done: 3,
  newLink: 16,
  deleteLink: 17,
  getLink: 18,
  newAddress: 20,
  deleteAddress: 21,
  getAddress: 22,
  newRoute: 24,
  deleteRoute: 25,
  getRoute: 26,
  newRule: 32,
  deleteRule: 33,
  getRule: 34,
} as const;

export const FLAG = {
  request: 0x1,
  acknowledge: 0x4,
  dump: 0x300,
  replace: 0x100,
  exclusive: 0x200,
  create: 0x400,
} as const;

export interface Attribute {
  readonly type: number;
  readonly value: Uint8Array;
}

export interface Message {
  readonly type: number;
  readonly flags: number;
  /** The fixed part, whose length follows from the type, and the attributes behind it. */
  readonly body: Uint8Array;
}

/** One message; `fixed` is a multiple of four bytes long. */
export function emitMessage(
  head: { readonly type: number; readonly flags: number },
  fixed: Uint8Array,
  attributes: readonly Attribute[],
): Uint8Array {
  const body = concat(fixed, ...attributes.map(emitAttribute));
  const header = new Uint8Array(HEADER_BYTES);
  storeLe32(header, 0, HEADER_BYTES + body.length);
  storeLe16(header, 4, head.type);
  storeLe16(header, 6, head.flags);
  return concat(header, body);
}

/** All whole messages in `bytes`; what is cut off or contradicts itself ends the list. */
export function parseMessages(bytes: Uint8Array): Message[] {
  const messages: Message[] = [];
  let at = 0;
  while (at + HEADER_BYTES <= bytes.length) {
    const length = loadLe32(bytes, at);
    if (length < HEADER_BYTES || at + length > bytes.length) break;
    const body = bytes.subarray(at + HEADER_BYTES, at + length);
    messages.push({ type: loadLe16(bytes, at + 4), flags: loadLe16(bytes, at + 6), body });
    at += align(length);
  }
  return messages;
}

/**
 * The attributes behind a fixed part of `fixedBytes`, by type; a later one of a type replaces an
 * earlier one.
 */
export function parseAttributes(body: Uint8Array, fixedBytes: number): Map<number, Uint8Array> {
  const found = new Map<number, Uint8Array>();
  let at = fixedBytes;
  while (at + 4 <= body.length) {
    const length = loadLe16(body, at);
    if (length < 4 || at + length > body.length) break;
    found.set(loadLe16(body, at + 2) & TYPE_BITS, body.subarray(at + 4, at + length));
    at += align(length);
  }
  return found;
}

/** The first attribute of the type behind a fixed part of `fixedBytes`; borrowed. */
export function attributeOf(
  body: Uint8Array,
  fixedBytes: number,
  type: number,
): Uint8Array | undefined {
  let at = fixedBytes;
  while (at + 4 <= body.length) {
    const length = loadLe16(body, at);
    if (length < 4 || at + length > body.length) return undefined;
    if ((loadLe16(body, at + 2) & TYPE_BITS) === type) return body.subarray(at + 4, at + length);
    at += align(length);
  }
  return undefined;
}

/**
 * The positive errno with which a request failed, or a dump broke off; 0 for an acknowledgement, a
 * whole dump, and every message that ends nothing.
 */
export function errorOf({ type, body }: Message): number {
  if ((type !== TYPE.error && type !== TYPE.done) || body.length < 4) return 0;
  return -(loadLe32(body, 0) | 0);
}

export function u32(type: number, value: number): Attribute {
  const bytes = new Uint8Array(4);
  storeLe32(bytes, 0, value);
  return { type, value: bytes };
}

/** Up to the terminating zero. */
export function readText(value: Uint8Array | undefined): string {
  let result = '';
  for (const byte of value ?? []) {
    if (byte === 0) break;
    result += String.fromCharCode(byte);
  }
  return result;
}

function emitAttribute({ type, value }: Attribute): Uint8Array {
  const bytes = new Uint8Array(align(4 + value.length));
  storeLe16(bytes, 0, 4 + value.length);
  storeLe16(bytes, 2, type);
  bytes.set(value, 4);
  return bytes;
}

function align(length: number): number {
  return (length + 3) & ~3;
}
