/** The file of secrets: what it holds, and what it is not read from. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat } from '../../src/base/bytes.js';
import { SeededRandom } from '../../src/base/random.js';
import { emitKeys, type Keys, parseKeys } from '../../src/mesh/keys.js';
import { changed } from '../support/bytes.js';

const test = suite('mesh/keys');

const random = new SeededRandom('keys');
const [identity, staticKey] = [random.bytes(32), random.bytes(32)];
const NONE = { nextStaticKey: undefined, admin: undefined, root: undefined };
const [nextStaticKey, admin, root] = [random.bytes(32), random.bytes(32), random.bytes(32)];

const ALL: readonly Keys[] = [
  { identity, staticKey, ...NONE },
  { identity, staticKey, ...NONE, nextStaticKey },
  { identity, staticKey, ...NONE, admin },
  { identity, staticKey, ...NONE, admin, root },
  { identity, staticKey, nextStaticKey, admin, root },
  { identity, staticKey, nextStaticKey, admin, root, formerRoot: random.bytes(32) },
];

test('keys: what is there comes back, and what is not stays absent', () => {
  for (const keys of ALL) assert.equal(parseKeys(emitKeys(keys)), keys);
});

test('keys: a file cut short anywhere, or longer, is none', () => {
  for (const keys of ALL) {
    const whole = emitKeys(keys);
    for (let length = 0; length < whole.length; length++) {
      const isWithoutLast = keys.formerRoot !== undefined && length === whole.length - 33;
      const cut = parseKeys(whole.slice(0, length));
      assert.is(cut !== undefined, isWithoutLast, `${length} bytes`);
    }
    for (const more of [0, 1]) assert.is(parseKeys(concat(whole, Uint8Array.of(more))), undefined);
  }
});

test('keys: without an identity or a static key, or with another flag, it is none', () => {
  const whole = emitKeys({ identity, staticKey, ...NONE });
  for (const at of [0, 33, 66, 67, 68]) {
    assert.is(parseKeys(changed(whole, at, 2)), undefined, `flag at ${at}`);
  }
  const bare = Uint8Array.of(0, 0, 0, 0, 0);
  assert.is(parseKeys(bare), undefined);
  assert.is(parseKeys(concat(Uint8Array.of(1), identity, bare.subarray(1))), undefined);
});

test('keys: what is parsed is a copy, to be wiped apart from the file', () => {
  const file = emitKeys({ identity, staticKey, ...NONE });
  const keys = parseKeys(file);
  file.fill(0);
  assert.equal(keys?.identity, identity);
});

test.run();
