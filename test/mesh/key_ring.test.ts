/** A node's own keys, and how they change. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isZero } from '../../src/base/bytes.js';
import { SeededRandom } from '../../src/base/random.js';
import { SodiumSuite } from '../../src/io/sodium.js';
import { SodiumSignatures } from '../../src/io/sodium_signatures.js';
import { KeyRing } from '../../src/mesh/key_ring.js';
import { type Keys, parseKeys } from '../../src/mesh/keys.js';

const test = suite('mesh/key_ring');

const crypto = new SodiumSuite();
const signatures = new SodiumSignatures();
const NONE = { nextStaticKey: undefined, admin: undefined, root: undefined };

function secret(fill: number): Uint8Array {
  return new Uint8Array(32).fill(fill);
}

function ringOf(keys: Partial<Keys> = {}): KeyRing {
  const random = new SeededRandom('key ring');
  const whole = { identity: secret(1), staticKey: secret(8), ...NONE, ...keys };
  return new KeyRing({ suite: signatures, crypto, random }, whole);
}

/** What a restart would begin with. */
function kept(ring: KeyRing): Keys {
  const keys = parseKeys(ring.emit());
  if (!keys) throw new Error('What is emitted can be parsed');
  return keys;
}

test('key ring: begins with what was kept, as copies', () => {
  const keys = { identity: secret(1), staticKey: secret(8), ...NONE, admin: secret(3) };
  const ring = ringOf(keys);
  const before = kept(ring);
  for (const each of [keys.identity, keys.staticKey, keys.admin]) each.fill(0);
  assert.equal(kept(ring), before);
  assert.equal(ring.identity.publicKey, signatures.publicKeyOf(secret(1)));
  assert.equal(ring.admin?.publicKey, signatures.publicKeyOf(secret(3)));
  assert.is(ring.root, undefined);
});

test('key ring: a static key is prepared, swapped and dropped, and each step is kept', () => {
  const ring = ringOf();
  assert.is(ring.change, 'none');
  assert.equal(ring.staticKeys(), [secret(8)]);
  ring.prepareStaticKey();
  assert.is(ring.change, 'prepared');
  const [first, next] = ring.staticKeys();
  if (!first || !next) return assert.unreachable();
  assert.equal(first, secret(8), 'the old one still makes handshakes');
  assert.is((next[0] ?? 0) & 7, 0, 'clamped');
  assert.equal(kept(ring).nextStaticKey, next);
  assert.equal(ring.selfKeys(), {
    staticKey: crypto.publicKey(first),
    nextStaticKey: crypto.publicKey(next),
  });
  const kin = next.slice();
  ring.swapStaticKeys();
  assert.is(ring.change, 'swapped');
  assert.equal(ring.staticKeys(), [kin, secret(8)]);
  assert.equal(kept(ring).staticKey, kin);
  assert.is(kept(ring).nextStaticKey, undefined, 'a restart begins without the old one');
  const [, old] = ring.staticKeys();
  ring.dropOtherStaticKey();
  assert.is(ring.change, 'none');
  assert.equal(ring.staticKeys(), [kin]);
  assert.ok(old && isZero(old), 'and it is wiped');
});

test('key ring: a change that a restart interrupted goes on with the same key', () => {
  const ring = ringOf();
  ring.prepareStaticKey();
  const [, next] = ring.staticKeys();
  const again = ringOf(kept(ring));
  assert.is(again.change, 'prepared');
  again.swapStaticKeys();
  assert.equal(again.staticKeys()[0], next);
});

test('key ring: preparing again drops the key that was prepared', () => {
  const ring = ringOf();
  ring.prepareStaticKey();
  const [, first] = ring.staticKeys();
  ring.prepareStaticKey();
  assert.ok(first && isZero(first));
  assert.is(ring.staticKeys().length, 2);
});

test('key ring: swapping without a key to come changes nothing', () => {
  const ring = ringOf();
  ring.swapStaticKeys();
  assert.equal(ring.staticKeys(), [secret(8)]);
  assert.is(ring.change, 'none');
});

test('key ring: a new admin key takes the place of the old one, which is wiped', () => {
  const ring = ringOf({ admin: secret(3) });
  const old = ring.admin;
  const made = ring.makeAdmin();
  assert.is(ring.admin, made);
  assert.ok(old && isZero(old.seed));
  assert.equal(kept(ring).admin, made.seed);
});

test('key ring: an identity that is an admin is kept once, and not wiped as one', () => {
  const ring = ringOf();
  ring.adoptAdmin(ring.identity);
  assert.is(kept(ring).admin, undefined);
  ring.makeAdmin();
  assert.equal(ring.identity.seed, secret(1));
});

test('key ring: of an old and a new root key that stays which the network follows', () => {
  for (const isNew of [true, false]) {
    const ring = ringOf({ root: secret(4) });
    const former = ring.root;
    assert.not(ring.isRootChanging);
    const made = ring.makeRoot();
    assert.is(ring.root, made);
    assert.ok(ring.isRootChanging);
    const again = ringOf(kept(ring));
    assert.equal(kept(again).formerRoot, secret(4), 'a restart knows both');
    assert.not(ring.settleRoot(signatures.publicKeyOf(secret(9))), 'another is neither');
    const followed = signatures.publicKeyOf(isNew ? made.seed : secret(4));
    const stays = isNew ? made.seed.slice() : secret(4);
    assert.ok(ring.settleRoot(followed));
    assert.equal(ring.root?.seed, stays);
    assert.ok(isZero((isNew ? former?.seed : made.seed) ?? secret(1)), 'the other is wiped');
    assert.is(kept(ring).formerRoot, undefined);
    assert.not(ring.settleRoot(followed));
  }
});

test('key ring: wiped, nothing of it is left', () => {
  const ring = ringOf({ admin: secret(3), root: secret(4) });
  ring.prepareStaticKey();
  const { identity, admin, root } = ring;
  const made = ring.makeRoot();
  const secrets = [identity.seed, ...ring.staticKeys(), admin?.seed, root?.seed, made.seed];
  ring.wipe();
  for (const each of secrets) assert.ok(each && isZero(each));
});

test.run();
