import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat } from '../../src/base/bytes.js';
import { openAesGcm, sealAesGcm } from '../../src/io/aes_gcm.js';
import { equalBytes, flipBit } from '../support/bytes.js';
import { hex, readSharedVectors } from '../support/vectors.js';

const test = suite('io/aes_gcm');

interface SealFile {
  testGroups: {
    tests: {
      tcId: number;
      key: string;
      iv: string;
      aad: string;
      msg: string;
      ct: string;
      tag: string;
      result: string;
    }[];
  }[];
}

test('aes: agrees with every vector of Wycheproof that a data message can be', () => {
  const file: SealFile = JSON.parse(readSharedVectors('wycheproof_aes_gcm_test.json'));
  const seen = { opened: 0, refused: 0 };
  for (const vector of file.testGroups.flatMap((group) => group.tests)) {
    const [key, nonce] = [hex(vector.key), hex(vector.iv)];
    if (key.length !== 32 || nonce.length !== 12 || vector.aad !== '') continue;
    const [plaintext, sealed] = [hex(vector.msg), concat(hex(vector.ct), hex(vector.tag))];
    const name = `vector ${vector.tcId}`;
    if (vector.result === 'valid') {
      equalBytes(sealAesGcm(key, nonce, plaintext), sealed, name);
      equalBytes(openAesGcm(key, nonce, sealed), plaintext, name);
      seen.opened++;
    } else {
      assert.is(openAesGcm(key, nonce, sealed), undefined, name);
      seen.refused++;
    }
  }
  assert.equal(seen, { opened: 21, refused: 27 });
});

test('aes: opens nothing of which one bit differs, or that is shorter than a tag', () => {
  const [key, nonce] = [new Uint8Array(32).fill(1), new Uint8Array(12).fill(2)];
  const sealed = sealAesGcm(key, nonce, Uint8Array.of(1, 2, 3));
  for (let bit = 0; bit < 8 * sealed.length; bit++) {
    assert.is(openAesGcm(key, nonce, flipBit(sealed, bit)), undefined, `bit ${bit}`);
  }
  for (let length = 0; length < sealed.length; length++) {
    assert.is(openAesGcm(key, nonce, sealed.slice(0, length)), undefined, `${length} bytes`);
  }
  const empty = sealAesGcm(key, nonce, new Uint8Array(0));
  assert.is(empty.length, 16);
  equalBytes(openAesGcm(key, nonce, empty), new Uint8Array(0));
});

test.run();
