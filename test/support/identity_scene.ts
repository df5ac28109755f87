/** A network's keys, and what they sign, for the tests of who may say what. */

import { parsePrefix, type Prefix } from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import { concat, toHex } from '../../src/base/bytes.js';
import type { NodeId } from '../../src/base/identifiers.js';
import { seconds, type WallTime, wallTime } from '../../src/base/time.js';
import { blake2s } from '../../src/crypto/blake2s.js';
import { Authority, type Verdict } from '../../src/identity/authority.js';
import { type Certificate, emitCertificate } from '../../src/identity/certificate.js';
import { type Delegation, emitDelegation } from '../../src/identity/delegation.js';
import { emitInvitation, type Invitation } from '../../src/identity/invitation.js';
import { emitNetwork } from '../../src/identity/network.js';
import { nodeIdOf } from '../../src/identity/node_id.js';
import { emitRevocation, type Revocation } from '../../src/identity/revocation.js';
import { emitRootChange } from '../../src/identity/root_change.js';
import { SodiumSignatures } from '../../src/io/sodium_signatures.js';
import {
  emitRecord,
  NO_KEY,
  parseRecord,
  type RecordKind,
  type SignedRecord,
} from '../../src/wire/record.js';

export const DAY = seconds(86_400);
/** When the tests are: 2026-09-01. */
export const NOW = wallTime(1_788_220_800_000_000);
export const suite = new SodiumSignatures();

export function later(days: number, from: WallTime = NOW): WallTime {
  return wallTime(from + days * DAY);
}

export interface KeyPair {
  readonly id: NodeId;
  readonly publicKey: Uint8Array;
  readonly seed: Uint8Array;
}

export function keyPair(name: string): KeyPair {
  const seed = blake2s(new TextEncoder().encode(name));
  const publicKey = suite.publicKeyOf(seed);
  return { id: nodeIdOf(publicKey), publicKey, seed };
}

export function prefix(text: string): Prefix {
  return present(parsePrefix(text), text);
}

export const ROOT = keyPair('root');
export const NEXT_ROOT = keyPair('the next root');
export const ADMIN = keyPair('admin key');
export const OTHER_ADMIN = keyPair('other admin key');
export const FOUNDER = keyPair('founder');
export const SECOND = keyPair('second');
export const MEMBER = keyPair('member');
export const STRANGER = keyPair('stranger');
export const NETWORK = ROOT.id;

export interface Draft {
  readonly kind: RecordKind;
  readonly key: string;
  readonly body: Uint8Array;
  readonly version?: number;
  readonly network?: NodeId;
}

/** Version: NOW, unless it says another. */
export function sign(by: KeyPair, draft: Draft): SignedRecord {
  const { kind, key, body, version = NOW, network = NETWORK } = draft;
  const fields = { kind, key, body, version, author: by.id };
  return emitRecord(fields, network, (message) => suite.sign(by.seed, message));
}

export function network(by: KeyPair, name = 'lab', version: number = NOW): SignedRecord {
  const body = emitNetwork({ createdAt: NOW, name, pool: prefix('10.200.0.0/16') });
  return sign(by, { kind: 'network', key: NO_KEY, body, version });
}

export function delegation(
  admin: KeyPair,
  holder: KeyPair,
  {
    by = ROOT,
    version = NOW,
    ...fields
  }: Partial<Delegation & { by: KeyPair; version: number }> = {},
): SignedRecord {
  const body = emitDelegation({
    adminKey: admin.publicKey,
    holder: holder.id,
    notAfter: later(360),
    epoch: 1,
    ...fields,
  });
  return sign(by, { kind: 'delegation', key: admin.id, body, version });
}

export function certificateFields(member: KeyPair): Certificate {
  return {
    member: member.id,
    identityKey: member.publicKey,
    name: 'gate',
    groups: [],
    prefixes: [],
    mayAnnounceDefault: false,
    notBefore: NOW,
    notAfter: later(90),
    epoch: 1,
  };
}

export function certificate(
  member: KeyPair,
  {
    by = ADMIN,
    version = NOW,
    ...fields
  }: Partial<Certificate & { by: KeyPair; version: number }> = {},
): SignedRecord {
  const body = emitCertificate({ ...certificateFields(member), ...fields });
  return sign(by, { kind: 'certificate', key: member.id, body, version });
}

export function revocation(
  subject: KeyPair,
  {
    by = ADMIN,
    version = NOW,
    ...fields
  }: Partial<Revocation & { by: KeyPair; version: number }> = {},
): SignedRecord {
  const body = emitRevocation({
    identityKey: subject.publicKey,
    staticKeys: [],
    keepUntil: later(120),
    fate: 'keep',
    ...fields,
  });
  return sign(by, { kind: 'revocation', key: subject.id, body, version });
}

export const INVITATION: Invitation = {
  publicKeys: [blake2s(new Uint8Array(1))],
  expires: later(1),
  name: undefined,
  groups: [],
  prefixes: [],
  isAdmin: false,
  isRevoked: false,
};

export function invitation(
  id: string,
  {
    by = ADMIN,
    version = NOW,
    ...fields
  }: Partial<Invitation & { by: KeyPair; version: number }> = {},
): SignedRecord {
  const body = emitInvitation({ ...INVITATION, ...fields });
  return sign(by, { kind: 'invitation', key: id, body, version });
}

export function rootChange(
  from: KeyPair,
  to: KeyPair,
  epoch = 1,
  version: number = NOW,
): SignedRecord {
  const body = emitRootChange({ rootKey: to.publicKey, epoch });
  return sign(from, { kind: 'rootChange', key: NO_KEY, body, version });
}

/** What a member says of itself; its body means nothing. */
export function said(by: KeyPair, kind: RecordKind = 'lease', version: number = NOW): SignedRecord {
  const key = kind === 'node' ? NO_KEY : '0000000000000001';
  return sign(by, { kind, key, body: Uint8Array.of(1, 2, 3), version });
}

export function freshAuthority(root: KeyPair = ROOT): Authority {
  return new Authority({ suite: remembered(), network: NETWORK, rootKey: root.publicKey });
}

/** Judges each as it comes, and adopts what is accepted. */
export function take(
  authority: Authority,
  records: readonly SignedRecord[],
  wall: WallTime = NOW,
): Verdict[] {
  return records.map((record) => {
    const verdict = authority.judge(record, wall);
    if (verdict === 'accepted') authority.adopt(record);
    return verdict;
  });
}

/** The founder holds the admin key, and has certified itself and a member. */
export function foundedAuthority(): Authority {
  const authority = freshAuthority();
  take(authority, [
    network(ROOT),
    delegation(ADMIN, FOUNDER),
    certificate(FOUNDER, { name: 'founder' }),
    certificate(MEMBER, { name: 'member' }),
  ]);
  return authority;
}

const verdicts = new Map<string, boolean>();

/** Verifies once what many authorities are asked in one test. */
function remembered(): SodiumSignatures {
  const verify: SodiumSignatures['verify'] = (publicKey, message, signature) => {
    const key = toHex(blake2s(concat(publicKey, message, signature)));
    const known = verdicts.get(key) ?? suite.verify(publicKey, message, signature);
    verdicts.set(key, known);
    return known;
  };
  return {
    publicKeyOf: (seed) => suite.publicKeyOf(seed),
    sign: (seed, message) => suite.sign(seed, message),
    verify,
  };
}

/** With another signature. */
export function resigned(record: SignedRecord, signature: Uint8Array): SignedRecord {
  const { bytes } = record;
  bytes.set(signature, bytes.length - signature.length);
  return present(parseRecord(bytes), 'a record still');
}
