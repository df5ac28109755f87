/**
 * The body of a certificate, signed by an admin key: a member. The record's key is the member's
 * id. Identity key (32 bytes), not before and not after (64 bits each), epoch (64 bits), flags (bit
 * 0: may announce default routes), name, groups, prefixes (each list behind a count of a byte;
 * GRANT_BYTES together).
 */

import type { Prefix } from '../base/address.js';
import { pack, shared, unpack } from '../base/bytes.js';
import { Reader, Writer } from '../base/cursor.js';
import type { NodeId } from '../base/identifiers.js';
import { type WallTime, wallTime } from '../base/time.js';
import { type Grant, readGrant, readName, writeGrant } from './fields.js';
import { nodeIdOf } from './node_id.js';
import type { Statement } from './statements.js';

export interface Certificate extends Grant {
  readonly member: NodeId;
  /** Ed25519 public key, 32 bytes. */
  readonly identityKey: Uint8Array;
  readonly name: string;
  readonly mayAnnounceDefault: boolean;
  readonly notBefore: WallTime;
  readonly notAfter: WallTime;
  /** Of two that are valid the later one counts. */
  readonly epoch: number;
}

const MAY_ANNOUNCE_DEFAULT = 1;
const NOTHING: readonly never[] = [];

/** As it is held of thousands of members. */
class HeldCertificate implements Certificate {
  readonly member: NodeId;
  readonly packedKey: string;
  readonly name: string;
  readonly groups: readonly string[];
  readonly prefixes: readonly Prefix[];
  readonly mayAnnounceDefault: boolean;
  readonly notBefore: WallTime;
  readonly notAfter: WallTime;
  readonly epoch: number;

  constructor(certificate: Omit<Certificate, 'member'>) {
    const { identityKey, name, groups, prefixes } = certificate;
    this.member = shared(nodeIdOf(identityKey));
    this.packedKey = pack(identityKey);
    this.name = name;
    this.groups = groups.length === 0 ? NOTHING : groups;
    this.prefixes = prefixes.length === 0 ? NOTHING : prefixes;
    this.mayAnnounceDefault = certificate.mayAnnounceDefault;
    this.notBefore = certificate.notBefore;
    this.notAfter = certificate.notAfter;
    this.epoch = certificate.epoch;
  }

  /** A new array each time. */
  get identityKey(): Uint8Array {
    return unpack(this.packedKey);
  }
}

/** Undefined when it is malformed. */
export function parseCertificate(body: Uint8Array): Certificate | undefined {
  const reader = new Reader(body);
  const identityKey = reader.bytes(32);
  const notBefore = wallTime(reader.u64());
  const notAfter = wallTime(reader.u64());
  const epoch = reader.u64();
  const flags = reader.u8();
  const name = readName(reader);
  const { groups, prefixes } = readGrant(reader);
  if (!reader.isWhole || flags > MAY_ANNOUNCE_DEFAULT || notAfter <= notBefore) return undefined;
  const mayAnnounceDefault = flags === MAY_ANNOUNCE_DEFAULT;
  if (!mayAnnounceDefault && prefixes.some(({ length }) => length === 0)) return undefined;
  const grant = { name, groups, prefixes, mayAnnounceDefault };
  return new HeldCertificate({ identityKey, ...grant, notBefore, notAfter, epoch });
}

export function emitCertificate(certificate: Omit<Certificate, 'member'>): Uint8Array {
  const { identityKey, name, notBefore, notAfter, epoch } = certificate;
  const flags = certificate.mayAnnounceDefault ? MAY_ANNOUNCE_DEFAULT : 0;
  const writer = new Writer().bytes(identityKey).u64(notBefore).u64(notAfter).u64(epoch);
  writer.u8(flags).text(name);
  writeGrant(writer, certificate);
  return writer.finish();
}

/** Of two of one member the one that is in force: the newer epoch's, then version's. */
export function isLaterCertificate(a: Statement<Certificate>, b: Statement<Certificate>): boolean {
  if (a.value.epoch !== b.value.epoch) return a.value.epoch > b.value.epoch;
  if (a.version !== b.version) return a.version > b.version;
  return a.author > b.author;
}
