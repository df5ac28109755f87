/**
 * Every way of the native hand to seal and open, inside node, where OpenSSL's assembly is: against
 * each other, against Wycheproof's vectors and against a vector of the standard.
 */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat } from '../../src/base/bytes.js';
import type { Suite } from '../../src/crypto/suite.js';
import { equalBytes } from '../support/bytes.js';
import { addonHere } from '../support/twin.js';
import { hex, readSharedVectors } from '../support/vectors.js';

interface WycheproofFile {
  testGroups: { keySize: number; tests: Vector[] }[];
}

interface Vector {
  tcId: number;
  key: string;
  iv: string;
  aad: string;
  msg: string;
  ct: string;
  tag: string;
  result: string;
}

const aead = suite('twin aead');

/** Every suite with every backend that it can have here. */
function usable(): { suite: Suite; backend: string }[] {
  return addonHere()
    .aeadBackends()
    .flatMap((report) => report.usable.map((backend) => ({ suite: report.suite, backend })));
}

aead('twin aead: every backend seals and opens as EVP does at every length', () => {
  for (const { suite, backend } of usable()) {
    assert.is(addonHere().aeadCompare(suite, backend, 2048), '', `${suite} by ${backend}`);
  }
});

aead('twin aead: messages of many packets are sealed and opened as by EVP', () => {
  const addon = addonHere();
  const [key, nonce] = [new Uint8Array(32).fill(1), new Uint8Array(12).fill(2)];
  for (const { suite, backend } of usable()) {
    for (const length of [4031, 9000, 65_519]) {
      const plaintext = Uint8Array.from({ length }, (_, i) => i * 7 + (i >> 8));
      const sealed = addon.aeadSeal(suite, backend, key, nonce, plaintext);
      const name = `${length} bytes of ${suite} by ${backend}`;
      equalBytes(sealed, addon.aeadSeal(suite, 'evp', key, nonce, plaintext), name);
      equalBytes(addon.aeadOpen(suite, backend, key, nonce, sealed), plaintext, name);
    }
  }
});

aead('twin aead: a tag with a wrong byte opens nothing, whichever byte', () => {
  const addon = addonHere();
  const [key, nonce] = [new Uint8Array(32).fill(7), new Uint8Array(12).fill(9)];
  for (const { suite, backend } of usable()) {
    for (const length of [0, 5, 16, 64, 300, 1420]) {
      const plaintext = new Uint8Array(length).fill(length);
      const sealed = addon.aeadSeal(suite, backend, key, nonce, plaintext);
      for (let at = length; at < sealed.length; at++) {
        const damaged = sealed.map((byte, i) => (i === at ? byte ^ 0x80 : byte));
        assert.is(addon.aeadOpen(suite, backend, key, nonce, damaged), undefined);
      }
      const opened = addon.aeadOpen(suite, backend, key, nonce, sealed);
      equalBytes(opened, plaintext, `${suite} by ${backend}`);
    }
  }
});

interface Seen {
  opened: number;
  refused: number;
  withAdditionalData: number;
  otherKeyOrNonce: number;
}

/** Runs what data messages can be: 256-bit keys, 96-bit nonces, no additional data. */
function runWycheproof(name: string, suite: Suite, backend: string): Seen {
  const addon = addonHere();
  const file: WycheproofFile = JSON.parse(readSharedVectors(name));
  const seen: Seen = { opened: 0, refused: 0, withAdditionalData: 0, otherKeyOrNonce: 0 };
  for (const vector of file.testGroups.flatMap((group) => group.tests)) {
    const [key, nonce] = [hex(vector.key), hex(vector.iv)];
    const [plaintext, sealed] = [hex(vector.msg), concat(hex(vector.ct), hex(vector.tag))];
    const name = `vector ${vector.tcId} of ${suite} by ${backend}`;
    if (key.length !== 32 || nonce.length !== 12) seen.otherKeyOrNonce++;
    else if (vector.aad !== '') seen.withAdditionalData++;
    else if (vector.result === 'valid') {
      equalBytes(addon.aeadSeal(suite, backend, key, nonce, plaintext), sealed, name);
      equalBytes(addon.aeadOpen(suite, backend, key, nonce, sealed), plaintext, name);
      seen.opened++;
    } else {
      assert.is(addon.aeadOpen(suite, backend, key, nonce, sealed), undefined, name);
      seen.refused++;
    }
  }
  return seen;
}

const WYCHEPROOF: Readonly<Record<Suite, readonly [file: string, seen: Seen]>> = {
  'chacha20-poly1305': [
    'wycheproof_chacha20_poly1305_test.json',
    { opened: 45, refused: 0, withAdditionalData: 271, otherKeyOrNonce: 9 },
  ],
  'aes-256-gcm': [
    'wycheproof_aes_gcm_test.json',
    { opened: 21, refused: 27, withAdditionalData: 18, otherKeyOrNonce: 250 },
  ],
};

aead('twin aead: every backend agrees with the vectors of Wycheproof that messages can be', () => {
  for (const { suite, backend } of usable()) {
    const [file, expected] = WYCHEPROOF[suite];
    assert.equal(runWycheproof(file, suite, backend), expected);
  }
});

/** Test case 14 and 15 of the proposal that SP 800-38D standardises (McGrew and Viega, app. B). */
const GCM_EXAMPLES = [
  {
    key: '00'.repeat(32),
    nonce: '00'.repeat(12),
    plaintext: '00'.repeat(16),
    sealed: 'cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919',
  },
  {
    key: 'feffe9928665731c6d6a8f9467308308'.repeat(2),
    nonce: 'cafebabefacedbaddecaf888',
    plaintext:
      'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72' +
      '1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255',
    sealed:
      '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa' +
      '8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad' +
      'b094dac5d93471bdec1a502270e3cc6c',
  },
] as const;

aead('twin aead: AES-256-GCM gives the examples of its authors, nonce bytes in order', () => {
  const addon = addonHere();
  for (const { suite, backend } of usable()) {
    if (suite !== 'aes-256-gcm') continue;
    for (const example of GCM_EXAMPLES) {
      const [key, nonce] = [hex(example.key), hex(example.nonce)];
      const sealed = addon.aeadSeal(suite, backend, key, nonce, hex(example.plaintext));
      equalBytes(sealed, hex(example.sealed), backend);
    }
  }
});

aead.run();
