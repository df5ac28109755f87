/**
 * The join line: what is pasted on a host to make it a member, one word of small letters and
 * digits. It is a secret: whoever holds it may join in its owner's place until it is used or has
 * expired. It carries the network's public key and never a secret of the network itself.
 *
 *   heddle1 base32(version, first root key, admin, invitation, seed, uses, expires, introducers,
 *                  checksum)
 *
 * Base32 as RFC 4648 §6, in small letters and without padding; the checksum is the first 4 bytes of
 * BLAKE2s-256 of everything before it, so that a typo is one and not an unknown invitation.
 */

import { addressFromBytes, type Endpoint, endpointOf } from '../base/address.js';
import { assert } from '../base/assert.js';
import { concat, equal } from '../base/bytes.js';
import { Reader, Writer } from '../base/cursor.js';
import { type NodeId, nodeId } from '../base/identifiers.js';
import { type WallTime, wallTime } from '../base/time.js';
import { blake2s } from '../crypto/blake2s.js';
import { nodeIdOf } from './node_id.js';

export const JOIN_LINE_PREFIX = 'heddle1';
export const INTRODUCER_LIMIT = 3;
export const INVITATION_SEED_BYTES = 16;

const VERSION = 1;
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const CHECKSUM_BYTES = 4;
const KEY_BYTES = 32;
const USES_LIMIT = 16;
const TEXT_LIMIT = 1_024;

export interface JoinLine {
  readonly network: NodeId;
  /** Ed25519, 32 bytes: the first root key, whose id the network's is. */
  readonly rootKey: Uint8Array;
  /** The id of the admin key that redeems it. */
  readonly admin: NodeId;
  /** Who is asked: X25519 public key, and where; 1 to INTRODUCER_LIMIT. */
  readonly introducers: readonly {
    readonly publicKey: Uint8Array;
    readonly endpoint: Endpoint;
  }[];
  /** 16 hexadecimal digits. */
  readonly invitation: string;
  /** INVITATION_SEED_BYTES; a secret. */
  readonly seed: Uint8Array;
  /** 1 to 16. */
  readonly uses: number;
  readonly expires: WallTime;
}

export type ParsedJoinLine =
  | { readonly kind: 'line'; readonly line: JoinLine }
  /** What is wrong and what to do; nothing of the line is in it. */
  | { readonly kind: 'fault'; readonly message: string };

/** White space is ignored: a line that a terminal broke is still one. */
export function parseJoinLine(text: string): ParsedJoinLine {
  const bare = text
    .slice(0, 4 * TEXT_LIMIT)
    .replace(/\s+/g, '')
    .toLowerCase();
  if (bare === '') return fault('There is none: nothing was given');
  if (text.length > 4 * TEXT_LIMIT || bare.length > TEXT_LIMIT) {
    return fault('It is far too long: copy the line alone');
  }
  if (!bare.startsWith(JOIN_LINE_PREFIX)) {
    return fault(
      `It does not begin with ${JOIN_LINE_PREFIX}: copy all of it, from the first letter`,
    );
  }
  const letters = bare.slice(JOIN_LINE_PREFIX.length);
  const odd = [...letters].findIndex((letter) => !ALPHABET.includes(letter));
  if (odd >= 0) {
    const place = JOIN_LINE_PREFIX.length + odd + 1;
    return fault(`Character ${place} is none that such a line has (a to z, 2 to 7): copy it again`);
  }
  const bytes = decode(letters);
  const content = bytes.subarray(0, Math.max(0, bytes.length - CHECKSUM_BYTES));
  if (encode(bytes) !== letters || !equal(checksumOf(content), bytes.subarray(content.length))) {
    return fault('It was changed or cut on its way: its checksum is wrong. Copy it again');
  }
  if (content[0] !== VERSION) return fault('It was made by a newer heddle: update this one');
  const line = parseContent(content);
  return line ? { kind: 'line', line } : fault('It is damaged: ask for another');
}

/** A secret. */
export function emitJoinLine(line: JoinLine): string {
  const { rootKey, admin, introducers, invitation, seed, uses, expires } = line;
  assert(introducers.length >= 1 && introducers.length <= INTRODUCER_LIMIT, 'somebody is asked');
  assert(uses >= 1 && uses <= USES_LIMIT, 'an invitation has 1 to 16 uses');
  const writer = new Writer().u8(VERSION).bytes(rootKey).nodeId(admin);
  writer
    .nodeId(nodeId(invitation))
    .bytes(seed)
    .u8(uses)
    .u32(Math.floor(expires / 1e6));
  writer.u8(introducers.length);
  for (const { publicKey, endpoint } of introducers) {
    const { address, port } = endpoint;
    writer.bytes(publicKey).u8(address.family).bytes(address.bytes).u16(port);
  }
  const content = writer.finish();
  return JOIN_LINE_PREFIX + encode(concat(content, checksumOf(content)));
}

function fault(what: string): ParsedJoinLine {
  return { kind: 'fault', message: `This is no join line. ${what}.` };
}

function parseContent(content: Uint8Array): JoinLine | undefined {
  const reader = new Reader(content, 1);
  const rootKey = reader.bytes(KEY_BYTES).slice();
  const admin = reader.nodeId();
  const invitation: string = reader.nodeId();
  const seed = reader.bytes(INVITATION_SEED_BYTES).slice();
  const uses = reader.u8();
  const expires = wallTime(reader.u32() * 1e6);
  const count = reader.u8();
  if (count < 1 || count > INTRODUCER_LIMIT || uses < 1 || uses > USES_LIMIT) return undefined;
  const introducers: { publicKey: Uint8Array; endpoint: Endpoint }[] = [];
  for (let i = 0; i < count; i++) {
    const publicKey = reader.bytes(KEY_BYTES).slice();
    const family = reader.u8();
    if (family !== 4 && family !== 6) return undefined;
    const address = addressFromBytes(reader.bytes(family === 4 ? 4 : 16), 0, family);
    const port = reader.u16();
    if (port === 0) reader.fail();
    introducers.push({ publicKey, endpoint: endpointOf(address, port) });
  }
  if (!reader.isWhole) return undefined;
  const network = nodeIdOf(rootKey);
  return { network, rootKey, admin, introducers, invitation, seed, uses, expires };
}

function checksumOf(content: Uint8Array): Uint8Array {
  return blake2s(content).subarray(0, CHECKSUM_BYTES);
}

function encode(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += ALPHABET[(held >>> (bits - 5)) & 31];
  }
  return bits > 0 ? text + ALPHABET[(held << (5 - bits)) & 31] : text;
}

/** Of letters of the alphabet; bits that fill no byte are left out. */
function decode(text: string): Uint8Array {
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (const letter of text) {
    held = ((held << 5) | ALPHABET.indexOf(letter)) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((held >>> bits) & 0xff);
  }
  return Uint8Array.from(bytes);
}
