/** Fields that several records of identity have, read strictly: what is odd fails the reader. */

import { addressFromBytes, bitsOf, type Prefix, prefixOf } from '../base/address.js';
import { type Reader, Writer } from '../base/cursor.js';
import { isHostName } from '../wire/join.js';

/** Items of a list. */
export const LIST_LIMIT = 16;
/** Bytes of a grant: with it the largest certificate fits into a record. */
export const GRANT_BYTES = 400;

/** What a member is given besides its name. */
export interface Grant {
  readonly groups: readonly string[];
  /** What it may announce. */
  readonly prefixes: readonly Prefix[];
}

/** A host name's label; nothing that a terminal would obey. */
export function readName(reader: Reader): string {
  const name = reader.text();
  if (!isHostName(name)) reader.fail();
  return name;
}

/** Groups, and prefixes. */
export function readGrant(reader: Reader): Grant {
  const begin = reader.at;
  const groups = readList(reader, readName);
  const prefixes = readList(reader, readPrefix);
  if (reader.at - begin > GRANT_BYTES) reader.fail();
  return { groups, prefixes };
}

export function writeGrant(writer: Writer, { groups, prefixes }: Grant): void {
  writer.u8(groups.length);
  for (const group of groups) writer.text(group);
  writer.u8(prefixes.length);
  for (const prefix of prefixes) writePrefix(writer, prefix);
}

/** Why this cannot be granted, as a sentence without its full stop; undefined: it can. */
export function faultOfGrant(grant: Grant): string | undefined {
  const { groups, prefixes } = grant;
  if (groups.some((group) => !isHostName(group))) {
    return 'A group is called by 1 to 63 small letters, digits and hyphens';
  }
  if (groups.length > LIST_LIMIT || prefixes.length > LIST_LIMIT) {
    return `A member has at most ${LIST_LIMIT} groups and ${LIST_LIMIT} prefixes`;
  }
  const writer = new Writer();
  writeGrant(writer, grant);
  return writer.length > GRANT_BYTES
    ? 'The groups and prefixes are too many for one member; shorten the names of the groups'
    : undefined;
}

/** Behind a count of one byte. */
export function readList<T>(reader: Reader, readOne: (reader: Reader) => T | undefined): T[] {
  const count = reader.u8();
  if (count > LIST_LIMIT) reader.fail();
  const items: T[] = [];
  for (let i = 0; i < count && reader.isSound; i++) {
    const item = readOne(reader);
    if (item === undefined) reader.fail();
    else items.push(item);
  }
  return items;
}

/** Family, length, address; undefined where bits behind the length are set. */
export function readPrefix(reader: Reader): Prefix | undefined {
  const family = reader.u8();
  const length = reader.u8();
  if (family !== 4 && family !== 6) return undefined;
  const address = addressFromBytes(reader.bytes(family === 4 ? 4 : 16), 0, family);
  if (!reader.isSound || address.family !== family || length > bitsOf(family)) return undefined;
  const prefix = prefixOf(address, length);
  return prefix.address.text === address.text ? prefix : undefined;
}

export function writePrefix(writer: Writer, { address, length }: Prefix): void {
  writer.u8(address.family).u8(length).bytes(address.bytes);
}
