import { blake2s as oracle } from '@noble/hashes/blake2.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat, storeLe32 } from '../../src/base/bytes.js';
import { Blake2s, blake2s, blake2sMac } from '../../src/crypto/blake2s.js';
import { equalBytes } from '../support/bytes.js';
import { withSeed } from '../support/seed.js';
import { hex, readVectors } from '../support/vectors.js';

const test = suite('crypto/blake2s');

const VECTORS: { abc: string; selfTest: string } = JSON.parse(readVectors('rfc7693.json'));

/** RFC 7693 Appendix E: deterministic bytes from a Fibonacci generator. */
function selftestSequence(length: number, seed: number): Uint8Array {
  let a = Math.imul(0xdead4bad, seed);
  let b = 1;
  return Uint8Array.from({ length }, () => {
    const next = (a + b) | 0;
    a = b;
    b = next;
    return next >>> 24;
  });
}

function digestOf(input: Uint8Array, options: { length: number; key?: Uint8Array }): Uint8Array {
  return new Blake2s(options).update(input).digest();
}

test('blake2s: hashes "abc" as RFC 7693 Appendix B', () => {
  equalBytes(blake2s(Uint8Array.of(97, 98, 99)), hex(VECTORS.abc));
});

test('blake2s: passes the self test of RFC 7693 Appendix E', () => {
  const whole = new Blake2s();
  for (const length of [16, 20, 28, 32]) {
    for (const inputLength of [0, 3, 64, 65, 255, 1024]) {
      const input = selftestSequence(inputLength, inputLength);
      whole.update(digestOf(input, { length }));
      whole.update(digestOf(input, { length, key: selftestSequence(length, length) }));
    }
  }
  equalBytes(whole.digest(), hex(VECTORS.selfTest));
});

test('blake2s: agrees with another implementation at each length around the blocks', () => {
  withSeed('blake2s lengths', (random) => {
    for (let length = 0; length <= 260; length++) {
      const input = random.bytes(length);
      equalBytes(blake2s(input), oracle(input), `length ${length}`);
    }
  });
});

test('blake2s: agrees with another implementation at each length of key and digest', () => {
  withSeed('blake2s keys', (random) => {
    for (let i = 1; i <= 32; i++) {
      const input = random.bytes(random.below(200));
      const key = random.bytes(i);
      const length = 33 - i;
      const ours = new Blake2s({ key, length }).update(input).digest();
      equalBytes(ours, oracle(input, { key, dkLen: length }), `key of ${i}`);
      equalBytes(blake2sMac(key, input), oracle(input, { key, dkLen: 16 }), `mac, key of ${i}`);
    }
  });
});

test('blake2s: an empty key is none for a hash, and a mistake for a MAC', () => {
  const empty = new Uint8Array(0);
  const input = Uint8Array.of(1, 2, 3);
  equalBytes(new Blake2s({ key: empty }).update(input).digest(), blake2s(input));
  assert.throws(() => blake2sMac(empty, input), /a MAC has a key/);
});

test('blake2s: does not depend on how its input is cut', () => {
  withSeed('blake2s cuts', (random) => {
    for (let round = 0; round < 200; round++) {
      const parts = Array.from({ length: random.below(6) }, () => random.bytes(random.below(150)));
      equalBytes(blake2s(...parts), blake2s(concat(...parts)), `round ${round}`);
    }
  });
});

test('blake2s: keeps no reference to key or input', () => {
  const key = Uint8Array.of(1, 2, 3);
  const input = Uint8Array.of(4, 5, 6);
  const expected = blake2sMac(key, input);
  const running = new Blake2s({ key, length: 16 }).update(input);
  key.fill(0);
  input.fill(0);
  equalBytes(running.digest(), expected);
});

test('blake2s: does not mix the states of two hashes that run at once', () => {
  const [first, second] = [new Blake2s(), new Blake2s()];
  const block = new Uint8Array(100);
  first.update(block);
  second.update(Uint8Array.of(1));
  first.update(block);
  equalBytes(first.digest(), blake2s(block, block));
  equalBytes(second.digest(), blake2s(Uint8Array.of(1)));
});

test('blake2s: refuses keys and digests of impossible lengths, and a second digest', () => {
  assert.throws(() => new Blake2s({ key: new Uint8Array(33) }), /at most 32/);
  assert.throws(() => new Blake2s({ length: 0 }), /1 to 32/);
  assert.throws(() => new Blake2s({ length: 33 }), /1 to 32/);
  const done = new Blake2s();
  done.digest();
  assert.throws(() => done.digest(), /once/);
  assert.throws(() => done.update(new Uint8Array(1)), /after its digest/);
});

test('blake2s: hashes a chain of a thousand digests as another implementation', () => {
  let ours: Uint8Array = new Uint8Array(32);
  let theirs: Uint8Array = new Uint8Array(32);
  const label = new Uint8Array(4);
  for (let i = 0; i < 1000; i++) {
    storeLe32(label, 0, i);
    ours = blake2s(ours, label);
    theirs = oracle(concat(theirs, label));
  }
  equalBytes(ours, theirs);
});

test('blake2s: a hash that is begun again is as a new one', () => {
  const message = new Uint8Array(200).fill(7);
  const hash = new Blake2s({ key: message.subarray(0, 32), length: 8 });
  hash.update(message);
  equalBytes(hash.restart().digest(), blake2s(), 'what was begun is forgotten');
  for (const length of [0, 64, 65, 200]) {
    const bytes = message.subarray(0, length);
    equalBytes(hash.restart().update(bytes).digest(), blake2s(bytes), `${length} bytes`);
  }
});

test.run();
