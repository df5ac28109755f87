/** Byte arrays: comparing, text forms, and integers in either byte order. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as bytes from '../../src/base/bytes.js';
import { equalBytes, flipBit } from '../support/bytes.js';
import { collectGarbage } from '../support/collect_garbage.js';
import { withSeed } from '../support/seed.js';

const test = suite('bytes');

test('bytes: concat keeps order and copies', () => {
  const first = Uint8Array.of(1, 2);
  const whole = bytes.concat(first, new Uint8Array(0), Uint8Array.of(3));
  first.fill(9);
  equalBytes(whole, Uint8Array.of(1, 2, 3));
  equalBytes(bytes.concat(), new Uint8Array(0));
});

test('bytes: both equalities find every difference', () => {
  const whole = Uint8Array.from({ length: 32 }, (_, i) => i);
  for (const equal of [bytes.equal, bytes.constantTimeEqual]) {
    assert.ok(equal(whole, whole.slice()));
    assert.ok(equal(new Uint8Array(0), new Uint8Array(0)));
    assert.not(equal(whole, whole.subarray(0, 31)));
    assert.not(equal(whole.subarray(0, 31), whole));
    for (let bit = 0; bit < 256; bit++) {
      const other = flipBit(whole, bit);
      assert.not(equal(whole, other), `bit ${bit}`);
    }
  }
});

test('bytes: the copy of a secret lies outside the heap, where nothing moves it', () => {
  const count = 4096;
  const secret = Uint8Array.from({ length: 32 }, (_, i) => i);
  const outside = (copy: (of: Uint8Array) => Uint8Array): number => {
    collectGarbage();
    const before = process.memoryUsage().arrayBuffers;
    const copies = Array.from({ length: count }, () => copy(secret));
    const grown = process.memoryUsage().arrayBuffers - before;
    for (const each of copies) equalBytes(each, secret);
    return grown;
  };
  assert.ok(outside((of) => of.slice()) < count, 'slices lie inside');
  assert.is(outside(bytes.copySecret), count * secret.length);
});

test('bytes: zero means every byte, and wiping makes it so', () => {
  assert.ok(bytes.isZero(new Uint8Array(0)));
  for (let i = 0; i < 8; i++) {
    const one = new Uint8Array(8);
    one[i] = 0x80;
    assert.not(bytes.isZero(one), `byte ${i}`);
    bytes.wipe(one);
    assert.ok(bytes.isZero(one));
  }
});

test('bytes: hexadecimal round trips, and takes either case', () => {
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  equalBytes(bytes.fromHex(bytes.toHex(all)), all);
  equalBytes(bytes.fromHex('aAFf'), Uint8Array.of(0xaa, 0xff));
  equalBytes(bytes.fromHex(''), new Uint8Array(0));
  for (const text of ['0', '0g', '0x00', ' 00', '0 ', '+1']) {
    assert.is(bytes.fromHex(text), undefined, `"${text}"`);
  }
});

/** RFC 4648 §10. */
const BASE64: readonly [string, string][] = [
  ['', ''],
  ['f', 'Zg=='],
  ['fo', 'Zm8='],
  ['foo', 'Zm9v'],
  ['foob', 'Zm9vYg=='],
  ['fooba', 'Zm9vYmE='],
  ['foobar', 'Zm9vYmFy'],
];

test('bytes: base64 as RFC 4648 has it', () => {
  for (const [text, encoded] of BASE64) {
    const plain = Uint8Array.from(text, (character) => character.charCodeAt(0));
    assert.is(bytes.toBase64(plain), encoded);
    equalBytes(bytes.fromBase64(encoded), plain, encoded);
  }
  equalBytes(bytes.fromBase64('+/+/'), Uint8Array.of(0xfb, 0xff, 0xbf));
});

test('bytes: base64 round trips at every length', () => {
  withSeed('base64', (random) => {
    for (let length = 0; length < 100; length++) {
      const original = random.bytes(length);
      const text = bytes.toBase64(original);
      assert.is(text, Buffer.from(original).toString('base64'));
      equalBytes(bytes.fromBase64(text), original, text);
    }
  });
});

