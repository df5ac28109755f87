import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { present } from '../../src/base/assert.js';
import { isZero } from '../../src/base/bytes.js';
import { sessionIndex } from '../../src/base/identifiers.js';
import { SeededRandom } from '../../src/base/random.js';
import { generatePrivateKey } from '../../src/crypto/keys.js';
import { SodiumSuite } from '../../src/io/sodium.js';
import {
  consumeResponse,
  createInitiation,
  createResponse,
  openInitiation,
  openTimestamp,
  type StaticKeys,
  wipeHandshake,
} from '../../src/session/handshake.js';
import {
  INITIATION_BYTES,
  receiverOf,
  RESPONSE_BYTES,
  senderOf,
} from '../../src/wire/wireguard.js';
import { equalBytes, flipBit } from '../support/bytes.js';
import { LOW_ORDER_KEYS } from '../support/low_order.js';

const test = suite('handshake');
const SEED = process.env.SEED ?? 'handshake';
const CRYPTO = new SodiumSuite();
const TIMESTAMP = Uint8Array.from([64, 0, 0, 0, 103, 0, 0, 0, 1, 0, 0, 0]);
const NO_PSK = new Uint8Array(32);
const MACS_BYTES = 32;

interface Scene {
  readonly random: SeededRandom;
  readonly initiator: StaticKeys;
  readonly responder: StaticKeys;
  readonly staticStatic: Uint8Array;
}

function keysOf(random: SeededRandom): StaticKeys {
  const privateKey = generatePrivateKey(random);
  return { privateKey, publicKey: CRYPTO.publicKey(privateKey) };
}

function scene(): Scene {
  const random = new SeededRandom(SEED);
  const [initiator, responder] = [keysOf(random), keysOf(random)];
  const secret = CRYPTO.dh(initiator.privateKey, responder.publicKey);
  return { random, initiator, responder, staticStatic: present(secret, 'a secret') };
}

function initiate({ random, initiator, responder, staticStatic }: Scene) {
  const created = createInitiation(CRYPTO, {
    ours: initiator,
    theirPublicKey: responder.publicKey,
    staticStatic,
    ephemeralPrivate: random.bytes(32),
    timestamp: TIMESTAMP,
    sender: sessionIndex(0x1111),
  });
  return present(created, 'an initiation');
}

function respond(at: Scene, initiation: Uint8Array, presharedKey = NO_PSK) {
  const opened = openInitiation(CRYPTO, at.responder, initiation);
  if (typeof opened === 'string') throw new Error(opened);
  equalBytes(openTimestamp(CRYPTO, opened, at.staticStatic), TIMESTAMP);
  const parts = {
    presharedKey,
    ephemeralPrivate: at.random.bytes(32),
    sender: sessionIndex(0x2222),
  };
  return present(createResponse(CRYPTO, opened, parts), 'a response');
}

test('handshake: both sides end with the same keys, crossed over', () => {
  const at = scene();
  const { datagram, handshake } = initiate(at);
  assert.is(datagram.length, INITIATION_BYTES);
  assert.is(senderOf(datagram), 0x1111);
  const opened = openInitiation(CRYPTO, at.responder, datagram);
  if (typeof opened === 'string') throw new Error(opened);
  equalBytes(opened.theirPublicKey, at.initiator.publicKey, 'the initiator names itself');
  assert.is(opened.sender, 0x1111);
  const answer = respond(at, datagram);
  assert.is(answer.datagram.length, RESPONSE_BYTES);
  assert.is(receiverOf(answer.datagram), 0x1111);
  const keys = consumeResponse(CRYPTO, handshake, {
    ours: at.initiator,
    presharedKey: NO_PSK,
    datagram: answer.datagram,
  });
  if (typeof keys === 'string') throw new Error(keys);
  equalBytes(keys.sendKey, answer.keys.receiveKey);
  equalBytes(keys.receiveKey, answer.keys.sendKey);
  assert.not.equal(keys.sendKey, keys.receiveKey);
  equalBytes(keys.exporter, answer.keys.exporter, 'what keys of lanes follow from');
  assert.not.equal(keys.exporter, keys.sendKey);
});

