/** The screens of `heddle members`, `heddle addresses` and `heddle invitations`. */

import type { InvitationDocument, MemberStatusDocument, MeshDocument } from '../api/mesh_status.js';
import type { Style } from './style.js';
import { type Column, formatTable, harmless } from './table.js';

const MEMBERS: readonly Column[] = [
  { title: 'MEMBER', align: 'left' },
  { title: 'STATE', align: 'left' },
  { title: 'ROLE', align: 'left' },
  { title: 'ADDRESS', align: 'left' },
  { title: 'ENDPOINT', align: 'left' },
  { title: 'CERTIFIED UNTIL', align: 'left' },
  { title: 'GROUPS', align: 'left' },
];
const ADDRESSES: readonly Column[] = [
  { title: 'MEMBER', align: 'left' },
  { title: 'ADDRESSES', align: 'left' },
  { title: 'SUBNET', align: 'left' },
  { title: 'ANNOUNCES', align: 'left' },
];
const INVITATIONS: readonly Column[] = [
  { title: 'INVITATION', align: 'left' },
  { title: 'STATE', align: 'left' },
  { title: 'USED', align: 'right' },
  { title: 'EXPIRES', align: 'left' },
  { title: 'NAME', align: 'left' },
  { title: 'GIVES', align: 'left' },
];
const NONE = '-';

export function formatMembers(mesh: MeshDocument, style: Style, width?: number): string {
  const sections = [
    header(mesh, style),
    formatTable(MEMBERS, inOrder(mesh.members).map(memberRow), width),
    mesh.progress.map(harmless),
    mesh.warnings.map((warning) => `${style.bad('warning')}  ${harmless(warning)}`),
    rootAdvice(mesh),
  ];
  return textOf(sections);
}

export function formatAddresses(mesh: MeshDocument, width?: number): string {
  const rows = inOrder(mesh.members).map(({ name, isSelf, addresses, subnet, announces }) => [
    nameOf(name, isSelf),
    addresses.join(', ') || NONE,
    subnet ?? NONE,
    announces.join(', ') || NONE,
  ]);
  return textOf([formatTable(ADDRESSES, rows, width)]);
}

export function formatInvitations(mesh: MeshDocument, width?: number): string {
  if (mesh.invitations.length === 0) return 'No invitations: `heddle invite` makes one\n';
  return textOf([formatTable(INVITATIONS, mesh.invitations.map(invitationRow), width)]);
}

function header({ network, phase, waiting }: MeshDocument, style: Style): string[] {
  const name = network ? `network ${harmless(network.name)} (${network.id})` : 'no network';
  const state = phase === 'member' ? [] : [`${style.bad(phase)}: ${harmless(waiting ?? '')}`];
  return [style.bold(name), ...state];
}

/** Where the root key lies: a host knows it of itself alone. */
function rootAdvice({ phase, members }: MeshDocument): string[] {
  if (phase !== 'member') return [];
  if (!members.some(({ isRoot }) => isRoot)) {
    return ['The root key does not lie on this host: the one that made the network has it'];
  }
  return ['The root key lies on this host: keep a copy elsewhere, `heddle root export --to FILE`'];
}

function memberRow(member: MemberStatusDocument): string[] {
  const { name, isSelf, status, addresses, endpoint, certificateExpires, groups } = member;
  return [
    nameOf(name, isSelf),
    status,
    roleOf(member),
    addresses[0] ?? NONE,
    isSelf ? 'this host' : (endpoint ?? NONE),
    certificateExpires?.slice(0, 10) ?? NONE,
    groups.map(harmless).join(', ') || NONE,
  ];
}

function roleOf({ isAdmin, isRoot }: MemberStatusDocument): string {
  if (isRoot) return isAdmin ? 'admin, root' : 'root';
  return isAdmin ? 'admin' : 'member';
}

function invitationRow(invitation: InvitationDocument): string[] {
  const { id, state, used, uses, expires, name, isAdmin, groups } = invitation;
  const gives = [...(isAdmin ? ['admin'] : []), ...groups.map(harmless)];
  return [
    id,
    state,
    `${used ?? '?'} of ${uses}`,
    expires.replace('T', ' ').slice(0, 16),
    name === null ? NONE : harmless(name),
    gives.join(', ') || NONE,
  ];
}

/** This host first, the others by name. */
function inOrder(members: readonly MemberStatusDocument[]): MemberStatusDocument[] {
  return [...members].sort((a, b) => {
    if (a.isSelf !== b.isSelf) return a.isSelf ? -1 : 1;
    return a.name < b.name ? -1 : 1;
  });
}

function nameOf(name: string, isSelf: boolean): string {
  return isSelf ? `${harmless(name)} *` : harmless(name);
}

function textOf(sections: readonly (readonly string[])[]): string {
  const filled = sections.filter((lines) => lines.length > 0);
  return `${filled.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}
