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

test.run();
