import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { present } from '../../src/base/assert.js';
import { isZero } from '../../src/base/bytes.js';
import { SeededRandom } from '../../src/base/random.js';
import { generatePrivateKey } from '../../src/crypto/keys.js';
import { SodiumSuite } from '../../src/io/sodium.js';
import { Identity } from '../../src/node/identity.js';
import { equalBytes } from '../support/bytes.js';

const test = suite('node/identity');
const CRYPTO = new SodiumSuite();
const KEY = generatePrivateKey(new SeededRandom('identity'));

test('identity: a key is news once, and its copy is wiped when another comes', () => {
  const identity = new Identity(CRYPTO);
  assert.ok(identity.adopt(KEY));
  assert.not(identity.adopt(KEY.slice()));
  const first = present(identity.keys, 'there are keys');
  equalBytes(first.publicKey, CRYPTO.publicKey(KEY));
  assert.ok(identity.adopt(generatePrivateKey(new SeededRandom('other'))));
  assert.ok(isZero(first.privateKey));
  assert.not(isZero(KEY), 'the key given is the caller’s');
});

test('identity: a key of zeros is none', () => {
  const identity = new Identity(CRYPTO);
  const none = new Uint8Array(32);
  assert.not(identity.adopt(none), 'there was none before');
  assert.is(identity.keys, undefined);
  identity.adopt(KEY);
  assert.ok(identity.adopt(none));
  assert.is(identity.keys, undefined);
  assert.ok(identity.adopt(KEY), 'it comes back');
});

test('identity: the keys of the mesh come first, and each that stays keeps its object', () => {
  const identity = new Identity(CRYPTO);
  identity.adopt(KEY);
  const [old, next] = ['old', 'next'].map((name) => generatePrivateKey(new SeededRandom(name)));
  if (!old || !next) return assert.unreachable();
  assert.ok(identity.adoptOfMesh([old]));
  const first = present(identity.keys, 'there are keys');
  equalBytes(first.publicKey, CRYPTO.publicKey(old));
  assert.not(identity.adoptOfMesh([old.slice()]), 'no news');
  assert.ok(identity.adoptOfMesh([next, old]));
  equalBytes(present(identity.keys, 'keys').publicKey, CRYPTO.publicKey(next));
  assert.not(isZero(first.privateKey), 'it still answers');
  assert.is(identity.mac1Keys().length, 2, 'as many as the walk takes');
  assert.equal(
    identity.publicKeys(),
    [next, old].map((key) => CRYPTO.publicKey(key)),
  );
  assert.ok(identity.adoptOfMesh([next]));
  assert.ok(isZero(first.privateKey), 'gone');
  identity.forget();
  assert.is(identity.keys, undefined);
});

test.run();
