/**
 * The records that were known, as the file `members` holds them: each behind its length of 16 bits.
 * A cache: what is lost of it is learned again.
 */

import { Reader, Writer } from '../base/cursor.js';

const RECORDS_LIMIT = 131_072;

/** Views; undefined when it is malformed. */
export function parseMembersFile(content: Uint8Array): Uint8Array[] | undefined {
  const reader = new Reader(content);
  const records: Uint8Array[] = [];
  while (reader.isSound && reader.left > 0 && records.length < RECORDS_LIMIT) {
    records.push(reader.bytes(reader.u16()));
  }
  return reader.isWhole ? records : undefined;
}

export function emitMembersFile(records: Iterable<Uint8Array>): Uint8Array {
  const writer = new Writer();
  for (const record of records) writer.u16(record.length).bytes(record);
  return writer.finish();
}
