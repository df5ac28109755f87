import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Suite } from '../../src/crypto/suite.js';
import { agree, type Features, isSameFeatures } from '../../src/session/features.js';

const test = suite('features');

const AES: readonly Suite[] = ['aes-256-gcm', 'chacha20-poly1305'];
const CHACHA_FIRST: readonly Suite[] = ['chacha20-poly1305', 'aes-256-gcm'];
const CHACHA: readonly Suite[] = ['chacha20-poly1305'];

function features(suites: readonly Suite[], lanes = 1, trustsChecksums = true): Features {
  return { suites, lanes, trustsChecksums };
}

test('features: AES where both know it and not both prefer ChaCha, the same for both', () => {
  for (const [ours, theirs, expected] of [
    [AES, AES, 'aes-256-gcm'],
    [AES, CHACHA_FIRST, 'aes-256-gcm'],
    [CHACHA_FIRST, CHACHA_FIRST, 'chacha20-poly1305'],
    [AES, CHACHA, 'chacha20-poly1305'],
    [CHACHA, CHACHA, 'chacha20-poly1305'],
  ] as const) {
    assert.is(agree(features(ours), features(theirs)).suite, expected);
    assert.is(agree(features(theirs), features(ours)).suite, expected);
  }
});

test('features: as many keypairs as the side with more lanes has; each sends by its own', () => {
  const [four, two] = [features(AES, 4), features(AES, 2)];
  assert.is(agree(four, two).keypairs, 4);
  assert.is(agree(two, four).keypairs, 4);
  assert.is(agree(four, two).lanes, 4);
  assert.is(agree(two, four).lanes, 2);
});

test('features: checksums are trusted where both sides say so', () => {
  for (const [ours, theirs] of [
    [true, true],
    [true, false],
    [false, true],
    [false, false],
  ] as const) {
    const agreement = agree(features(AES, 1, ours), features(AES, 1, theirs));
    assert.is(agreement.trustsChecksums, ours && theirs);
  }
});

test('features: they are the same when nothing in them differs', () => {
  const some = features(AES, 2);
  assert.ok(isSameFeatures(some, features([...AES], 2)));
  assert.ok(isSameFeatures(undefined, undefined));
  for (const other of [
    undefined,
    features(CHACHA_FIRST, 2),
    features(CHACHA, 2),
    features(AES, 3),
    features(AES, 2, false),
  ]) {
    assert.not.ok(isSameFeatures(some, other));
    assert.not.ok(isSameFeatures(other, some));
  }
});

test.run();
