import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { toHex } from '../../src/base/bytes.js';
import { blake2s } from '../../src/crypto/blake2s.js';
import { nodeIdOf } from '../../src/identity/node_id.js';

const test = suite('identity/node_id');

test('node id: the first eight bytes of the key’s hash, and no part of the key', () => {
  const key = new Uint8Array(32).fill(9);
  assert.is(nodeIdOf(key), toHex(blake2s(key)).slice(0, 16));
  const other = key.slice();
  other[31] = 8;
  assert.is.not(nodeIdOf(other), nodeIdOf(key));
});

test.run();
