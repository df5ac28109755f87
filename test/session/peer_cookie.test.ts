import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isZero } from '../../src/base/bytes.js';
import { SeededRandom } from '../../src/base/random.js';
import { after, instant, micros, seconds } from '../../src/base/time.js';
import { generatePrivateKey } from '../../src/crypto/keys.js';
import { SodiumSuite } from '../../src/io/sodium.js';
import { checkMac1, CookieChecker, mac1Key } from '../../src/session/cookie.js';
import { PeerCookie } from '../../src/session/peer_cookie.js';
import { mac2Of } from '../../src/wire/wireguard.js';
import { flipBit } from '../support/bytes.js';
import { endpoint } from '../support/parsed.js';

const test = suite('peer_cookie');
const SEED = process.env.SEED ?? 'peer cookie';
const CRYPTO = new SodiumSuite();
const START = instant(seconds(500));
const SOURCE = endpoint('192.0.2.9:4000');

/** We and a responder that hands out cookies. */
function scene() {
  const random = new SeededRandom(SEED);
  const publicKey = CRYPTO.publicKey(generatePrivateKey(random));
  const checker = new CookieChecker(CRYPTO, random.fork('checker'));
  checker.setPublicKey(publicKey);
  return { random, publicKey, checker, cookie: new PeerCookie(publicKey) };
}

test('peer cookie: without one, mac1 is right and mac2 is zero', () => {
  const { random, publicKey, cookie } = scene();
  const datagram = random.bytes(148);
  datagram.fill(0, 132);
  cookie.stamp(datagram, START);
  assert.ok(checkMac1(mac1Key(publicKey), datagram));
  assert.ok(isZero(mac2Of(datagram)));
});

test('peer cookie: a reply to the last message is used for 115 s (WireGuard §5.4.4)', () => {
  const { checker, cookie } = scene();
  const first = new Uint8Array(148).fill(1, 0, 116);
  cookie.stamp(first, START);
  const reply = checker.createReply(first, SOURCE, START);
  assert.is(cookie.consume(CRYPTO, reply, START), undefined);
  const end = after(START, seconds(115));
  for (const [at, carries] of [
    [START, true],
    [after(end, micros(-1)), true],
    [end, false],
  ] as const) {
    const next = new Uint8Array(92).fill(2, 0, 60);
    cookie.stamp(next, at);
    assert.is(checker.isMac2Valid(next, SOURCE, at), carries, `at ${at}`);
    assert.is(isZero(mac2Of(next)), !carries);
  }
});

test('peer cookie: refuses replies that nothing awaits, and those to another message', () => {
  const { checker, cookie } = scene();
  const first = new Uint8Array(148).fill(1, 0, 116);
  const reply = checker.createReply(first, SOURCE, START);
  assert.is(cookie.consume(CRYPTO, reply, START), 'cookie_unasked');
  cookie.stamp(first, START);
  assert.is(cookie.consume(CRYPTO, reply, START), 'cookie_tag', 'mac1 was zero then');
  const right = checker.createReply(first, SOURCE, START);
  const second = new Uint8Array(148).fill(3, 0, 116);
  cookie.stamp(second, START);
  assert.is(cookie.consume(CRYPTO, right, START), 'cookie_tag', 'the message before the last');
  const answer = checker.createReply(second, SOURCE, START);
  for (let bit = 8 * 8; bit < 8 * 64; bit++) {
    const copy = flipBit(answer, bit);
    assert.is(cookie.consume(CRYPTO, copy, START), 'cookie_tag', `SEED=${SEED} bit ${bit}`);
  }
  assert.is(cookie.consume(CRYPTO, answer, START), undefined);
  assert.is(cookie.consume(CRYPTO, answer, START), 'cookie_unasked', 'a replay');
});

test.run();
