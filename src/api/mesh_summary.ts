/** What the status document says of the mesh: how many members are how, and what is wrong. */

import type { MemberSnapshot, MeshSnapshot } from '../mesh/snapshot.js';

export interface MeshSummary {
  readonly phase: MeshSnapshot['phase'];
  readonly network: string | null;
  /** What it waits for to be a member, or why it is none any more. */
  readonly waiting: string | null;
  /** How many members have each status; this host is among them. */
  readonly members: Readonly<Partial<Record<MemberSnapshot['status'], number>>>;
}

export interface MeshWarning {
  readonly code: 'mesh' | 'not_a_member';
  readonly text: string;
  readonly fix: string;
}

/** Undefined: there is no mesh. */
export function meshSummary(mesh: MeshSnapshot | undefined): MeshSummary | null {
  if (!mesh) return null;
  const members: Partial<Record<MemberSnapshot['status'], number>> = {};
  for (const { status } of mesh.members) members[status] = (members[status] ?? 0) + 1;
  const { phase, network, waiting } = mesh;
  return { phase, network: network?.name ?? null, waiting: waiting ?? null, members };
}

export function meshWarnings(mesh: MeshSnapshot | undefined): MeshWarning[] {
  if (!mesh) return [];
  const told = mesh.warnings.map((text) => {
    return { code: 'mesh', text, fix: 'see `heddle members`' } as const;
  });
  return [...outside(mesh), ...told];
}

function outside({ phase, waiting, isRefused }: MeshSnapshot): MeshWarning[] {
  const code = 'not_a_member';
  switch (phase) {
    case 'member':
      return [];
    case 'joining': {
      const text = `this host is no member of its mesh yet: it waits for ${waiting ?? 'an answer'}`;
      const line = 'stop it, and start it with another line: `heddle up --join`';
      const patience = 'it goes on by itself; the host of the join line must be reachable by UDP';
      return [{ code, text, fix: isRefused ? line : patience }];
    }
    default: {
      const text = `this host is in no mesh: ${waiting ?? 'it neither founded nor joined one'}`;
      return [{ code, text, fix: '`heddle up --new-identity --join` brings it into one anew' }];
    }
  }
}
