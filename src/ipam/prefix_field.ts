/**
 * A prefix as a field of a record's body:
 *
 *   0        1        2
 *   +--------+--------+------------------+
 *   | family | length | address          |
 *   +--------+--------+------------------+
 *
 * Family 4, with an address of 4 bytes, or 6, with 16, in network byte order; the bits behind
 * `length` are zero, and no IPv4 address stands as one of IPv6 (RFC 4291 §2.5.5.2): a prefix has
 * one form. Source: heddle's protocol, version 1.
 */

import { addressFromBytes, bitsOf, type Family, type Prefix, prefixOf } from '../base/address.js';
import { equal } from '../base/bytes.js';
import type { Reader, Writer } from '../base/cursor.js';

/** Undefined when it is malformed; then the reader has failed, too. */
export function readPrefix(reader: Reader): Prefix | undefined {
  const family = reader.u8();
  const length = reader.u8();
  const prefix = family === 4 || family === 6 ? prefixIn(reader, family, length) : undefined;
  if (!prefix) reader.fail();
  return prefix;
}

export function writePrefix(writer: Writer, { address, length }: Prefix): void {
  writer.u8(address.family).u8(length).bytes(address.bytes);
}

function prefixIn(reader: Reader, family: Family, length: number): Prefix | undefined {
  const bytes = reader.bytes(bitsOf(family) / 8);
  const address = addressFromBytes(bytes, 0, family);
  if (!reader.isSound || address.family !== family || length > bitsOf(family)) return undefined;
  const prefix = prefixOf(address, length);
  return equal(prefix.address.bytes, bytes) ? prefix : undefined;
}
