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

/**
 * Calls `visit` with the type of each whole message, and where its body begins and ends; for lists
 * of which `parseMessages` would make too many objects.
 */
export function visitMessages(
  bytes: Uint8Array,
  visit: (type: number, at: number, end: number) => void,
): void {
  let at = 0;
  while (at + HEADER_BYTES <= bytes.length) {
    const length = loadLe32(bytes, at);
    if (length < HEADER_BYTES || at + length > bytes.length) return;
    visit(loadLe16(bytes, at + 4), at + HEADER_BYTES, at + length);
    at += align(length);
  }
}

/** Where the payload of the first attribute of the type begins, between `at` and `end`; or -1. */
export function findAttribute(bytes: Uint8Array, at: number, end: number, type: number): number {
  let next = at;
  while (next + 4 <= end) {
    const length = loadLe16(bytes, next);
    if (length < 4 || next + length > end) return -1;
    if ((loadLe16(bytes, next + 2) & TYPE_BITS) === type) return next + 4;
    next += align(length);
  }
  return -1;
}

/**
 * The positive errno with which a request failed, or a dump broke off; 0 for an acknowledgement, a
 * whole dump, and every message that ends nothing.
 */
export function errorOf({ type, body }: Message): number {
  if ((type !== TYPE.error && type !== TYPE.done) || body.length < 4) return 0;
  return -(loadLe32(body, 0) | 0);
}

/** The positive errno with which the dump in `bytes` broke off; 0 for a whole one. */
export function dumpError(bytes: Uint8Array): number {
  let errno = 0;
  visitMessages(bytes, (type, at, end) => {
    if (type !== TYPE.error && type !== TYPE.done) return;
    errno = errorOf({ type, flags: 0, body: bytes.subarray(at, end) });
  });
  return errno;
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
