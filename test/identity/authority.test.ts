/** Who may say what: the chain from the root key to a member, and attacks upon it. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { present } from '../../src/base/assert.js';
import { nodeId } from '../../src/base/identifiers.js';
import { emitNodeRecord } from '../../src/wire/node_record.js';
import { wallTime } from '../../src/base/time.js';
import { parseRecord, type SignedRecord } from '../../src/wire/record.js';
import { changed } from '../support/bytes.js';
import {
  ADMIN,
  certificate,
  delegation,
  FOUNDER,
  foundedAuthority,
  freshAuthority,
  invitation,
  later,
  MEMBER,
  NETWORK,
  network,
  NEXT_ROOT,
  NOW,
  OTHER_ADMIN,
  resigned,
  revocation,
  ROOT,
  rootChange,
  said,
  SECOND,
  sign,
  STRANGER,
  take,
} from '../support/identity_scene.js';
import { withSeed } from '../support/seed.js';

const test = suite('identity/authority');
/** Of a record's version, its lowest byte. */
const VERSION_AT = 4;
const CHAIN = [
  network(ROOT),
  delegation(ADMIN, FOUNDER),
  certificate(FOUNDER),
  certificate(MEMBER),
];

function verdict(record: SignedRecord, wall = NOW): string {
  return foundedAuthority().judge(record, wall);
}

test('authority: the chain is taken from the root key on, and what has no root waits', () => {
  const authority = freshAuthority();
  assert.equal(take(authority, [...CHAIN].reverse()), [
    'unknown_author',
    'unknown_author',
    'accepted',
    'accepted',
  ]);
  assert.equal(take(authority, CHAIN.slice(2)), ['accepted', 'accepted']);
  assert.ok(authority.isMember(MEMBER.id, NOW));
  assert.equal(authority.adminsOf(), [FOUNDER.id]);
  assert.is(authority.network()?.name, 'lab');
  assert.is(authority.signerOf(MEMBER.id), ADMIN.id);
});

test('authority: what a member says of itself is taken, of others it is not', () => {
  assert.is(verdict(said(MEMBER)), 'accepted');
  assert.is(verdict(said(STRANGER)), 'unknown_author');
  assert.is(
    verdict(sign(MEMBER, { kind: 'node', key: STRANGER.id, body: new Uint8Array() })),
    'not_entitled',
  );
});

test('authority, row 21: a forged signature is refused, whoever it is said to be of', () => {
  for (const record of [said(MEMBER), certificate(MEMBER), network(ROOT)]) {
    const forged = resigned(record, new Uint8Array(64).fill(7));
    assert.is(verdict(forged), 'forged');
    const [low = 0] = record.bytes.subarray(VERSION_AT);
    const raised = present(parseRecord(changed(record.bytes, VERSION_AT, low ^ 1)), 'a record');
    assert.is.not(raised.version, record.version);
    assert.is(verdict(raised), 'forged', 'another version');
  }
  const stolen = certificate(STRANGER, { by: MEMBER });
  assert.is(verdict(stolen), 'unknown_author', 'a member is no admin');
});

test('authority, row 22: a record of another network is none', () => {
  const other = nodeId('00000000000000ff');
  const draft = { kind: 'lease', key: '0000000000000001', body: Uint8Array.of(1) } as const;
  assert.is(verdict(sign(MEMBER, { ...draft, network: other })), 'forged');
  assert.is(verdict(sign(MEMBER, { ...draft, network: NETWORK })), 'accepted');
});

test('authority: a certificate is about the owner of the key in it', () => {
  const { body } = certificate(MEMBER);
  const moved = sign(ADMIN, { kind: 'certificate', key: STRANGER.id, body });
  assert.is(verdict(moved), 'not_entitled');
});

