/**
 * A gossip message, in the body of a control message: a probe, or records that spread. Little
 * endian:
 *
 *   0        1            5
 *   +--------+------------+----------------------------+- - - - -+
 *   | type   | sequence   | what the type has          | records |
 *   +--------+------------+----------------------------+- - - - -+
 *
 * type  what it has
 * 1     ping: target (8 bytes), digest (8 bytes)
 * 2     ack: digest (8 bytes)
 * 3     ping request: target (8 bytes)
 * 4     nack: nothing, and no records
 * 5     spread: nothing; its sequence is 0
 *
 * Records stand one behind the other until the end (record.ts), as many as fit. Source: SWIM §3
 * (Das, Gupta, Motivala 2002) and Lifeguard §IV (Dadgar, Phillips, Currey 2017) for what they
 * mean; the form is heddle's protocol, version 1.
 */

import { assert } from '../base/assert.js';
import { Reader, Writer } from '../base/cursor.js';
import type { NodeId } from '../base/identifiers.js';
import { CONTROL_BODY_LIMIT } from './control.js';
import { splitRecords } from './record.js';

const TYPES = ['ping', 'ack', 'pingRequest', 'nack', 'spread'] as const;
const HEADER_BYTES = 5;
const ID_BYTES = 8;
export const DIGEST_BYTES = 8;

/** Records, each whole and bounded, verified by nobody yet; views of what was parsed. */
export type RecordBytes = readonly Uint8Array[];

export type GossipMessage =
  /** `digest`: 8 bytes, of the sender's store. `target`: whom the sender means to ask. */
  | {
      readonly kind: 'ping';
      readonly sequence: number;
      readonly target: NodeId;
      readonly digest: Uint8Array;
      readonly records: RecordBytes;
    }
  | {
      readonly kind: 'ack';
      readonly sequence: number;
      readonly digest: Uint8Array;
      readonly records: RecordBytes;
    }
  /** Ask this member for me; an `ack` with this sequence number comes back, or a `nack`. */
  | {
      readonly kind: 'pingRequest';
      readonly sequence: number;
      readonly target: NodeId;
      readonly records: RecordBytes;
    }
  /** The member asked for did not answer in time (Lifeguard §IV.A). */
  | { readonly kind: 'nack'; readonly sequence: number }
  | { readonly kind: 'spread'; readonly records: RecordBytes };

/** Bytes that records may take in a message of this kind. */
export function gossipRoom(kind: GossipMessage['kind']): number {
  const own = { ping: ID_BYTES + DIGEST_BYTES, ack: DIGEST_BYTES, pingRequest: ID_BYTES };
  if (kind === 'nack') return 0;
  return CONTROL_BODY_LIMIT - HEADER_BYTES - (kind === 'spread' ? 0 : own[kind]);
}

/** Whether `body` is a whole gossip message. */
export function checkGossip(body: Uint8Array): boolean {
  return parseGossip(body) !== undefined;
}

/** Undefined when it is malformed; records are views of `body`. */
export function parseGossip(body: Uint8Array): GossipMessage | undefined {
  if (body.length > CONTROL_BODY_LIMIT) return undefined;
  const reader = new Reader(body);
  const kind = TYPES[reader.u8() - 1];
  const sequence = reader.u32();
  if (!kind) return undefined;
  const target = kind === 'ping' || kind === 'pingRequest' ? reader.nodeId() : undefined;
  const digest = kind === 'ping' || kind === 'ack' ? reader.bytes(DIGEST_BYTES) : undefined;
  const records = splitRecords(reader.rest());
  if (!reader.isWhole || !records) return undefined;
  if (kind === 'ping' && target && digest) return { kind, sequence, target, digest, records };
  if (kind === 'ack' && digest) return { kind, sequence, digest, records };
  if (kind === 'pingRequest' && target) return { kind, sequence, target, records };
  if (kind === 'nack' && records.length === 0) return { kind, sequence };
  return kind === 'spread' && sequence === 0 ? { kind, records } : undefined;
}

export function emitGossip(message: GossipMessage): Uint8Array {
  const sequence = message.kind === 'spread' ? 0 : message.sequence;
  const writer = new Writer().u8(TYPES.indexOf(message.kind) + 1).u32(sequence);
  if ('target' in message) writer.nodeId(message.target);
  if ('digest' in message) {
    assert(message.digest.length === DIGEST_BYTES, 'a digest has 8 bytes');
    writer.bytes(message.digest);
  }
  if ('records' in message) for (const record of message.records) writer.bytes(record);
  assert(writer.length <= CONTROL_BODY_LIMIT, 'a gossip message fits a control message');
  return writer.finish();
}

export function formatGossip(message: GossipMessage): string {
  const sequence = 'sequence' in message ? ` ${message.sequence}` : '';
  const target = 'target' in message ? ` of ${message.target}` : '';
  const records = 'records' in message ? ` with ${message.records.length} records` : '';
  return `gossip ${message.kind}${sequence}${target}${records}`;
}
