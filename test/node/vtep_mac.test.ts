import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { vtepMacOf } from '../../src/node/vtep_mac.js';

const test = suite('node/vtep_mac');

test('vtep mac: is of one station and locally administered, whatever the key', () => {
  for (let i = 0; i < 256; i++) {
    const { bytes, text } = vtepMacOf(new Uint8Array(32).fill(i));
    assert.is(bytes.length, 6);
    assert.is((bytes[0] ?? 0) & 3, 2, text);
  }
});

test('vtep mac: follows from the key, and another key has another', () => {
  const texts = Array.from({ length: 256 }, (_, i) => vtepMacOf(new Uint8Array(32).fill(i)).text);
  assert.is(new Set(texts).size, 256);
  assert.is(texts[7], vtepMacOf(new Uint8Array(32).fill(7)).text);
  // BLAKE2s("heddle vtep mac" || 32 zero bytes), by Python's hashlib.
  assert.is(texts[0], 'ee:32:81:6e:cc:fa');
});

test.run();
