/**
 * The body of an announcement record: that its author reaches a prefix which is none of the
 * overlay's own. Little endian:
 *
 *   0        1          5
 *   +--------+----------+---------+
 *   | state  | metric   | prefix  |
 *   +--------+----------+---------+
 *
 * State 1: announced; 0: withdrawn, when the metric is 0. Of those who announce one prefix the one
 * with the lowest metric is taken. The prefix as in prefix_field.ts. The record's key is the first
 * 8 bytes of a hash of the prefix, so that an author has one record for it.
 *
 * Source: heddle's protocol, version 1.
 */

import type { Prefix } from '../base/address.js';
import { toHex } from '../base/bytes.js';
import { Reader, Writer } from '../base/cursor.js';
import { blake2s } from '../crypto/blake2s.js';
import { readPrefix, writePrefix } from './prefix_field.js';

/** Of an announcement that nobody gave one. */
export const DEFAULT_METRIC = 100;

const WITHDRAWN = 0;
const ANNOUNCED = 1;
const LABEL = new TextEncoder().encode('heddle announcement 1');
const KEY_BYTES = 8;

export interface AnnouncementStatement {
  readonly prefix: Prefix;
  readonly isWithdrawn: boolean;
  /** 32 bits, the lowest first; 0 of one that is withdrawn. */
  readonly metric: number;
}

/** Undefined when it is malformed. */
export function parseAnnouncement(body: Uint8Array): AnnouncementStatement | undefined {
  const reader = new Reader(body);
  const state = reader.u8();
  const metric = reader.u32();
  const prefix = readPrefix(reader);
  if (!prefix || !reader.isWhole || state > ANNOUNCED) return undefined;
  const isWithdrawn = state === WITHDRAWN;
  return isWithdrawn && metric !== 0 ? undefined : { prefix, isWithdrawn, metric };
}

export function emitAnnouncement(statement: AnnouncementStatement): Uint8Array {
  const { prefix, isWithdrawn, metric } = statement;
  const writer = new Writer();
  writer.u8(isWithdrawn ? WITHDRAWN : ANNOUNCED).u32(isWithdrawn ? 0 : metric);
  writePrefix(writer, prefix);
  return writer.finish();
}

/** Of the record: 16 hexadecimal digits. */
export function announcementKey(prefix: Prefix): string {
  const writer = new Writer().bytes(LABEL);
  writePrefix(writer, prefix);
  return toHex(blake2s(writer.finish()).subarray(0, KEY_BYTES));
}

export function formatAnnouncement(statement: AnnouncementStatement): string {
  const { prefix, isWithdrawn, metric } = statement;
  return `announcement ${prefix.text} ${isWithdrawn ? 'withdrawn' : `metric ${metric}`}`;
}
