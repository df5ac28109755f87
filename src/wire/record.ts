/**
 * A signed record: what one author says, once, to everybody. All that is durable in a mesh is such
 * records. Little endian:
 *
 *   0        1        2           4             12         20        28
 *   +--------+--------+-----------+-------------+----------+---------+------+-----------+
 *   | kind   | format | length    | version     | author   | key     | body | signature |
 *   +--------+--------+-----------+-------------+----------+---------+------+-----------+
 *
 * `format` is 1. `length` is the body's, at most RECORD_BODY_LIMIT. `version` has 64 bits, is below
 * 2^53, and rises: of two records of one kind, author and key the higher version is in force, and
 * of equal ones that whose bytes sort later. `author` is the id of the key that signs. `key` tells
 * records of one author and kind apart. The signature (64 bytes, Ed25519) is over
 *
 *   "heddle record 1" || id of the network (8 bytes) || everything before the signature
 *
 * so that a record of another network is none. Source: heddle's protocol, version 1.
 */

import { assert, present } from '../base/assert.js';
import { concat, fromHex, pack, shared, toHex, unpack } from '../base/bytes.js';
import { Reader, Writer } from '../base/cursor.js';
import { type NodeId, nodeId } from '../base/identifiers.js';

export const RECORD_HEADER_BYTES = 28;
export const RECORD_SIGNATURE_BYTES = 64;
export const RECORD_BODY_LIMIT = 860;
export const RECORD_LIMIT = RECORD_HEADER_BYTES + RECORD_BODY_LIMIT + RECORD_SIGNATURE_BYTES;
/** The key of a kind of which an author has one record. */
export const NO_KEY = '0000000000000000';

const FORMAT = 1;
const VERSION_AT = 4;
const AUTHOR_AT = 12;

const LABEL = new TextEncoder().encode('heddle record 1');

/** By their bytes on the wire; each with who signs it and what its key is. */
const KINDS = [
  'network', // root key; NO_KEY
  'delegation', // root key; the id of the admin key
  'certificate', // admin key; the id of the member
  'revocation', // admin or root key; the id of what is revoked
  'node', // the member; NO_KEY
  'suspicion', // a member; the id of whom it suspects
  'lease', // the member; what is leased
  'announcement', // the member; a hash of the prefix
  'invitation', // admin key; the invitation's id
  'rootChange', // the old root key; NO_KEY
] as const;

export type RecordKind = (typeof KINDS)[number];

export interface RecordFields {
  readonly kind: RecordKind;
  /** 0 to 2^53 - 1. */
  readonly version: number;
  /** The id of the key that signed it. */
  readonly author: NodeId;
  /** 16 lower-case hexadecimal digits. */
  readonly key: string;
  /** At most RECORD_BODY_LIMIT bytes. */
  readonly body: Uint8Array;
}

export interface SignedRecord extends RecordFields {
  /** Kind, author and key as text: what a newer record of the same replaces. */
  readonly place: string;
  /** All of it, signature included; a new array each time it is read, as `body` is. */
  readonly bytes: Uint8Array;
  /** The same, a character a byte. */
  readonly packed: string;
}

/** There are three for each of thousands of members: what follows from the bytes is not kept. */
class PackedRecord implements SignedRecord {
  readonly author: NodeId;
  readonly key: string;
  readonly place: string;
  readonly packed: string;

  /** Of one whole record. */
  constructor(bytes: Uint8Array) {
    this.packed = pack(bytes);
    const reader = new Reader(bytes, AUTHOR_AT);
    const [author, key] = [reader.nodeId(), reader.nodeId()];
    this.place = placeOf(this.kind, author, key);
    this.author = shared(author);
    this.key = shared(key);
  }

  get kind(): RecordKind {
    return present(KINDS[this.packed.charCodeAt(0) - 1], 'a whole record is of a known kind');
  }

  get version(): number {
    let version = 0;
    for (let i = 7; i >= 0; i--) version = version * 256 + this.packed.charCodeAt(VERSION_AT + i);
    return version;
  }

  get body(): Uint8Array {
    return unpack(this.packed.slice(RECORD_HEADER_BYTES, -RECORD_SIGNATURE_BYTES));
  }

  get bytes(): Uint8Array {
    return unpack(this.packed);
  }
}

/** Whether `bytes` begins with a whole record of a known kind. */
export function checkRecord(bytes: Uint8Array): boolean {
  return recordLength(bytes) !== undefined;
}

