/** Ed25519 by libsodium: against published vectors, and keys and encodings made to cheat. */

import * as nodeCrypto from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat, toHex } from '../../src/base/bytes.js';
import { SIGNATURE_BYTES } from '../../src/crypto/signature.js';
import { SodiumSignatures } from '../../src/io/sodium_signatures.js';
import { equalBytes, flipBit } from '../support/bytes.js';
import { hex, readSharedVectors } from '../support/vectors.js';

const test = suite('io/sodium_signatures');
const ed25519 = new SodiumSignatures();

/** The order of the base point, RFC 8032 §5.1. */
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

/** RFC 8032 §7.1, tests 1 to 3. */
const RFC_8032: readonly Record<'seed' | 'publicKey' | 'message' | 'signature', string>[] = [
  {
    seed: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    publicKey: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    message: '',
    signature:
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155' +
      '5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  },
  {
    seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    message: '72',
    signature:
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
      '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  },
  {
    seed: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    publicKey: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    message: 'af82',
    signature:
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac' +
      '18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  },
];

/** The points of order 1, 2, 4 and 8, little endian, and what encodes one of them wrongly. */
const SMALL_ORDER: readonly (readonly [name: string, key: string])[] = [
  ['one', `01${'00'.repeat(31)}`],
  ['minus one', `ec${'ff'.repeat(30)}7f`],
  ['of order 4', '00'.repeat(32)],
  ['of order 4, other', `${'00'.repeat(31)}80`],
  ['of order 8', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'],
  ['of order 8, second', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85'],
  ['of order 8, third', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'],
  ['of order 8, fourth', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa'],
  ['one, with a sign', `01${'00'.repeat(30)}80`],
  ['p', `ed${'ff'.repeat(30)}7f`],
  ['p, with a sign', `ed${'ff'.repeat(31)}`],
  ['p + 1', `ee${'ff'.repeat(30)}7f`],
  ['p + 1, with a sign', `ee${'ff'.repeat(31)}`],
];

interface WycheproofFile {
  numberOfTests: number;
  testGroups: {
    publicKey: { pk: string };
    tests: { tcId: number; comment: string; msg: string; sig: string; result: string }[];
  }[];
}

function scalarOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes.slice().reverse())}`);
}

function bytesOf(scalar: bigint): Uint8Array {
  return hex(scalar.toString(16).padStart(64, '0')).reverse();
}

/** (R, S) with R = S * B: for a key that multiplies to nothing it is over any message. */
function signatureOfNobody(): Uint8Array {
  const seed = new Uint8Array(32).fill(7);
  const hash = nodeCrypto.createHash('sha512').update(seed).digest();
  const scalar = new Uint8Array(hash.subarray(0, 32));
  scalar[0] = (scalar[0] ?? 0) & 0xf8;
  scalar[31] = ((scalar[31] ?? 0) & 0x7f) | 0x40;
  return concat(ed25519.publicKeyOf(seed), bytesOf(scalarOf(scalar) % ORDER));
}

/** A verifier that takes keys of small order. */
function verifyLoosely(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const x = Buffer.from(key).toString('base64url');
  const jwk = { kty: 'OKP', crv: 'Ed25519', x };
  const publicKey = nodeCrypto.createPublicKey({ key: jwk, format: 'jwk' });
  return nodeCrypto.verify(null, message, publicKey, signature);
}

test('sign: gives the keys and signatures of RFC 8032 §7.1', () => {
  for (const vector of RFC_8032) {
    const [seed, message] = [hex(vector.seed), hex(vector.message)];
    equalBytes(ed25519.publicKeyOf(seed), hex(vector.publicKey));
    equalBytes(ed25519.sign(seed, message), hex(vector.signature));
    assert.ok(ed25519.verify(hex(vector.publicKey), message, hex(vector.signature)));
  }
});

test('verify: refuses a change of any bit of key, message and signature', () => {
  for (const vector of RFC_8032) {
    const parts = [hex(vector.publicKey), hex(vector.message), hex(vector.signature)];
    for (const [which, part] of parts.entries()) {
      for (let bit = 0; bit < part.length * 8; bit++) {
        const [key, message, signature] = parts.with(which, flipBit(part, bit));
        if (!key || !message || !signature) throw new Error('there are three parts');
        assert.not(ed25519.verify(key, message, signature), `part ${which} bit ${bit}`);
      }
    }
  }
});

test('verify: gives the verdicts of Wycheproof', () => {
  const file: WycheproofFile = JSON.parse(readSharedVectors('wycheproof_ed25519_test.json'));
  let count = 0;
  for (const { publicKey, tests } of file.testGroups) {
    for (const { tcId, comment, msg, sig, result } of tests) {
      count++;
      const isValid = ed25519.verify(hex(publicKey.pk), hex(msg), hex(sig));
      assert.is(isValid, result === 'valid', `${tcId} ${comment}`);
    }
  }
  assert.is(count, file.numberOfTests);
});

test('verify: refuses keys of small order, by which anybody could have signed', () => {
  const signature = signatureOfNobody();
  const identity = hex(`01${'00'.repeat(31)}`);
  assert.ok(verifyLoosely(identity, hex('aa'), signature), 'the signature is one that cheats');
  for (const [name, key] of SMALL_ORDER) {
    for (let message = 0; message < 64; message++) {
      assert.not(ed25519.verify(hex(key), Uint8Array.of(message), signature), name);
    }
  }
});

test('verify: refuses a scalar that is not canonical', () => {
  for (const { publicKey, message, signature } of RFC_8032) {
    const [r, s] = [hex(signature).slice(0, 32), hex(signature).slice(32)];
    for (const times of [1n, 2n, 7n]) {
      const other = concat(r, bytesOf(scalarOf(s) + times * ORDER));
      assert.not(ed25519.verify(hex(publicKey), hex(message), other), `S + ${times} L`);
    }
  }
});

test('verify: refuses a point that is not canonical', () => {
  const signature = hex(RFC_8032[0]?.signature ?? '');
  for (const [name, point] of SMALL_ORDER) {
    const other = concat(hex(point), signature.slice(32));
    assert.not(ed25519.verify(hex(RFC_8032[0]?.publicKey ?? ''), new Uint8Array(0), other), name);
  }
});

test('verify: a key or signature of another length is refused, and never thrown', () => {
  const [key, signature] = [hex(RFC_8032[0]?.publicKey ?? ''), hex(RFC_8032[0]?.signature ?? '')];
  const empty = new Uint8Array(0);
  assert.ok(ed25519.verify(key, empty, signature));
  for (const length of [0, 1, 31, 33, 64]) {
    const other = new Uint8Array(length);
    other.set(key.subarray(0, Math.min(length, 32)));
    assert.not(ed25519.verify(other, empty, signature), `key of ${length}`);
  }
  for (const length of [0, 1, 32, 63, 65, 128]) {
    const other = new Uint8Array(length);
    other.set(signature.subarray(0, Math.min(length, SIGNATURE_BYTES)));
    assert.not(ed25519.verify(key, empty, other), `signature of ${length}`);
  }
});

test('sign: a seed of another length is a fault of ours', () => {
  assert.throws(() => ed25519.sign(new Uint8Array(31), new Uint8Array(0)), /seed has 32 bytes/);
  assert.throws(() => ed25519.publicKeyOf(new Uint8Array(64)), /seed has 32 bytes/);
});

test('sign: borrows the seed and leaves it as it was', () => {
  const seed = hex(RFC_8032[1]?.seed ?? '');
  ed25519.sign(seed, Uint8Array.of(1));
  equalBytes(seed, hex(RFC_8032[1]?.seed ?? ''));
});

test.run();
