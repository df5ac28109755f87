import { expand, extract } from '@noble/hashes/hkdf.js';
import { blake2s as oracleHash } from '@noble/hashes/blake2.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { toHex } from '../../src/base/bytes.js';
import { sessionIndex } from '../../src/base/identifiers.js';
import type { Suite } from '../../src/crypto/suite.js';
import {
  baseIndex,
  EXPORTER_LABEL,
  isLaneIndex,
  laneIndex,
  laneKeys,
} from '../../src/session/lane_keys.js';
import { SymmetricState } from '../../src/session/symmetric_state.js';
import { equalBytes } from '../support/bytes.js';

const test = suite('lane_keys');

const SUITES: readonly Suite[] = ['chacha20-poly1305', 'aes-256-gcm'];
const EXPORTER = Uint8Array.from({ length: 32 }, (_, at) => at);

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** KDF1 of the paper, by another implementation of HKDF. */
function kdf1(chainingKey: Uint8Array, label: string): Uint8Array {
  return expand(oracleHash, extract(oracleHash, ascii(label), chainingKey), new Uint8Array(0), 32);
}

test('lane keys: KDF1 of the exporter and a label with suite, direction and lane', () => {
  for (const name of SUITES) {
    for (let lane = 0; lane < 8; lane++) {
      const { sendKey, receiveKey } = laneKeys(EXPORTER, { suite: name, lane, isInitiator: true });
      const label = (way: string) => `heddle v1 ${name} ${way} lane ${lane}`;
      equalBytes(sendKey, kdf1(EXPORTER, label('initiator to responder')));
      equalBytes(receiveKey, kdf1(EXPORTER, label('responder to initiator')));
    }
  }
});

test('lane keys: a vector, by another implementation of HKDF and pinned', () => {
  const name = ascii('Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s');
  const state = SymmetricState.named(name);
  const exporter = state.exporter(EXPORTER_LABEL);
  const { sendKey } = laneKeys(exporter, { suite: 'aes-256-gcm', lane: 3, isInitiator: true });
  equalBytes(exporter, kdf1(oracleHash(name), 'heddle v1 exporter'));
  assert.is(toHex(exporter), 'b35b6efb35699421845084e2625f83d8c7d319a9b0e96918591548a101eab85a');
  assert.is(toHex(sendKey), '853742d86832d1dc58613b4607690a870a1debc57bae47e3ab8efe4f2d6ba077');
});

test('lane keys: what one side sends with the other receives with', () => {
  for (const name of SUITES) {
    const ours = laneKeys(EXPORTER, { suite: name, lane: 5, isInitiator: true });
    const theirs = laneKeys(EXPORTER, { suite: name, lane: 5, isInitiator: false });
    equalBytes(ours.sendKey, theirs.receiveKey);
    equalBytes(ours.receiveKey, theirs.sendKey);
  }
});

test('lane keys: no two of a session are the same', () => {
  const keys = new Set<string>();
  for (const name of SUITES) {
    for (let lane = 0; lane < 8; lane++) {
      const pair = laneKeys(EXPORTER, { suite: name, lane, isInitiator: true });
      keys.add(toHex(pair.sendKey)).add(toHex(pair.receiveKey));
    }
  }
  assert.is(keys.size, 2 * 2 * 8);
});

test('lane keys: the indices of lanes lie behind the base, and lead back to it', () => {
  const base = sessionIndex(0xffff_fff0);
  assert.not(isLaneIndex(base));
  for (let lane = 0; lane < 8; lane++) {
    const index = laneIndex(base, lane);
    assert.is(index, 0xffff_fff8 + lane);
    assert.ok(isLaneIndex(index));
    assert.is(baseIndex(index), base);
  }
});

test.run();
