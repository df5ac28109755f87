import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Suite } from '../../src/crypto/suite.js';
import {
  type Abilities,
  abilitiesOf,
  featuresOf,
  LEAST_ABILITIES,
} from '../../src/node/abilities.js';

const test = suite('abilities');

const BOTH: readonly Suite[] = ['aes-256-gcm', 'chacha20-poly1305'];
const CHACHA: readonly Suite[] = ['chacha20-poly1305'];
const ALL: Abilities = { suites: BOTH, lanes: 4 };

test('abilities: the configuration restricts and orders what the hand can do', () => {
  for (const [ciphers, abilities, expected] of [
    [undefined, ALL, BOTH],
    [undefined, LEAST_ABILITIES, CHACHA],
    [BOTH, LEAST_ABILITIES, CHACHA],
    [CHACHA, ALL, CHACHA],
    [[...BOTH].reverse(), ALL, [...BOTH].reverse()],
  ] as const) {
    const config = ciphers ? { ciphers } : {};
    assert.equal(featuresOf(config, abilities).suites, expected);
  }
});

test('abilities: AES-256-GCM comes first where the processor has instructions for it', () => {
  assert.equal(abilitiesOf({ hasAes: true, lanes: 4 }), ALL);
  assert.equal(abilitiesOf({ hasAes: false, lanes: 1 }), LEAST_ABILITIES);
});

test('abilities: as many lanes as configured, and no more than the hand has', () => {
  assert.is(featuresOf({}, ALL).lanes, 4);
  assert.is(featuresOf({ lanes: 2 }, ALL).lanes, 2);
  assert.is(featuresOf({ lanes: 8 }, ALL).lanes, 4);
});

test('abilities: checksums are trusted unless they are switched off', () => {
  const auto = { tunTcp: 'auto', tunUdp: 'auto', udpGso: 'auto', udpGro: 'auto' } as const;
  assert.ok(featuresOf({}, ALL).trustsChecksums);
  for (const checksums of ['auto', 'on', 'off'] as const) {
    const { trustsChecksums } = featuresOf({ offloads: { ...auto, checksums } }, ALL);
    assert.is(trustsChecksums, checksums !== 'off');
  }
});

test.run();
