import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SeededRandom } from '../../src/base/random.js';
import {
  clamp,
  formatKey,
  generatePresharedKey,
  generatePrivateKey,
  parseKey,
} from '../../src/crypto/keys.js';
import { equalBytes } from '../support/bytes.js';

const test = suite('crypto/keys');

const TEXT = `${'A'.repeat(42)}E=`;

test('keys: text and bytes are two forms of one key', () => {
  const key = new SeededRandom('keys').bytes(32);
  const text = formatKey(key);
  assert.is(text.length, 44);
  equalBytes(parseKey(text), key);
});

const REFUSED: readonly [text: string, reason: string][] = [
  ['', 'nothing'],
  [TEXT.slice(0, 43), 'no padding'],
  [`${TEXT} `, 'white space behind'],
  [` ${TEXT}`, 'white space before'],
  [`${'A'.repeat(42)}F=`, 'unused bits set'],
  [`${'A'.repeat(41)}-E=`, 'another alphabet'],
  ['A'.repeat(44), '33 bytes'],
  [`${'A'.repeat(42)}==`, '31 bytes'],
  ['00'.repeat(32), 'hexadecimal'],
];

test('keys: takes the canonical base64 of 32 bytes', () => {
  assert.ok(parseKey(TEXT));
});

for (const [text, reason] of REFUSED) {
  test(`keys: refuses "${text}": ${reason}`, () => assert.is(parseKey(text), undefined));
}

test('keys: clamps as RFC 7748 §5 says, and only that', () => {
  const ones = new Uint8Array(32).fill(0xff);
  clamp(ones);
  assert.equal([ones[0], ones[1], ones[30], ones[31]], [0xf8, 0xff, 0xff, 0x7f]);
  const zeros = new Uint8Array(32);
  clamp(zeros);
  assert.equal([zeros[0], zeros[1], zeros[30], zeros[31]], [0, 0, 0, 0x40]);
});

test('keys: a fresh private key is clamped, a fresh preshared key is not', () => {
  const random = new SeededRandom('fresh');
  for (let i = 0; i < 20; i++) {
    const key = generatePrivateKey(random);
    const clamped = key.slice();
    clamp(clamped);
    equalBytes(key, clamped);
  }
  const expected = new SeededRandom('psk').bytes(32);
  equalBytes(generatePresharedKey(new SeededRandom('psk')), expected);
});

test.run();
