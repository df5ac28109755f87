import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { NodeId } from '../../src/base/identifiers.js';
import { later } from '../support/identity_scene.js';
import { RevocationList } from '../../src/identity/revocation_list.js';
import { RootChain } from '../../src/identity/root_chain.js';
import {
  ADMIN,
  FOUNDER,
  type KeyPair,
  MEMBER,
  OTHER_ADMIN,
  ROOT,
  SECOND,
  STRANGER,
} from '../support/identity_scene.js';

const test = suite('identity/revocation_list');
const HOLDERS = new Map([
  [ADMIN.id, FOUNDER.id],
  [OTHER_ADMIN.id, SECOND.id],
]);
const EVERYTHING = Number.MAX_SAFE_INTEGER;

interface Said {
  readonly by: KeyPair;
  readonly of: KeyPair;
  readonly at: number;
  readonly fate?: 'keep' | 'void';
  readonly staticKeys?: readonly Uint8Array[];
}

function listOf(...all: readonly Said[]): RevocationList {
  const holderOf = (id: NodeId) => HOLDERS.get(id);
  const list = new RevocationList({ roots: new RootChain(ROOT.publicKey), holderOf });
  for (const { by, of, at, fate = 'keep', staticKeys = [] } of all) {
    const value = {
      subject: of.id,
      identityKey: of.publicKey,
      staticKeys,
      keepUntil: later(1),
      fate,
    };
    list.insert({ value, author: by.id, version: at });
  }
  return list;
}

/** What the list says must not depend on the order. */
function inBothOrders(said: readonly Said[], check: (list: RevocationList) => void): void {
  check(listOf(...said));
  check(listOf(...[...said].reverse()));
}

test('revocations: a member that an admin revoked is revoked, by any encoding of its key', () => {
  const key = new Uint8Array(32).fill(5);
  const list = listOf({ by: ADMIN, of: MEMBER, at: 1, staticKeys: [key] });
  assert.ok(list.isRevoked(MEMBER.id));
  assert.not(list.isRevoked(FOUNDER.id));
  assert.ok(list.isRevokedKey(key));
  const high = key.slice();
  high[31] = 0x85;
  assert.ok(list.isRevokedKey(high), 'the highest bit means nothing (RFC 7748 §5)');
  assert.not(list.isRevokedKey(new Uint8Array(32).fill(6)));
  assert.equal([...list.subjects()], [MEMBER.id]);
});

test('revocations: a key and the same beyond 2^255 - 19 are one', () => {
  const small = new Uint8Array(32);
  small[0] = 2;
  const large = new Uint8Array(32).fill(0xff);
  large[0] = 0xef;
  large[31] = 0x7f;
  assert.ok(listOf({ by: ADMIN, of: MEMBER, at: 1, staticKeys: [small] }).isRevokedKey(large));
});

test('revocations: what an admin signed before stays; by `void` nothing does', () => {
  assert.is(listOf({ by: ROOT, of: ADMIN, at: 7 }).limitOf(ADMIN.id), 7);
  assert.is(listOf({ by: ROOT, of: ADMIN, at: 7, fate: 'void' }).limitOf(ADMIN.id), -1);
  assert.is(listOf({ by: ROOT, of: FOUNDER, at: 7 }).limitOf(ADMIN.id), 7, 'its holder counts');
  assert.is(listOf().limitOf(ADMIN.id), EVERYTHING);
});

test('revocations: two admins that revoke each other are both revoked', () => {
  const said = [
    { by: ADMIN, of: SECOND, at: 5 },
    { by: OTHER_ADMIN, of: FOUNDER, at: 6 },
  ];
  inBothOrders(said, (list) => {
    assert.ok(list.isRevoked(SECOND.id));
    assert.ok(list.isRevoked(FOUNDER.id));
  });
});

test('revocations: a thief of an admin key ends nothing, once the root key says so', () => {
  const said: readonly Said[] = [
    { by: ADMIN, of: MEMBER, at: 5 },
    { by: ROOT, of: ADMIN, at: 9, fate: 'void' },
  ];
  inBothOrders(said, (list) => {
    assert.not(list.isRevoked(MEMBER.id), 'it comes back');
    assert.not(list.mayRevoke(ADMIN.id, 5));
  });
});

test('revocations: an admin cannot revoke the root key', () => {
  assert.not(listOf({ by: ADMIN, of: ROOT, at: 5 }).isRevoked(ROOT.id));
});

test('revocations: a static key that two had is free when neither is revoked', () => {
  const staticKeys = [new Uint8Array(32).fill(5)];
  const said: readonly Said[] = [
    { by: ADMIN, of: MEMBER, at: 5, staticKeys },
    { by: OTHER_ADMIN, of: STRANGER, at: 6, staticKeys },
    { by: ROOT, of: OTHER_ADMIN, at: 9, fate: 'void' },
  ];
  inBothOrders(said, (list) => {
    const [key = new Uint8Array(32)] = staticKeys;
    assert.not(list.isRevoked(STRANGER.id), 'who revoked it was a thief');
    assert.ok(list.isRevokedKey(key), 'the other one had it too');
    list.remove(STRANGER.id, OTHER_ADMIN.id);
    assert.ok(list.isRevokedKey(key));
    list.remove(MEMBER.id, ADMIN.id);
    assert.not(list.isRevokedKey(key));
  });
});

test('revocations: what is removed counts no more', () => {
  const key = new Uint8Array(32).fill(5);
  const list = listOf({ by: ADMIN, of: MEMBER, at: 1, staticKeys: [key] });
  list.remove(MEMBER.id, ADMIN.id);
  assert.not(list.isRevoked(MEMBER.id));
  assert.not(list.isRevokedKey(key));
});

test.run();
