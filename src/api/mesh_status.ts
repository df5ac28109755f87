/**
 * The mesh document: what `heddle members --json` prints and the commands of the mesh draw from. It
 * is part of the interface: keys are added, never changed or removed, while `schemaVersion` stays.
 * It holds no secret.
 */

import type { WallTime } from '../base/time.js';
import type { InvitationSnapshot, MemberSnapshot, MeshSnapshot } from '../mesh/snapshot.js';
import { formatRfc3339 } from './rfc3339.js';

export const MESH_SCHEMA_VERSION = 1;

export interface MemberStatusDocument {
  readonly id: string;
  readonly name: string;
  readonly isSelf: boolean;
  readonly isAdmin: boolean;
  /** It holds the root key; known of this host only. */
  readonly isRoot: boolean;
  readonly status: MemberSnapshot['status'];
  readonly publicKey: string | null;
  readonly groups: readonly string[];
  readonly addresses: readonly string[];
  readonly subnet: string | null;
  readonly announces: readonly string[];
  readonly endpoint: string | null;
  /** RFC 3339. */
  readonly certificateExpires: string | null;
  readonly incarnation: number;
}

export interface InvitationDocument {
  readonly id: string;
  readonly name: string | null;
  readonly groups: readonly string[];
  readonly isAdmin: boolean;
  readonly uses: number;
  /** Null where another admin counts them. */
  readonly used: number | null;
  /** RFC 3339. */
  readonly expires: string;
  readonly state: InvitationSnapshot['state'];
}

export interface MeshDocument {
  readonly schemaVersion: number;
  readonly phase: MeshSnapshot['phase'];
  /** What for, or why there is nothing more to wait for. */
  readonly waiting: string | null;
  /** Nothing more is tried with the join line. */
  readonly isRefused: boolean;
  readonly network: { readonly id: string; readonly name: string } | null;
  readonly self: string;
  readonly members: readonly MemberStatusDocument[];
  readonly invitations: readonly InvitationDocument[];
  readonly warnings: readonly string[];
  readonly progress: readonly string[];
  readonly drops: Readonly<Record<string, number>>;
  readonly sent: { readonly messages: number; readonly bytes: number };
  /** The same on all members once they agree. */
  readonly digest: string;
}

export function meshDocument(mesh: MeshSnapshot): MeshDocument {
  const { phase, self, warnings, progress, drops, digest } = mesh;
  return {
    schemaVersion: MESH_SCHEMA_VERSION,
    phase,
    waiting: mesh.waiting ?? null,
    isRefused: mesh.isRefused,
    network: mesh.network ?? null,
    self,
    members: mesh.members.map(memberDocument),
    invitations: mesh.invitations.map(invitationDocument),
    warnings,
    progress,
    drops,
    sent: { messages: mesh.sentMessages, bytes: mesh.sentBytes },
    digest,
  };
}

function memberDocument(member: MemberSnapshot): MemberStatusDocument {
  return {
    ...member,
    publicKey: member.publicKey ?? null,
    subnet: member.subnet ?? null,
    endpoint: member.endpoint ?? null,
    certificateExpires: timeText(member.certificateExpires),
  };
}

function invitationDocument(invitation: InvitationSnapshot): InvitationDocument {
  const { name, used, expires } = invitation;
  return {
    ...invitation,
    name: name ?? null,
    used: used ?? null,
    expires: formatRfc3339(expires),
  };
}

function timeText(wall: WallTime | undefined): string | null {
  return wall === undefined ? null : formatRfc3339(wall);
}
