import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Endpoint } from '../../src/base/address.js';
import { SeededRandom } from '../../src/base/random.js';
import { after, type Instant, instant, micros, seconds } from '../../src/base/time.js';
import { generatePrivateKey } from '../../src/crypto/keys.js';
import type { CryptoSuite } from '../../src/crypto/suite.js';
import { SodiumSuite } from '../../src/io/sodium.js';
import { Admission } from '../../src/session/admission.js';
import { PeerCookie } from '../../src/session/peer_cookie.js';
import { endpoint } from '../support/parsed.js';

const test = suite('admission');
const SEED = process.env.SEED ?? 'admission';
const CRYPTO = new SodiumSuite();
const START = instant(seconds(500));
const SOURCE = endpoint('192.0.2.9:4000');
const QUEUE = 1024;
const FULL_ENOUGH = QUEUE / 8;

function scene(crypto: CryptoSuite = CRYPTO) {
  const random = new SeededRandom(SEED);
  const publicKey = CRYPTO.publicKey(generatePrivateKey(random));
  const admission = new Admission({ crypto, random: random.fork('us'), queueLength: QUEUE });
  admission.setPublicKey(publicKey);
  return { admission, cookie: new PeerCookie(publicKey), random };
}

/** An initiation or response as a peer would stamp it. */
function stamped(cookie: PeerCookie, now: Instant, length = 148): Uint8Array {
  const datagram = new Uint8Array(length).fill(9, 0, length - 32);
  cookie.stamp(datagram, now);
  return datagram;
}

/** Gets the sender its cookie from a node under load. */
function giveCookie(admission: Admission, cookie: PeerCookie, source: Endpoint): void {
  const datagram = stamped(cookie, START);
  const answered = admission.admit({ datagram, source, queued: FULL_ENOUGH }, START);
  if (answered.kind !== 'answered') throw new Error(`The node is not under load: ${answered.kind}`);
  assert.is(cookie.consume(CRYPTO, answered.reply, START), undefined);
}

test('admission: under load from an eighth of the queue on, and 1 s after (kernel)', () => {
  const rows: readonly (readonly [queued: number, later: number, isUnderLoad: boolean])[] = [
    [FULL_ENOUGH - 1, 0, false],
    [FULL_ENOUGH, 0, true],
    [QUEUE, 0, true],
    [FULL_ENOUGH, 999_999, true],
    [FULL_ENOUGH, 1_000_000, false],
  ];
  for (const [queued, later, isUnderLoad] of rows) {
    const { admission, cookie } = scene();
    const now = after(START, micros(later));
    admission.admit({ datagram: stamped(cookie, START), source: SOURCE, queued }, START);
    assert.is(admission.isUnderLoad(now), isUnderLoad, `${queued} queued, ${later} us later`);
    const second = { datagram: stamped(cookie, now), source: SOURCE, queued: 0 };
    assert.is(admission.admit(second, now).kind, isUnderLoad ? 'answered' : 'admitted');
  }
});

test('admission: not under load, mac2 means nothing', () => {
  const { admission, cookie, random } = scene();
  const datagram = stamped(cookie, START);
  datagram.set(random.bytes(16), datagram.length - 16);
  for (let i = 0; i < 200; i++) {
    assert.is(admission.admit({ datagram, source: SOURCE, queued: 0 }, START).kind, 'admitted');
  }
});

test('admission: under load, initiations and responses without mac2 get one shorter reply', () => {
  for (const length of [148, 92]) {
    const { admission, cookie } = scene();
    const datagram = stamped(cookie, START, length);
    const answered = admission.admit({ datagram, source: SOURCE, queued: FULL_ENOUGH }, START);
    if (answered.kind !== 'answered') throw new Error(answered.kind);
    assert.is(answered.reply.length, 64);
    assert.is(cookie.consume(CRYPTO, answered.reply, START), undefined);
    cookie.stamp(datagram, START);
    assert.is(admission.admit({ datagram, source: SOURCE, queued: QUEUE }, START).kind, 'admitted');
  }
});

test('admission: no Diffie-Hellman is paid for, with or without mac2', () => {
  const forbidden = (): never => {
    throw new Error('Asked for more than a cookie needs');
  };
  const suiteWithoutDh: CryptoSuite = {
    dh: forbidden,
    publicKey: forbidden,
    seal: forbidden,
    open: forbidden,
    sealMessage: forbidden,
    openMessage: forbidden,
    xseal: (key, nonce, plaintext, ad) => CRYPTO.xseal(key, nonce, plaintext, ad),
    xopen: forbidden,
  };
  const { admission, cookie } = scene(suiteWithoutDh);
  giveCookie(admission, cookie, SOURCE);
  const applicant = { datagram: stamped(cookie, START), source: SOURCE, queued: QUEUE };
  assert.is(admission.admit(applicant, START).kind, 'admitted');
});

test('admission: under load, a source with its cookie passes 5 at once and 20 a second', () => {
  const { admission, cookie } = scene();
  giveCookie(admission, cookie, SOURCE);
  const datagram = stamped(cookie, START);
  const kinds = Array.from({ length: 8 }, () => {
    const admitted = admission.admit({ datagram, source: SOURCE, queued: QUEUE }, START);
    return admitted.kind === 'dropped' ? admitted.reason : admitted.kind;
  });
  assert.equal(kinds, [...Array(5).fill('admitted'), ...Array(3).fill('too_many')]);
});

test('admission: a cookie of one source is worth nothing from another', () => {
  const { admission, cookie } = scene();
  giveCookie(admission, cookie, SOURCE);
  const source = endpoint('192.0.2.10:4000');
  const applicant = { datagram: stamped(cookie, START), source, queued: QUEUE };
  assert.is(admission.admit(applicant, START).kind, 'answered');
});

test.run();
