import { blake2s as oracleHash } from '@noble/hashes/blake2.js';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { hmac as oracleHmac } from '@noble/hashes/hmac.js';
import { suite } from 'uvu';
import { concat } from '../../src/base/bytes.js';
import { hmac, kdf1, kdf2, kdf3 } from '../../src/crypto/hkdf.js';
import { equalBytes } from '../support/bytes.js';
import { withSeed } from '../support/seed.js';

const test = suite('crypto/hkdf');

const NO_INFO = new Uint8Array(0);

test('hmac: agrees with another implementation at each length of key, beyond a block too', () => {
  withSeed('hmac', (random) => {
    for (let length = 0; length <= 130; length++) {
      const key = random.bytes(length);
      const input = random.bytes(random.below(200));
      equalBytes(hmac(key, input), oracleHmac(oracleHash, key, input), `key of ${length}`);
    }
  });
});

test('hmac: does not depend on how its input is cut', () => {
  withSeed('hmac cuts', (random) => {
    const key = random.bytes(32);
    const [a, b, c] = [random.bytes(10), random.bytes(0), random.bytes(90)];
    equalBytes(hmac(key, a, b, c), hmac(key, concat(a, b, c)));
  });
});

test('kdf: is HKDF of RFC 5869 with the chaining key as salt and no info', () => {
  withSeed('kdf', (random) => {
    for (let round = 0; round < 50; round++) {
      const chainingKey = random.bytes(32);
      const input = random.bytes(round % 2 === 0 ? 32 : 0);
      const secret = extract(oracleHash, input, chainingKey);
      for (const keys of [
        [kdf1(chainingKey, input)],
        kdf2(chainingKey, input),
        kdf3(chainingKey, input),
      ]) {
        const expected = expand(oracleHash, secret, NO_INFO, 32 * keys.length);
        equalBytes(concat(...keys), expected, `${keys.length} keys, round ${round}`);
      }
    }
  });
});

test('kdf: leaves its arguments as they were', () => {
  const chainingKey = new Uint8Array(32).fill(7);
  const input = new Uint8Array(32).fill(9);
  kdf3(chainingKey, input);
  equalBytes(chainingKey, new Uint8Array(32).fill(7));
  equalBytes(input, new Uint8Array(32).fill(9));
});

test.run();
