import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { KEY_BYTES, TAG_BYTES } from '../../src/crypto/suite.js';

const test = suite('crypto/suite');

test('suite: states the sizes of X25519 keys and Poly1305 tags', () => {
  assert.is(KEY_BYTES, 32);
  assert.is(TAG_BYTES, 16);
});

test.run();