test('handshake: preshared keys must agree (WireGuard §5.4.3)', () => {
  const at = scene();
  const { datagram, handshake } = initiate(at);
  const presharedKey = new Uint8Array(32).fill(7);
  const answer = respond(at, datagram, presharedKey);
  const parts = { ours: at.initiator, datagram: answer.datagram };
  assert.is(consumeResponse(CRYPTO, handshake, { ...parts, presharedKey: NO_PSK }), 'response_tag');
  const keys = consumeResponse(CRYPTO, handshake, { ...parts, presharedKey });
  assert.is(typeof keys, 'object', 'the refused try changed nothing');
});

test('handshake: refuses any flipped bit before the MACs of an initiation', () => {
  const at = scene();
  const { datagram } = initiate(at);
  for (let bit = 8 * 8; bit < 8 * (INITIATION_BYTES - MACS_BYTES); bit++) {
    const opened = openInitiation(CRYPTO, at.responder, flipBit(datagram, bit));
    if (typeof opened === 'string') continue;
    assert.is(openTimestamp(CRYPTO, opened, at.staticStatic), undefined, `bit ${bit}`);
  }
});

test('handshake: refuses any flipped bit before the MACs of a response', () => {
  const at = scene();
  const { datagram, handshake } = initiate(at);
  const answer = respond(at, datagram).datagram;
  for (let bit = 8 * 12; bit < 8 * (RESPONSE_BYTES - MACS_BYTES); bit++) {
    const parts = { ours: at.initiator, presharedKey: NO_PSK, datagram: flipBit(answer, bit) };
    assert.is(typeof consumeResponse(CRYPTO, handshake, parts), 'string', `bit ${bit}`);
  }
});

test("handshake: a stranger cannot make the timestamp of another's static key", () => {
  const at = scene();
  const stranger = keysOf(at.random);
  const created = createInitiation(CRYPTO, {
    ours: { privateKey: stranger.privateKey, publicKey: at.initiator.publicKey },
    theirPublicKey: at.responder.publicKey,
    staticStatic: present(CRYPTO.dh(stranger.privateKey, at.responder.publicKey), 'a secret'),
    ephemeralPrivate: at.random.bytes(32),
    timestamp: TIMESTAMP,
    sender: sessionIndex(1),
  });
  const opened = openInitiation(CRYPTO, at.responder, present(created, 'made').datagram);
  if (typeof opened === 'string') throw new Error(opened);
  equalBytes(opened.theirPublicKey, at.initiator.publicKey, 'it can name another');
  assert.is(openTimestamp(CRYPTO, opened, at.staticStatic), undefined);
});

test('handshake: public keys of low order neither initiate nor are answered', () => {
  const at = scene();
  for (const [name, key] of LOW_ORDER_KEYS) {
    const parts = {
      ours: at.initiator,
      theirPublicKey: key,
      staticStatic: at.staticStatic,
      ephemeralPrivate: at.random.bytes(32),
      timestamp: TIMESTAMP,
      sender: sessionIndex(1),
    };
    assert.is(createInitiation(CRYPTO, parts), undefined, `static ${name}`);
    const { datagram, handshake } = initiate(at);
    const answer = respond(at, datagram).datagram;
    datagram.set(key, 8);
    assert.is(openInitiation(CRYPTO, at.responder, datagram), 'low_order', `ephemeral ${name}`);
    answer.set(key, 12);
    const refused = consumeResponse(CRYPTO, handshake, {
      ours: at.initiator,
      presharedKey: NO_PSK,
      datagram: answer,
    });
    assert.is(refused, 'low_order', `response's ephemeral ${name}`);
  }
});

test('handshake: wiping leaves no ephemeral key', () => {
  const { handshake } = initiate(scene());
  wipeHandshake(handshake);
  assert.ok(isZero(handshake.ephemeralPrivate));
  assert.ok(isZero(handshake.state.transcript()));
});

test.run();