/** What the first byte of a whole record says. */
export function isOfKind(bytes: Uint8Array, kind: RecordKind): boolean {
  return KINDS[(bytes[0] ?? 0) - 1] === kind;
}

/** Of the record that `bytes` begins with; undefined where it is none, or cut short. */
export function recordLength(bytes: Uint8Array): number | undefined {
  const reader = new Reader(bytes);
  const kind = reader.u8();
  const format = reader.u8();
  const length = reader.u16();
  reader.u64();
  if (!reader.isSound || kind < 1 || kind > KINDS.length || format !== FORMAT) return undefined;
  const whole = RECORD_HEADER_BYTES + length + RECORD_SIGNATURE_BYTES;
  return length > RECORD_BODY_LIMIT || whole > bytes.length ? undefined : whole;
}

/** A copy; undefined unless `bytes` is one whole record and nothing more. Verifies nothing. */
export function parseRecord(bytes: Uint8Array): SignedRecord | undefined {
  return recordLength(bytes) === bytes.length ? new PackedRecord(bytes) : undefined;
}

/** Records one behind the other; undefined where anything else is among them. */
export function splitRecords(bytes: Uint8Array): Uint8Array[] | undefined {
  const records: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = recordLength(bytes.subarray(at));
    if (length === undefined) return undefined;
    records.push(bytes.subarray(at, at + length));
    at += length;
  }
  return records;
}

/** `sign` is given what the signature is over. */
export function emitRecord(
  fields: RecordFields,
  network: NodeId,
  sign: (message: Uint8Array) => Uint8Array,
): SignedRecord {
  const { kind, version, author, key, body } = fields;
  assert(body.length <= RECORD_BODY_LIMIT, 'the body of a record is bounded');
  const writer = new Writer().u8(KINDS.indexOf(kind) + 1).u8(FORMAT);
  writer.u16(body.length).u64(version).nodeId(author).nodeId(nodeId(key)).bytes(body);
  const unsigned = writer.finish();
  const signature = sign(signedMessage(unsigned, network));
  assert(signature.length === RECORD_SIGNATURE_BYTES, 'a signature has 64 bytes');
  const record = parseRecord(concat(unsigned, signature));
  assert(record !== undefined, 'what is emitted can be parsed');
  return record;
}

/** What the signature of a whole record is over. */
export function recordMessage({ bytes }: SignedRecord, network: NodeId): Uint8Array {
  return signedMessage(bytes.subarray(0, bytes.length - RECORD_SIGNATURE_BYTES), network);
}

export function recordSignature({ bytes }: SignedRecord): Uint8Array {
  return bytes.subarray(bytes.length - RECORD_SIGNATURE_BYTES);
}

/** Whether `a` is in force before `b`, both of one place: the one order that all nodes see. */
export function isNewer(a: SignedRecord, b: SignedRecord): boolean {
  if (a.version !== b.version) return a.version > b.version;
  return a.packed > b.packed;
}

export function placeOf(kind: RecordKind, author: NodeId, key: string): string {
  // One string, where a template keeps its parts as well: there are thousands of places.
  return [kind, author, key].join(' ');
}

export const PLACE_BYTES = 17;

/** Kind, author and key in 17 bytes. */
export function emitPlace(place: string): Uint8Array {
  const [kind, author = '', key = ''] = place.split(' ');
  const at = KINDS.findIndex((each) => each === kind);
  assert(at >= 0, 'a place begins with a kind');
  const ids = fromHex(author + key);
  assert(ids?.length === PLACE_BYTES - 1, 'a place holds two ids');
  return concat(Uint8Array.of(at + 1), ids);
}

/** Undefined where the kind is unknown. */
export function parsePlace(bytes: Uint8Array): string | undefined {
  const kind = KINDS[(bytes[0] ?? 0) - 1];
  if (!kind || bytes.length !== PLACE_BYTES) return undefined;
  return placeOf(kind, nodeId(toHex(bytes.subarray(1, 9))), toHex(bytes.subarray(9)));
}

export function formatRecord({ kind, author, key, version, body }: SignedRecord): string {
  return `record ${kind} by ${author} key ${key} version ${version} body ${body.length} bytes`;
}

function signedMessage(unsigned: Uint8Array, network: NodeId): Uint8Array {
  return concat(LABEL, fromHex(network) ?? new Uint8Array(8), unsigned);
}