test('authority: what is far ahead of the time is refused', () => {
  const future = certificate(STRANGER, { notBefore: later(2), notAfter: later(90) });
  assert.is(verdict(future), 'premature');
  assert.is(verdict(certificate(STRANGER, { version: later(3) })), 'premature');
  assert.is(verdict(certificate(STRANGER, { version: Number.MAX_SAFE_INTEGER })), 'premature');
});

test('authority: what ended by the group’s time is refused, whatever our own clock shows', () => {
  const ended = { notBefore: later(-200), notAfter: later(-100), version: later(-200) };
  const old = certificate(STRANGER, ended);
  assert.is(verdict(old), 'expired');
  assert.is(verdict(old, later(-150)), 'expired');
  assert.is(verdict(said(MEMBER), later(3_650)), 'accepted', 'ten years ahead');
  assert.not(foundedAuthority().isMember(MEMBER.id, later(3_650)), 'and no member by that clock');
});

test('authority: an admin key counts as long as its delegation', () => {
  const authority = freshAuthority();
  take(authority, [network(ROOT), delegation(ADMIN, FOUNDER, { notAfter: later(10) })]);
  take(authority, [certificate(MEMBER)]);
  assert.is(authority.expiryOf(MEMBER.id), later(10));
  assert.not(authority.isAdminKey(ADMIN.id, later(11)));
});

test('authority: a revoked member cannot come back by a name, a version or a key', () => {
  const authority = foundedAuthority();
  const key = new Uint8Array(32).fill(5);
  const revoked = revocation(MEMBER, { staticKeys: [key], version: NOW + 1 });
  assert.equal(take(authority, [revoked]), ['accepted']);
  assert.not(authority.isMember(MEMBER.id, NOW));
  const again = certificate(MEMBER, { name: 'other', version: NOW + 9, epoch: 9 });
  assert.equal(take(authority, [again]), ['accepted'], 'it is held, so that all hold the same');
  assert.not(authority.isMember(MEMBER.id, NOW), 'and grants nothing');
  assert.is(authority.certificateOf(MEMBER.id), undefined);
  assert.ok(authority.isObsolete(said(MEMBER)), 'what it said is held by nobody');
  assert.is(authority.judge(said(MEMBER), NOW), 'revoked');
  take(authority, [certificate(STRANGER)]);
  const body = emitNodeRecord({
    status: 'alive',
    instance: '0000000000000001',
    startedAt: wallTime(1),
    staticKey: key,
    nextStaticKey: undefined,
    endpoints: [],
  });
  const brought = sign(STRANGER, { kind: 'node', key: '0000000000000000', body });
  assert.is(authority.judge(brought, NOW), 'revoked', 'nor its key by somebody else');
});

test('authority: what a revoked admin signed before stays, not what it signs later', () => {
  const authority = foundedAuthority();
  take(authority, [
    delegation(OTHER_ADMIN, SECOND),
    certificate(SECOND, { by: ADMIN }),
    revocation(FOUNDER, { by: OTHER_ADMIN, version: NOW + 10 }),
  ]);
  assert.ok(authority.isMember(MEMBER.id, NOW));
  assert.not(authority.isMember(FOUNDER.id, NOW));
  assert.is(authority.judge(certificate(STRANGER, { version: NOW + 11 }), NOW), 'revoked');
  assert.is(authority.judge(certificate(STRANGER, { version: NOW + 9 }), NOW), 'accepted');
  const all = revocation(ADMIN, { by: ROOT, fate: 'void', version: NOW + 20 });
  take(authority, [all]);
  assert.not(authority.isMember(MEMBER.id, NOW), 'nothing of it counts');
});

