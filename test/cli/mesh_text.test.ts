import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { formatAddresses, formatInvitations, formatMembers } from '../../src/cli/mesh_text.js';
import { PLAIN } from '../../src/cli/style.js';
import { invitationSnapshot, memberSnapshot, meshDocumentOf } from '../support/mesh_document.js';

const test = suite('cli/mesh_text');
const SELF = memberSnapshot({ name: 'zeta', isSelf: true, isAdmin: true, isRoot: true });
const OTHER = memberSnapshot({ name: 'beta', status: 'failed', endpoint: undefined });

test('members: this host first, then by name, with state, role and where the root key lies', () => {
  const admin = memberSnapshot({ name: 'gamma', isAdmin: true, groups: ['web', 'db'] });
  const text = formatMembers(meshDocumentOf({ members: [admin, OTHER, SELF] }), PLAIN);
  const lines = text.split('\n');
  assert.match(lines[0] ?? '', 'network home (00000000000000ff)');
  const rows = lines.slice(3, 6).map((line) => line.trim().split(/ {2,}/));
  assert.equal(
    rows.map(([name, state, role]) => [name, state, role]),
    [
      ['zeta *', 'alive', 'admin, root'],
      ['beta', 'failed', 'member'],
      ['gamma', 'alive', 'admin'],
    ],
  );
  assert.match(text, 'web, db');
  assert.match(text, '2026-11-23');
  assert.match(text, 'heddle root export');
});

test('members: where the root key lies elsewhere it is said that it does', () => {
  const members = [memberSnapshot({ isSelf: true })];
  const text = formatMembers(meshDocumentOf({ members }), PLAIN);
  assert.match(text, 'The root key does not lie on this host');
  assert.not.match(text, 'root export');
});

test('members: warnings, progress and what is waited for are said, and obey no escape', () => {
  const text = formatMembers(
    meshDocumentOf({
      phase: 'joining',
      waiting: 'the admin \u001b[2Jx',
      warnings: ['The disk is \u0007full'],
      progress: ['key: announced'],
      members: [memberSnapshot({ name: 'evil\u001b]0;x', groups: ['a\u202eb'] })],
    }),
    PLAIN,
  );
  for (const said of ['joining', 'the admin', 'The disk is', 'key: announced']) {
    assert.match(text, said);
  }
  assert.not.match(text.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u);
});

test('addresses: each member with what it has', () => {
  const subnet = memberSnapshot({ subnet: '10.86.128.0/24', announces: ['10.20.0.0/16'] });
  const text = formatAddresses(meshDocumentOf({ members: [subnet, OTHER] }));
  assert.match(text, /alpha {2,}10\.86\.0\.1, fd00::1 {2,}10\.86\.128\.0\/24 {2,}10\.20\.0\.0\/16/);
  assert.match(text, /beta {2,}.* {2,}- {2,}-/);
});

test('invitations: each with its state, its uses, and what it gives', () => {
  const invitations = [
    invitationSnapshot({ isAdmin: true, groups: ['web'], name: 'edge' }),
    invitationSnapshot({ id: '00000000000000e2', used: undefined, state: 'expired' }),
  ];
  const text = formatInvitations(meshDocumentOf({ invitations }));
  assert.match(
    text,
    /00000000000000e1 {2,}open {2,}1 of 2 {2,}2026-11-23 00:00 {2,}edge {2,}admin, web/,
  );
  assert.match(text, /00000000000000e2 {2,}expired {2,}\? of 2/);
  assert.match(formatInvitations(meshDocumentOf()), 'heddle invite');
});

test.run();
