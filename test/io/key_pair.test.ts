import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fromHex, toHex } from '../../src/base/bytes.js';
import { generatePresharedKey, generatePrivateKey, publicKeyOf } from '../../src/io/key_pair.js';

const test = suite('io/key_pair');

/** RFC 7748 §6.1: private and public keys of Alice and Bob. */
const VECTORS = [
  [
    '77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a',
    '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a',
  ],
  [
    '5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb',
    'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f',
  ],
] as const;

test('public key: is that of RFC 7748 §6.1', () => {
  for (const [secret, expected] of VECTORS) {
    assert.is(toHex(publicKeyOf(fromHex(secret) ?? new Uint8Array())), expected);
  }
});

test('private key: is clamped and fresh', () => {
  const first = generatePrivateKey();
  assert.is((first[0] ?? 0) & 7, 0);
  assert.is((first[31] ?? 0) & 0xc0, 0x40);
  assert.is.not(toHex(first), toHex(generatePrivateKey()));
});

test('preshared key: is 32 fresh bytes', () => {
  const first = generatePresharedKey();
  assert.is(first.length, 32);
  assert.is.not(toHex(first), toHex(generatePresharedKey()));
});

test.run();