test('authority: root keys follow each other, and the old one makes no new admin', () => {
  const authority = foundedAuthority();
  take(authority, [rootChange(ROOT, NEXT_ROOT, 1, NOW + 10)]);
  assert.equal(authority.rootKey, NEXT_ROOT.publicKey);
  assert.equal(authority.firstRootKey, ROOT.publicKey);
  assert.is(authority.rootEpoch(), 1);
  assert.ok(authority.isMember(MEMBER.id, NOW), 'what the old one said stays');
  const late = delegation(OTHER_ADMIN, SECOND, { by: ROOT, version: NOW + 11 });
  assert.is(authority.judge(late, NOW), 'not_entitled');
  const by = delegation(OTHER_ADMIN, SECOND, { by: NEXT_ROOT, version: NOW + 11 });
  assert.equal(take(authority, [by]), ['accepted']);
  const second = rootChange(ROOT, STRANGER, 5, NOW + 5);
  assert.is(authority.judge(second, NOW), 'not_entitled', 'and names nobody else');
  const again = rootChange(ROOT, NEXT_ROOT, 1, wallTime(NOW + 12));
  assert.is(authority.judge(again, NOW), 'not_entitled', 'nor does it end later than it did');
});

test('authority: invitations are an admin’s, and end with it', () => {
  const authority = foundedAuthority();
  const made = invitation('00000000000000e1');
  assert.equal(take(authority, [made]), ['accepted']);
  assert.is(authority.invitation('00000000000000e1')?.admin, ADMIN.id);
  assert.equal(
    [...authority.invitations()].map(({ id }) => id),
    ['00000000000000e1'],
  );
  assert.is(authority.judge(invitation('00000000000000e2', { by: MEMBER }), NOW), 'unknown_author');
  take(authority, [revocation(ADMIN, { by: ROOT, version: NOW + 1 })]);
  assert.is(authority.invitation('00000000000000e1'), undefined);
});

test('authority: what is over need not be held, by the group’s time', () => {
  const authority = foundedAuthority();
  const made = invitation('00000000000000e1');
  take(authority, [made]);
  assert.not(authority.isObsolete(made));
  const renewed = certificate(MEMBER, {
    notBefore: later(30),
    notAfter: later(120),
    version: later(30),
  });
  take(authority, [renewed], later(30));
  assert.ok(authority.isObsolete(made));
  assert.not(authority.isObsolete(said(MEMBER)));
  assert.ok(authority.isObsolete(said(STRANGER)), 'of nobody');
  authority.forget(made);
  assert.is(authority.invitation('00000000000000e1'), undefined);
});

test('authority: in whatever order records come, the same is in force', () => {
  const records = [
    ...CHAIN,
    delegation(OTHER_ADMIN, SECOND),
    certificate(SECOND, { by: ADMIN }),
    certificate(MEMBER, { by: OTHER_ADMIN, epoch: 2, name: 'renamed', version: NOW + 3 }),
    revocation(SECOND, { by: ADMIN, version: NOW + 5 }),
    revocation(FOUNDER, { by: OTHER_ADMIN, version: NOW + 6 }),
    rootChange(ROOT, NEXT_ROOT, 1, NOW + 7),
    delegation(ADMIN, MEMBER, { by: NEXT_ROOT, version: NOW + 8, epoch: 2 }),
  ];
  const pictures = new Set<string>();
  withSeed('authority order', (random) => {
    for (let round = 0; round < 20; round++) {
      const authority = freshAuthority();
      const shuffled = [...records];
      for (let i = shuffled.length - 1; i > 0; i--) {
        const other = random.below(i + 1);
        const [a, b] = [shuffled[i], shuffled[other]];
        if (a && b) [shuffled[i], shuffled[other]] = [b, a];
      }
      for (let pass = 0; pass < 4; pass++) take(authority, shuffled);
      const ids = [FOUNDER, SECOND, MEMBER].map(({ id }) => id);
      const facts = ids.map((id) => [
        authority.isRevoked(id),
        authority.isMember(id, NOW),
        authority.certificateOf(id)?.name,
      ]);
      pictures.add(JSON.stringify([facts, authority.adminsOf(), authority.rootEpoch()]));
    }
  });
  assert.is(pictures.size, 1, [...pictures].join('\n'));
});

test.run();