/** Text that some decoders take, and why this one does not. */
const NOT_CANONICAL: readonly [string, string][] = [
  ['Zg', 'no padding'],
  ['Zg=', 'half the padding'],
  ['Zg===', 'more padding'],
  ['Zh==', 'unused bits of one byte are set'],
  ['Zm9=', 'unused bits of two bytes are set'],
  ['Zg==\n', 'a line feed'],
  ['Zm 9v', 'a space'],
  ['Zm9-', 'the URL alphabet'],
  ['====', 'padding alone'],
  ['Z===', 'six bits are no byte'],
  ['Zg==Zg==', 'padding inside'],
  ['Zm9\u00e9', 'a letter outside ASCII'],
];

test('bytes: base64 has one form for each array', () => {
  for (const [text, reason] of NOT_CANONICAL) {
    assert.is(bytes.fromBase64(text), undefined, reason);
  }
});

interface Integer {
  readonly name: string;
  readonly width: number;
  readonly load: (from: Uint8Array, at: number) => number | bigint;
  /** What a DataView finds there. */
  readonly expected: (view: DataView, at: number) => number | bigint;
  readonly copy: (from: Uint8Array, to: Uint8Array, at: number) => void;
}

test('bytes: packed, they are a key that sorts as they do, and come back', () => {
  withSeed('packed', (random) => {
    for (let i = 0; i < 200; i++) {
      const [one, two] = [random.bytes(random.below(200)), random.bytes(random.below(4))];
      const packed = bytes.pack(one);
      equalBytes(bytes.unpack(packed), one);
      assert.is(packed.length, one.length);
      const order = Math.sign(Buffer.compare(one, two));
      assert.is(packed > bytes.pack(two) ? 1 : packed === bytes.pack(two) ? 0 : -1, order);
    }
  });
  assert.is(bytes.pack(new Uint8Array(0)), '');
});

test('bytes: a text that is shared is kept once', () => {
  const [count, different] = [20_000, 16];
  const kept: string[] = new Array(count);
  const name = (i: number): string => ['0123456789abcdef', String(i % different)].join(':');
  const takenBy = (textOf: (i: number) => string): number => {
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < count; i++) kept[i] = textOf(i);
    collectGarbage();
    return process.memoryUsage().heapUsed - before;
  };
  const apart = takenBy(name);
  kept.fill('');
  const together = takenBy((i) => bytes.shared(name(i)));
  assert.ok(together < apart / 4, `${together} bytes against ${apart}`);
  for (const [i, text] of kept.entries()) assert.is(text, name(i));
});

const INTEGERS: readonly Integer[] = [
  {
    name: 'Le16',
    width: 2,
    load: bytes.loadLe16,
    expected: (view, at) => view.getUint16(at, true),
    copy: (from, to, at) => bytes.storeLe16(to, at, bytes.loadLe16(from, at)),
  },
  {
    name: 'Le32',
    width: 4,
    load: bytes.loadLe32,
    expected: (view, at) => view.getUint32(at, true),
    copy: (from, to, at) => bytes.storeLe32(to, at, bytes.loadLe32(from, at)),
  },
  {
    name: 'Le64',
    width: 8,
    load: bytes.loadLe64,
    expected: (view, at) => view.getBigUint64(at, true),
    copy: (from, to, at) => bytes.storeLe64(to, at, bytes.loadLe64(from, at)),
  },
  {
    name: 'Be16',
    width: 2,
    load: bytes.loadBe16,
    expected: (view, at) => view.getUint16(at),
    copy: (from, to, at) => bytes.storeBe16(to, at, bytes.loadBe16(from, at)),
  },
  {
    name: 'Be32',
    width: 4,
    load: bytes.loadBe32,
    expected: (view, at) => view.getUint32(at),
    copy: (from, to, at) => bytes.storeBe32(to, at, bytes.loadBe32(from, at)),
  },
];

test('bytes: integers stand in the byte order of their name, and nowhere else', () => {
  withSeed('integers', (random) => {
    for (const { name, width, load, expected, copy } of INTEGERS) {
      for (let i = 0; i < 200; i++) {
        const at = random.below(4);
        const from = random.bytes(16).map((byte) => (random.below(3) === 0 ? 0xff : byte));
        assert.is(load(from, at), expected(new DataView(from.buffer), at), name);
        const to = new Uint8Array(16).fill(0xa5);
        copy(from, to, at);
        const written = new Uint8Array(16).fill(0xa5);
        written.set(from.subarray(at, at + width), at);
        equalBytes(to, written, name);
      }
    }
  });
});

test.run();
