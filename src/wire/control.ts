/**
 * A control message: what peers of heddle's own protocol say to each other inside a session, where
 * an inner packet would stand. Its first nibble is 1, which no IP version is. Little endian:
 *
 *   0        1        2           4
 *   +--------+--------+-----------+----------------+- - - - - +
 *   | 0x10   | kind   | length    | body           | padding  |
 *   +--------+--------+-----------+----------------+- - - - - +
 *
 * `length` is the body's. What follows the body is padding and ignored, as is the low nibble of the
 * first byte, which is sent as zero. Source: heddle's protocol, version 1.
 */

import { assert } from '../base/assert.js';
import { loadLe16, storeLe16, toHex } from '../base/bytes.js';

export const CONTROL_HEADER_BYTES = 4;
/** The longest body that is sent or taken. */
export const CONTROL_BODY_LIMIT = 1020;
/** The kind of a hello (hello.ts). */
export const CONTROL_HELLO = 1;
/** The kinds of a mesh: gossip.ts, sync.ts, join.ts. */
export const CONTROL_GOSSIP = 2;
export const CONTROL_SYNC = 3;
export const CONTROL_JOIN = 4;
/** The highest kind of this version. */
export const CONTROL_KINDS = CONTROL_JOIN;

const FIRST_BYTE = 0x10;
const NIBBLE = 1;
const KIND_AT = 1;
const LENGTH_AT = 2;

/** Whether `bytes` begins with a whole control message. */
export function checkControl(bytes: Uint8Array): boolean {
  if (bytes.length < CONTROL_HEADER_BYTES || (bytes[0] ?? 0) >> 4 !== NIBBLE) return false;
  const length = controlLength(bytes);
  return length <= CONTROL_BODY_LIMIT && CONTROL_HEADER_BYTES + length <= bytes.length;
}

/** 8 bits; CONTROL_HELLO, or what a later version means by it. */
export function controlKind(bytes: Uint8Array): number {
  return bytes[KIND_AT] ?? 0;
}

/** The body's, in bytes; little endian. */
export function controlLength(bytes: Uint8Array): number {
  return loadLe16(bytes, LENGTH_AT);
}

export interface ControlMessage {
  readonly kind: number;
  /** At most CONTROL_BODY_LIMIT bytes. */
  readonly body: Uint8Array;
}

/** Undefined when `checkControl` does not hold; the body is a view of `bytes`. */
export function parseControl(bytes: Uint8Array): ControlMessage | undefined {
  if (!checkControl(bytes)) return undefined;
  const body = bytes.subarray(CONTROL_HEADER_BYTES, CONTROL_HEADER_BYTES + controlLength(bytes));
  return { kind: controlKind(bytes), body };
}

/** Without padding. */
export function emitControl({ kind, body }: ControlMessage): Uint8Array {
  assert(kind >= 0 && kind <= 255, 'a kind has 8 bits');
  assert(body.length <= CONTROL_BODY_LIMIT, 'a control message is bounded');
  const bytes = new Uint8Array(CONTROL_HEADER_BYTES + body.length);
  bytes[0] = FIRST_BYTE;
  bytes[KIND_AT] = kind;
  storeLe16(bytes, LENGTH_AT, body.length);
  bytes.set(body, CONTROL_HEADER_BYTES);
  return bytes;
}

export function formatControl({ kind, body }: ControlMessage): string {
  return `control ${kind === CONTROL_HELLO ? 'hello' : kind} ${body.length} bytes ${toHex(body)}`;
}
