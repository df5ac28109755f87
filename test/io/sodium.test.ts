import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat, loadLe64 } from '../../src/base/bytes.js';
import { sealAesGcm } from '../../src/io/aes_gcm.js';
import { SodiumSuite } from '../../src/io/sodium.js';
import { equalBytes, flipBit } from '../support/bytes.js';
import { withSeed } from '../support/seed.js';
import { hex, readSharedVectors, readVectors } from '../support/vectors.js';

const test = suite('io/sodium');
const sodium = new SodiumSuite();
const EMPTY = new Uint8Array(0);

interface AgreementVectors {
  functions: { scalar: string; u: string; result: string }[];
  iterations: { count: number; result: string }[];
  agreement: {
    alicePrivate: string;
    alicePublic: string;
    bobPrivate: string;
    bobPublic: string;
    shared: string;
  };
}
interface SealVector {
  key: string;
  nonce: string;
  ad: string;
  plaintext: string;
  sealed: string;
}
interface AgreementFile {
  numberOfTests: number;
  testGroups: {
    tests: {
      tcId: number;
      flags: string[];
      public: string;
      private: string;
      shared: string;
    }[];
  }[];
}
interface SealFile {
  numberOfTests: number;
  testGroups: {
    ivSize: number;
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

test('dh: gives the results of RFC 7748 §5.2', () => {
  const vectors: AgreementVectors = JSON.parse(readVectors('rfc7748.json'));
  assert.is(vectors.functions.length, 2);
  for (const { scalar, u, result } of vectors.functions) {
    equalBytes(sodium.dh(hex(scalar), hex(u)), hex(result));
  }
});

test('dh: gives the iterated results of RFC 7748 §5.2', () => {
  const vectors: AgreementVectors = JSON.parse(readVectors('rfc7748.json'));
  for (const { count, result } of vectors.iterations) {
    let k: Uint8Array | undefined = hex(`09${'00'.repeat(31)}`);
    let u: Uint8Array = k;
    for (let i = 0; i < count && k; i++) {
      const next: Uint8Array | undefined = sodium.dh(k, u);
      u = k;
      k = next;
    }
    equalBytes(k, hex(result), `${count} iterations`);
  }
});

test('dh: both sides of RFC 7748 §6.1 agree', () => {
  const { agreement }: AgreementVectors = JSON.parse(readVectors('rfc7748.json'));
  const [alice, bob] = [hex(agreement.alicePrivate), hex(agreement.bobPrivate)];
  equalBytes(sodium.publicKey(alice), hex(agreement.alicePublic));
  equalBytes(sodium.publicKey(bob), hex(agreement.bobPublic));
  equalBytes(sodium.dh(alice, hex(agreement.bobPublic)), hex(agreement.shared));
  equalBytes(sodium.dh(bob, hex(agreement.alicePublic)), hex(agreement.shared));
});

test('dh: agrees with every vector of Wycheproof, and refuses its points of low order', () => {
  const file: AgreementFile = JSON.parse(readSharedVectors('wycheproof_x25519_test.json'));
  let [computed, refused] = [0, 0];
  for (const vector of file.testGroups.flatMap((group) => group.tests)) {
    const shared = sodium.dh(hex(vector.private), hex(vector.public));
    if (vector.flags.includes('ZeroSharedSecret')) {
      assert.is(shared, undefined, `vector ${vector.tcId}`);
      refused++;
    } else {
      equalBytes(shared, hex(vector.shared), `vector ${vector.tcId}`);
      computed++;
    }
  }
  assert.equal({ computed, refused }, { computed: 487, refused: 31 });
});

test('seal: gives the result of RFC 8439 §2.8.2', () => {
  const vector: SealVector = JSON.parse(readVectors('rfc8439.json'));
  const [key, nonce, ad] = [hex(vector.key), hex(vector.nonce), hex(vector.ad)];
  equalBytes(sodium.sealIetf(key, nonce, hex(vector.plaintext), ad), hex(vector.sealed));
  equalBytes(sodium.openIetf(key, nonce, hex(vector.sealed), ad), hex(vector.plaintext));
});

test('xseal: gives the result of draft-irtf-cfrg-xchacha-03 A.3.1', () => {
  const vector: SealVector = JSON.parse(readVectors('xchacha.json'));
  const [key, nonce, ad] = [hex(vector.key), hex(vector.nonce), hex(vector.ad)];
  equalBytes(sodium.xseal(key, nonce, hex(vector.plaintext), ad), hex(vector.sealed));
  equalBytes(sodium.xopen(key, nonce, hex(vector.sealed), ad), hex(vector.plaintext));
});

test('seal: agrees with every vector of Wycheproof, by the counter where one can say it', () => {
  const file: SealFile = JSON.parse(readSharedVectors('wycheproof_chacha20_poly1305_test.json'));
  const seen = { opened: 0, refused: 0, byCounter: 0, nonceRefused: 0 };
  for (const vector of file.testGroups.flatMap((group) => group.tests)) {
    const [key, nonce, ad] = [hex(vector.key), hex(vector.iv), hex(vector.aad)];
    const [plaintext, sealed] = [hex(vector.msg), concat(hex(vector.ct), hex(vector.tag))];
    const name = `vector ${vector.tcId}`;
    if (nonce.length !== 12) {
      assert.throws(() => sodium.sealIetf(key, nonce, plaintext, ad), /nonce has 12 bytes/);
      seen.nonceRefused++;
    } else if (vector.result === 'valid') {
      equalBytes(sodium.sealIetf(key, nonce, plaintext, ad), sealed, name);
      equalBytes(sodium.openIetf(key, nonce, sealed, ad), plaintext, name);
      seen.opened++;
    } else {
      assert.is(sodium.openIetf(key, nonce, sealed, ad), undefined, name);
      seen.refused++;
    }
    if (nonce.length !== 12 || !vector.iv.startsWith('00000000')) continue;
    const counter = loadLe64(nonce, 4);
    const opened = sodium.open(key, counter, sealed, ad);
    if (vector.result === 'valid') {
      equalBytes(sodium.seal(key, counter, plaintext, ad), sealed, name);
      equalBytes(opened, plaintext, name);
    } else assert.is(opened, undefined, name);
    seen.byCounter++;
  }
  assert.equal(seen, { opened: 256, refused: 60, byCounter: 10, nonceRefused: 9 });
});

test('xseal: agrees with every vector of Wycheproof', () => {
  const file: SealFile = JSON.parse(readSharedVectors('wycheproof_xchacha20_poly1305_test.json'));
  const seen = { opened: 0, refused: 0, nonceRefused: 0 };
  for (const vector of file.testGroups.flatMap((group) => group.tests)) {
    const [key, nonce, ad] = [hex(vector.key), hex(vector.iv), hex(vector.aad)];
    const [plaintext, sealed] = [hex(vector.msg), concat(hex(vector.ct), hex(vector.tag))];
    const name = `vector ${vector.tcId}`;
    if (nonce.length !== 24) {
      assert.throws(() => sodium.xseal(key, nonce, plaintext, ad), /nonce has 24 bytes/);
      seen.nonceRefused++;
    } else if (vector.result === 'valid') {
      equalBytes(sodium.xseal(key, nonce, plaintext, ad), sealed, name);
      equalBytes(sodium.xopen(key, nonce, sealed, ad), plaintext, name);
      seen.opened++;
    } else {
      assert.is(sodium.xopen(key, nonce, sealed, ad), undefined, name);
      seen.refused++;
    }
  }
  assert.equal(seen, { opened: 246, refused: 60, nonceRefused: 9 });
});

const COUNTERS: readonly [counter: bigint, nonce: string][] = [
  [0n, '000000000000000000000000'],
  [1n, '000000000100000000000000'],
  [0x0123_4567_89ab_cdefn, '00000000efcdab8967452301'],
  [2n ** 64n - 1n, '00000000ffffffffffffffff'],
];

test('seal: puts the counter behind four zero bytes, little-endian', () => {
  const key = new Uint8Array(32).fill(3);
  const plaintext = Uint8Array.of(1, 2, 3);
  for (const [counter, nonce] of COUNTERS) {
    const sealed = sodium.sealIetf(key, hex(nonce), plaintext, EMPTY);
    equalBytes(sodium.seal(key, counter, plaintext, EMPTY), sealed, `counter ${counter}`);
    equalBytes(sodium.open(key, counter, sealed, EMPTY), plaintext, `counter ${counter}`);
  }
});

for (const suite of ['chacha20-poly1305', 'aes-256-gcm'] as const) {
  test(`message: puts the prefix before the counter, both little-endian: ${suite}`, () => {
    const key = new Uint8Array(32).fill(3);
    const plaintext = Uint8Array.of(1, 2, 3);
    for (const [prefix, counter, nonce] of [
      [0, 1n, '000000000100000000000000'],
      [1, 0x0123_4567_89ab_cdefn, '01000000efcdab8967452301'],
      [0xfedc_ba98, 2n ** 64n - 1n, '98badcfeffffffffffffffff'],
    ] as const) {
      const expected =
        suite === 'aes-256-gcm'
          ? sealAesGcm(key, hex(nonce), plaintext)
          : sodium.sealIetf(key, hex(nonce), plaintext, EMPTY);
      const by = { suite, key, prefix, counter };
      equalBytes(sodium.sealMessage(by, plaintext), expected, nonce);
      equalBytes(sodium.openMessage(by, expected), plaintext, nonce);
      assert.is(sodium.openMessage({ ...by, prefix: 2 }, expected), undefined);
      assert.is(sodium.openMessage({ ...by, counter: 0n }, expected), undefined);
    }
    const short = { suite, key: key.slice(1), prefix: 0, counter: 0n };
    assert.throws(() => sodium.sealMessage(short, plaintext), /key has 32 bytes/);
    assert.throws(() => sodium.openMessage(short, new Uint8Array(20)), /key has 32 bytes/);
  });
}

test('open: refuses what is shorter than a tag, and takes a tag alone', () => {
  const key = new Uint8Array(32);
  const nonce = new Uint8Array(24);
  for (let length = 0; length < 16; length++) {
    assert.is(sodium.open(key, 0n, new Uint8Array(length), EMPTY), undefined);
    assert.is(sodium.xopen(key, nonce, new Uint8Array(length), EMPTY), undefined);
  }
  equalBytes(sodium.open(key, 0n, sodium.seal(key, 0n, EMPTY, EMPTY), EMPTY), EMPTY);
  equalBytes(sodium.xopen(key, nonce, sodium.xseal(key, nonce, EMPTY, EMPTY), EMPTY), EMPTY);
});

test('open: refuses a message of which one bit differs, and another associated text', () => {
  withSeed('sodium bits', (random) => {
    const [key, ad] = [random.bytes(32), random.bytes(32)];
    const sealed = sodium.seal(key, 7n, random.bytes(5), ad);
    for (let bit = 0; bit < 8 * sealed.length; bit++) {
      const flipped = flipBit(sealed, bit);
      assert.is(sodium.open(key, 7n, flipped, ad), undefined, `bit ${bit}`);
    }
    assert.is(sodium.open(key, 8n, sealed, ad), undefined, 'counter');
    assert.is(sodium.open(key, 7n, sealed, EMPTY), undefined, 'associated text');
  });
});

test('suite: takes keys of 32 bytes only', () => {
  const short = new Uint8Array(31);
  const key = new Uint8Array(32);
  assert.throws(() => sodium.dh(short, key), /private key has 32 bytes/);
  assert.throws(() => sodium.dh(key, short), /public key has 32 bytes/);
  assert.throws(() => sodium.publicKey(short), /private key has 32 bytes/);
  assert.throws(() => sodium.seal(short, 0n, EMPTY, EMPTY), /key has 32 bytes/);
  assert.throws(() => sodium.xopen(short, new Uint8Array(24), key, EMPTY), /key has 32 bytes/);
});

test('suite: reads slices of larger arrays where they begin', () => {
  const whole = new Uint8Array(64).fill(5);
  whole[0] = 1;
  const key = whole.subarray(16, 48);
  equalBytes(sodium.publicKey(key), sodium.publicKey(key.slice()));
  const sealed = sodium.seal(key, 1n, whole.subarray(3, 20), whole.subarray(7, 9));
  const wide = concat(Uint8Array.of(0xa5), sealed);
  equalBytes(sodium.open(key, 1n, wide.subarray(1), whole.slice(7, 9)), whole.slice(3, 20));
});

test.run();
