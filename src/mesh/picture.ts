/** How a mesh looks: its read-only picture, drawn from its parts. */

import { toBase64 } from '../base/bytes.js';
import { type NodeId, nodeId } from '../base/identifiers.js';
import type { Instant } from '../base/time.js';
import { parseCertificate } from '../identity/certificate.js';
import type { Invitation } from '../identity/invitation.js';
import { MeshDropCounters } from './drop.js';
import type { Membership } from './membership.js';
import type { MembershipParts } from './membership_parts.js';
import type { InvitationSnapshot, MemberSnapshot, MeshSnapshot } from './snapshot.js';

/** Of a node that is in no network. */
export function emptyPicture(self: NodeId, waiting: string | undefined): MeshSnapshot {
  return {
    phase: 'none',
    waiting,
    isRefused: false,
    network: undefined,
    self,
    members: [],
    invitations: [],
    warnings: [],
    progress: [],
    drops: new MeshDropCounters().read(),
    sentMessages: 0,
    sentBytes: 0,
    digest: '0'.repeat(16),
  };
}

export function pictureOf(membership: Membership, now: Instant): MeshSnapshot {
  const { parts, phase, sent } = membership;
  const { authority, affairs, enrolment, network, self, drops, store } = parts;
  return {
    phase,
    waiting: affairs.ending?.why ?? enrolment.waiting,
    isRefused: enrolment.isRefused,
    network: { id: network, name: authority.network()?.name ?? network },
    self,
    members: [...membersOf(membership)],
    invitations: Array.from(authority.invitations(), (each) => invitationOf(parts, each, now)),
    warnings: affairs.warnings(now),
    progress: affairs.progress(now),
    drops: drops.read(),
    sentMessages: sent.messages,
    sentBytes: sent.bytes,
    digest: store.digestText(),
  };
}

function* membersOf(membership: Membership): Iterable<MemberSnapshot> {
  const { authority } = membership.parts;
  const admins = new Set(authority.adminsOf());
  for (const id of authority.members()) yield memberOf(membership, id, admins);
  const certificates = new Map<string, string>();
  for (const { key, body } of membership.parts.store.ofKind('certificate')) {
    const certificate = authority.isRevoked(nodeId(key)) ? parseCertificate(body) : undefined;
    if (certificate) certificates.set(key, certificate.name);
  }
  for (const id of authority.revocations()) {
    const name = certificates.get(id);
    if (name === undefined) continue;
    yield { ...memberOf(membership, id, admins), name, status: 'revoked' };
  }
}

function memberOf(membership: Membership, id: NodeId, admins: ReadonlySet<NodeId>): MemberSnapshot {
  const { authority, directory, addresses, self, keys, statement } = membership.parts;
  const certificate = authority.certificateOf(id);
  const member = directory.get(id);
  const isSelf = id === self;
  const { addresses: texts, subnet, announces } = addresses.describe(id);
  const ownKey = isSelf ? keys.selfKeys().staticKey : undefined;
  const publicKey = ownKey ?? member?.statement.staticKey;
  return {
    id,
    name: certificate?.name ?? id,
    isSelf,
    isAdmin: admins.has(id),
    isRoot: isSelf && keys.root !== undefined,
    status: isSelf ? 'alive' : (membership.statusOf(id) ?? 'unknown'),
    publicKey: publicKey && toBase64(publicKey),
    groups: certificate?.groups ?? [],
    addresses: texts,
    subnet,
    announces,
    endpoint: isSelf ? statement.endpoints[0]?.text : member?.peer?.endpoint?.text,
    certificateExpires: authority.expiryOf(id),
    incarnation: isSelf ? statement.incarnation : (member?.version ?? 0),
  };
}

function invitationOf(
  { authority, self, enrolment, wallAt }: MembershipParts,
  { id, admin, invitation }: { id: string; admin: NodeId; invitation: Invitation },
  now: Instant,
): InvitationSnapshot {
  const uses = invitation.publicKeys.length;
  const isOurs = authority.delegationOf(admin)?.holder === self;
  const used = isOurs ? enrolment.usesOf(id) : undefined;
  const { name, groups, isAdmin, expires } = invitation;
  const hasExpired = expires < wallAt(now);
  const isUsed = used === uses;
  const left = hasExpired ? 'expired' : isUsed ? 'used' : 'open';
  const state = invitation.isRevoked ? 'revoked' : left;
  return { id, name, groups, isAdmin, uses, used, expires, state };
}
