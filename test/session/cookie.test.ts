import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { present } from '../../src/base/assert.js';
import { loadLe32 } from '../../src/base/bytes.js';
import { SeededRandom } from '../../src/base/random.js';
import { after, instant, micros, millis, seconds } from '../../src/base/time.js';
import { generatePrivateKey } from '../../src/crypto/keys.js';
import { SodiumSuite } from '../../src/io/sodium.js';
import {
  checkMac1,
  computeMac1,
  computeMac2,
  CookieChecker,
  cookieKey,
  mac1Key,
} from '../../src/session/cookie.js';
import {
  COOKIE_REPLY_BYTES,
  mac1Of,
  nonceOf,
  sealedCookieOf,
  setMac1,
  setMac2,
} from '../../src/wire/wireguard.js';
import { flipBit } from '../support/bytes.js';
import { endpoint } from '../support/parsed.js';

const test = suite('cookie');
const SEED = process.env.SEED ?? 'cookie';
const CRYPTO = new SodiumSuite();
const START = instant(seconds(500));

/** A responder, and a message to it with its right mac1. */
function scene() {
  const random = new SeededRandom(SEED);
  const publicKey = CRYPTO.publicKey(generatePrivateKey(random));
  const checker = new CookieChecker(CRYPTO, random.fork('checker'));
  checker.setPublicKey(publicKey);
  const datagram = random.bytes(148);
  setMac1(datagram, computeMac1(mac1Key(publicKey), datagram));
  return { random, publicKey, checker, datagram };
}

function openReply(publicKey: Uint8Array, datagram: Uint8Array, reply: Uint8Array): Uint8Array {
  const sealed = sealedCookieOf(reply);
  const cookie = CRYPTO.xopen(cookieKey(publicKey), nonceOf(reply), sealed, mac1Of(datagram));
  return present(cookie, 'the reply opens under mac1 of the message it answers');
}

test('mac1: holds for the untouched message and this key alone', () => {
  const { publicKey, datagram, random } = scene();
  assert.ok(checkMac1(mac1Key(publicKey), datagram));
  assert.not.ok(checkMac1(mac1Key(random.bytes(32)), datagram));
  for (let bit = 0; bit < 8 * (148 - 16); bit++) {
    const copy = flipBit(datagram, bit);
    assert.not.ok(checkMac1(mac1Key(publicKey), copy), `bit ${bit}`);
  }
  setMac2(datagram, random.bytes(16));
  assert.ok(checkMac1(mac1Key(publicKey), datagram), 'mac2 is not under mac1');
});

test('cookie: a reply gives the cookie that makes mac2 valid', () => {
  const { publicKey, checker, datagram } = scene();
  const source = endpoint('192.0.2.9:4000');
  assert.not.ok(checker.isMac2Valid(datagram, source, START), 'zero is no mac2');
  const reply = checker.createReply(datagram, source, START);
  assert.is(reply.length, COOKIE_REPLY_BYTES);
  assert.is(loadLe32(reply, 4), loadLe32(datagram, 4), 'to the sender of the message');
  const cookie = openReply(publicKey, datagram, reply);
  setMac2(datagram, computeMac2(cookie, datagram));
  assert.ok(checker.isMac2Valid(datagram, source, START));
  datagram[5] = (datagram[5] ?? 0) ^ 1;
  assert.not.ok(checker.isMac2Valid(datagram, source, START), 'it covers the message');
});

test('cookie: is bound to the source address and port', () => {
  const { publicKey, checker, datagram } = scene();
  const source = endpoint('192.0.2.9:4000');
  const cookie = openReply(publicKey, datagram, checker.createReply(datagram, source, START));
  setMac2(datagram, computeMac2(cookie, datagram));
  for (const other of ['192.0.2.9:4001', '192.0.2.8:4000', '[2001:db8::1]:4000']) {
    assert.not.ok(checker.isMac2Valid(datagram, endpoint(other), START), other);
  }
});

test('cookie: the secret changes when it is 120 s old, and the old cookie is worth nothing', () => {
  const { publicKey, checker, datagram } = scene();
  const source = endpoint('[2001:db8::7]:51820');
  const cookie = openReply(publicKey, datagram, checker.createReply(datagram, source, START));
  setMac2(datagram, computeMac2(cookie, datagram));
  const end = after(START, seconds(120));
  assert.ok(checker.isMac2Valid(datagram, source, after(START, millis(119_999))));
  assert.ok(checker.isMac2Valid(datagram, source, after(end, micros(-1))));
  assert.not.ok(checker.isMac2Valid(datagram, source, end));
});

test('cookie: a reply is sealed by whichever of our keys the message is to', () => {
  const { publicKey, checker, datagram, random } = scene();
  const later = CRYPTO.publicKey(generatePrivateKey(random));
  const source = endpoint('192.0.2.9:4000');
  const toLater = random.bytes(148);
  setMac1(toLater, computeMac1(mac1Key(later), toLater));
  for (const [first, second] of [
    [publicKey, later],
    [later, publicKey],
  ] as const) {
    checker.setPublicKey(first, second);
    openReply(publicKey, datagram, checker.createReply(datagram, source, START));
    openReply(later, toLater, checker.createReply(toLater, source, START));
  }
  checker.setPublicKey(later);
  const reply = checker.createReply(datagram, source, START);
  const sealed = sealedCookieOf(reply);
  const cookie = CRYPTO.xopen(cookieKey(publicKey), nonceOf(reply), sealed, mac1Of(datagram));
  assert.is(cookie, undefined, 'a key that is gone seals nothing');
});

test('cookie: replies never repeat a nonce', () => {
  const { checker, datagram } = scene();
  const source = endpoint('192.0.2.9:4000');
  const nonces = new Set<string>();
  for (let i = 0; i < 1000; i++) {
    nonces.add(nonceOf(checker.createReply(datagram, source, START)).join());
  }
  assert.is(nonces.size, 1000);
});

test.run();
