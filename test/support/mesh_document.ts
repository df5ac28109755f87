/** A mesh as a daemon could show it. */

import { type MeshDocument, meshDocument } from '../../src/api/mesh_status.js';
import { nodeId } from '../../src/base/identifiers.js';
import { wallTime } from '../../src/base/time.js';
import type { InvitationSnapshot, MemberSnapshot, MeshSnapshot } from '../../src/mesh/snapshot.js';

/** 2026-11-23T00:00:00Z. */
export const EXPIRES = wallTime(1_795_392_000_000_000);

export function memberSnapshot(changes: Partial<MemberSnapshot> = {}): MemberSnapshot {
  return {
    id: nodeId('00000000000000a1'),
    name: 'alpha',
    isSelf: false,
    isAdmin: false,
    isRoot: false,
    status: 'alive',
    publicKey: 'AAAA',
    groups: [],
    addresses: ['10.86.0.1', 'fd00::1'],
    subnet: undefined,
    announces: [],
    endpoint: '192.0.2.1:51820',
    certificateExpires: EXPIRES,
    incarnation: 7,
    ...changes,
  };
}

export function invitationSnapshot(changes: Partial<InvitationSnapshot> = {}): InvitationSnapshot {
  return {
    id: '00000000000000e1',
    name: undefined,
    groups: [],
    isAdmin: false,
    uses: 2,
    used: 1,
    expires: EXPIRES,
    state: 'open',
    ...changes,
  };
}

export function meshSnapshot(changes: Partial<MeshSnapshot> = {}): MeshSnapshot {
  return {
    phase: 'member',
    waiting: undefined,
    isRefused: false,
    network: { id: nodeId('00000000000000ff'), name: 'home' },
    self: nodeId('00000000000000a1'),
    members: [memberSnapshot({ isSelf: true, isAdmin: true, isRoot: true })],
    invitations: [],
    warnings: [],
    progress: [],
    drops: { forged: 2 },
    sentMessages: 3,
    sentBytes: 400,
    digest: '0123456789abcdef',
    ...changes,
  };
}

export function meshDocumentOf(changes: Partial<MeshSnapshot> = {}): MeshDocument {
  return meshDocument(meshSnapshot(changes));
}
