/**
 * A join message, in the body of a control message: how somebody who holds a join line becomes a
 * member. Little endian:
 *
 *   0        1
 *   +--------+---------------------------------------------------------------+
 *   | type   | what the type has                                             |
 *   +--------+---------------------------------------------------------------+
 *
 * type  what it has
 * 1     request: identity key (32 bytes), name (a byte of length), node record until the end, which
 *       has at most JOIN_RECORD_LIMIT bytes
 * 2     forward: number (32 bits), invitation (8 bytes), use (8 bits), and a request
 * 3     refused: number (32 bits), reason (8 bits, JOIN_REFUSALS in order from 1)
 * 4     waiting: id of the admin's key (8 bytes)
 * 5     granted: number (32 bits), a record until the end
 *
 * Source: heddle's protocol, version 1.
 */

import { assert } from '../base/assert.js';
import { Reader, Writer } from '../base/cursor.js';
import { loadLe32 } from '../base/bytes.js';
import { type NodeId, nodeId } from '../base/identifiers.js';
import { CONTROL_BODY_LIMIT } from './control.js';
import { checkRecord, recordLength } from './record.js';

const TYPES = ['request', 'forward', 'refused', 'waiting', 'granted'] as const;
const KEY_BYTES = 32;
/** Of one invitation. */
export const JOIN_USES = 16;
/** Of the record in a request, in bytes: what is taken can be forwarded. */
export const JOIN_RECORD_LIMIT = 512;
const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** What a joiner says of itself. */
export interface JoinRequest {
  /** Ed25519 public key, 32 bytes. */
  readonly identityKey: Uint8Array;
  /** What it calls itself: a host name's label, 1 to 63 of a-z, 0-9 and hyphens. */
  readonly name: string;
  /**
   * Its node record (wire/record.ts), which shows that it holds the identity's private key; at most
   * JOIN_RECORD_LIMIT bytes.
   */
  readonly record: Uint8Array;
}

/** Why a request is refused; a closed list, on the wire a byte each. */
export const JOIN_REFUSALS = [
  'unknown_invitation',
  'expired',
  'used', // another host has joined by this use of it
  'revoked', // the invitation, or the identity that asks
  'malformed',
  'name_taken',
  'busy',
] as const;

export type JoinRefusal = (typeof JOIN_REFUSALS)[number];

export type JoinMessage =
  /** Joiner to introducer, in a session by the invitation's key. */
  | { readonly kind: 'request'; readonly request: JoinRequest }
  /** Introducer to the admin that made the invitation. */
  | {
      readonly kind: 'forward';
      readonly number: number;
      /** 16 hexadecimal digits. */
      readonly invitation: string;
      /** Which of its uses: 0 to 15. */
      readonly use: number;
      readonly request: JoinRequest;
    }
  /** Admin to introducer, and introducer to joiner: there the number is `joinNumber`. */
  | { readonly kind: 'refused'; readonly number: number; readonly why: JoinRefusal }
  /** Introducer to joiner: the admin does not answer; the introducer goes on asking it. */
  | { readonly kind: 'waiting'; readonly admin: NodeId }
  /** A record that the joiner needs to verify its certificate; or that one, which is last. */
  | { readonly kind: 'granted'; readonly number: number; readonly record: Uint8Array };

/**
 * The number by which a joiner knows what is for it: two hosts that hold one line can meet in one
 * use, and then what is said to one may reach the other. The first 32 bits of its identity key.
 */
export function joinNumber({ identityKey }: Pick<JoinRequest, 'identityKey'>): number {
  return loadLe32(identityKey, 0);
}

/** Whether `name` can be a member's. */
export function isHostName(name: string): boolean {
  return NAME.test(name);
}

/** Whether `body` is a whole join message. */
export function checkJoin(body: Uint8Array): boolean {
  return parseJoin(body) !== undefined;
}

/** Undefined when it is malformed; records are views of `body`, and verified by nobody. */
export function parseJoin(body: Uint8Array): JoinMessage | undefined {
  if (body.length > CONTROL_BODY_LIMIT) return undefined;
  const reader = new Reader(body);
  switch (TYPES[reader.u8() - 1]) {
    case 'request': {
      const request = parseRequest(reader);
      return request && { kind: 'request', request };
    }
    case 'forward':
      return parseForward(reader);
    case 'refused': {
      const number = reader.u32();
      const why = JOIN_REFUSALS[reader.u8() - 1];
      return why && reader.isWhole ? { kind: 'refused', number, why } : undefined;
    }
    case 'waiting': {
      const admin = reader.nodeId();
      return reader.isWhole ? { kind: 'waiting', admin } : undefined;
    }
    case 'granted': {
      const number = reader.u32();
      const record = parseOneRecord(reader);
      return record && { kind: 'granted', number, record };
    }
    default:
      return undefined;
  }
}

export function emitJoin(message: JoinMessage): Uint8Array {
  const writer = new Writer().u8(TYPES.indexOf(message.kind) + 1);
  if (message.kind === 'forward') {
    assert(message.use < JOIN_USES, 'an invitation has 16 uses at most');
    writer.u32(message.number).nodeId(nodeId(message.invitation)).u8(message.use);
  }
  if (message.kind === 'request' || message.kind === 'forward') {
    const { identityKey, name, record } = message.request;
    assert(identityKey.length === KEY_BYTES, 'a key has 32 bytes');
    assert(record.length <= JOIN_RECORD_LIMIT, 'the record of a request is bounded');
    writer.bytes(identityKey).text(name).bytes(record);
  } else if (message.kind === 'refused') {
    writer.u32(message.number).u8(JOIN_REFUSALS.indexOf(message.why) + 1);
  } else if (message.kind === 'waiting') writer.nodeId(message.admin);
  else writer.u32(message.number).bytes(message.record);
  assert(writer.length <= CONTROL_BODY_LIMIT, 'a join message fits a control message');
  return writer.finish();
}

export function formatJoin(message: JoinMessage): string {
  if (message.kind === 'refused') return `join refused ${message.number} ${message.why}`;
  if (message.kind === 'waiting') return `join waiting for ${message.admin}`;
  if (message.kind === 'granted') return `join granted ${message.number}`;
  const { name } = message.request;
  if (message.kind === 'request') return `join request of ${name}`;
  return `join forward ${message.number} of ${name} by ${message.invitation} use ${message.use}`;
}

function parseForward(reader: Reader): JoinMessage | undefined {
  const number = reader.u32();
  const invitation: string = reader.nodeId();
  const use = reader.u8();
  const request = parseRequest(reader);
  if (!request || use >= JOIN_USES) return undefined;
  return { kind: 'forward', number, invitation, use, request };
}

function parseRequest(reader: Reader): JoinRequest | undefined {
  const identityKey = reader.bytes(KEY_BYTES);
  const name = reader.text();
  const record = parseOneRecord(reader);
  if (!record || record.length > JOIN_RECORD_LIMIT || !isHostName(name)) return undefined;
  return { identityKey, name, record };
}

/** All that is left, where it is one record. */
function parseOneRecord(reader: Reader): Uint8Array | undefined {
  const bytes = reader.rest();
  if (!reader.isWhole || !checkRecord(bytes)) return undefined;
  return recordLength(bytes) === bytes.length ? bytes : undefined;
}
