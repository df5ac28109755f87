import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadLe32, storeLe32 } from '../../src/base/bytes.js';
import { instant } from '../../src/base/time.js';
import { REJECT_AFTER_MESSAGES } from '../../src/session/constants.js';
import {
  createTransportKeypair,
  isExpired,
  maySeal,
  openData,
  sealData,
} from '../../src/session/transport.js';
import { equalBytes, flipBit } from '../support/bytes.js';
import {
  at,
  keypair,
  laneKeypair,
  opened,
  PEER,
  sealed,
  START,
  SUITE,
} from '../support/walk_rig.js';

const transport = suite('transport');

const PLAINTEXT = Uint8Array.from({ length: 48 }, (_, i) => i);

transport('transport: seals under the send key with the next counter', () => {
  const pair = createTransportKeypair(PEER, keypair(1));
  for (let counter = 0n; counter < 3n; counter++) {
    assert.is(pair.sendCounter, counter);
    const message = sealData(SUITE, pair, PLAINTEXT);
    assert.is(message.length, 32 + PLAINTEXT.length);
    const header = new DataView(message.buffer);
    assert.is(header.getUint32(0, true), 4);
    assert.is(header.getUint32(4, true), keypair(1).remoteIndex);
    assert.is(header.getBigUint64(8, true), counter);
    equalBytes(opened(keypair(1), message), PLAINTEXT);
  }
});

transport('transport: seals an empty plaintext into 32 bytes', () => {
  const pair = createTransportKeypair(PEER, keypair(1));
  const message = sealData(SUITE, pair, new Uint8Array(0));
  assert.is(message.length, 32);
  equalBytes(opened(keypair(1), message), new Uint8Array(0));
});

transport('transport: opens under the receive key, at any counter', () => {
  const pair = createTransportKeypair(PEER, keypair(1));
  for (const counter of [0n, 1n, 1n << 32n, 1n << 60n, REJECT_AFTER_MESSAGES - 1n]) {
    equalBytes(openData(SUITE, pair, sealed(keypair(1), counter, PLAINTEXT)), PLAINTEXT);
  }
});

transport('transport: does not open what was changed, but for the receiver index', () => {
  const pair = createTransportKeypair(PEER, keypair(1));
  const message = sealed(keypair(1), 7n, PLAINTEXT);
  for (let bit = 64; bit < message.length * 8; bit++) {
    const flipped = flipBit(message, bit);
    assert.is(openData(SUITE, pair, flipped), undefined, `bit ${bit}`);
  }
});

transport('transport: does not open its own messages', () => {
  const pair = createTransportKeypair(PEER, keypair(1));
  assert.is(openData(SUITE, pair, sealData(SUITE, pair, PLAINTEXT)), undefined);
});

transport('transport: owns its keys', () => {
  const material = keypair(1);
  const pair = createTransportKeypair(PEER, material);
  material.sendKey.fill(0xa5);
  material.receiveKey.fill(0xa5);
  equalBytes(pair.sendKey, keypair(1).sendKey);
  equalBytes(pair.receiveKey, keypair(1).receiveKey);
});

transport('transport: a keypair ends at Reject-After-Time, to the microsecond', () => {
  const pair = createTransportKeypair(PEER, keypair(1));
  for (const [now, expired] of [
    [START, false],
    [at(179.999999), false],
    [at(180), true],
    [at(10_000), true],
    [instant(0), false],
  ] as const) {
    assert.is(isExpired(pair, now), expired, `at ${now}`);
    assert.is(maySeal(pair, now), !expired, `at ${now}`);
  }
});

transport('transport: a keypair seals no counter at Reject-After-Messages', () => {
  const pair = createTransportKeypair(PEER, keypair(1));
  for (const [counter, may] of [
    [REJECT_AFTER_MESSAGES - 1n, true],
    [REJECT_AFTER_MESSAGES, false],
    [(1n << 64n) - 1n, false],
  ] as const) {
    pair.sendCounter = counter;
    assert.is(maySeal(pair, START), may, `counter ${counter}`);
  }
});

for (const cipher of ['aes-256-gcm', 'chacha20-poly1305'] as const) {
  transport(`transport: seals and opens messages of heddle's type by ${cipher}`, () => {
    const material = laneKeypair(1, { suite: cipher, lane: 3 });
    const pair = createTransportKeypair(PEER, material);
    assert.equal([pair.lane, pair.suite, pair.takesControl], [3, cipher, true]);
    const message = sealData(SUITE, pair, PLAINTEXT);
    assert.is(loadLe32(message, 0), 0x48);
    equalBytes(opened(material, message), PLAINTEXT);
    for (const type of [0x48, 0x0100_0048]) {
      const received = sealed(material, 7n, PLAINTEXT, type);
      equalBytes(openData(SUITE, pair, received), PLAINTEXT);
      storeLe32(received, 0, type ^ 0x0100_0000);
      assert.is(openData(SUITE, pair, received), undefined, 'the other type has another nonce');
    }
  });
}

transport('transport: an AES key seals 2^32 messages and asks for another at 2^30', () => {
  const pair = createTransportKeypair(PEER, laneKeypair(1));
  for (const [counter, may] of [
    [0n, true],
    [(1n << 32n) - 1n, true],
    [1n << 32n, false],
  ] as const) {
    pair.sendCounter = counter;
    assert.is(maySeal(pair, START), may, `counter ${counter}`);
  }
  assert.is(pair.limits.rekeyAfterMessages, 1n << 30n);
  assert.is(pair.limits.mostFailedTags, 2 ** 36);
  assert.is(createTransportKeypair(PEER, keypair(1)).limits.mostFailedTags, Infinity);
});

transport.run();
