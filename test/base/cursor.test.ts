/** Reading and writing control-plane bytes: bounds, byte order, and that reading never throws. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Reader, Writer } from '../../src/base/cursor.js';
import { nodeId } from '../../src/base/identifiers.js';
import { equalBytes } from '../support/bytes.js';
import { withSeed } from '../support/seed.js';
import { hex } from '../support/vectors.js';

const test = suite('base/cursor');

const ID = nodeId('0123456789abcdef');

test('cursor: integers stand little endian, ids and bytes as they are', () => {
  const writer = new Writer().u8(0x12).u16(0x3456).u32(0x789abcde).u64(0x01_0203_0405_0607);
  writer.nodeId(ID).text('é').bytes(Uint8Array.of(9, 8));
  const expected = '12' + '5634' + 'debc9a78' + '0706050403020100' + ID + '02c3a9' + '0908';
  equalBytes(writer.finish(), hex(expected));
  assert.is(writer.length, expected.length / 2);
});

test('cursor: what is written is read again, and then all is read', () => {
  const bytes = new Writer()
    .u8(255)
    .u16(65_535)
    .u32(2 ** 32 - 1)
    .nodeId(ID)
    .text('')
    .finish();
  const reader = new Reader(bytes);
  assert.equal([reader.u8(), reader.u16(), reader.u32()], [255, 65_535, 2 ** 32 - 1]);
  assert.is(reader.nodeId(), ID);
  assert.not(reader.isWhole);
  assert.is(reader.text(), '');
  assert.ok(reader.isWhole && reader.isSound);
  assert.equal([reader.at, reader.left], [bytes.length, 0]);
});

test('cursor: an integer of 64 bits reaches 2^53 - 1 and no further', () => {
  for (const [text, value] of [
    ['0000000000000000', 0],
    ['ffffffff00000000', 2 ** 32 - 1],
    ['0000000001000000', 2 ** 32],
    ['ffffffffffff1f00', Number.MAX_SAFE_INTEGER],
  ] as const) {
    const reader = new Reader(hex(text));
    assert.is(reader.u64(), value, text);
    assert.ok(reader.isWhole, text);
    equalBytes(new Writer().u64(value).finish(), hex(text));
  }
  for (const text of ['0000000000002000', 'ffffffffffffffff', '0100000000002000']) {
    const reader = new Reader(hex(text));
    assert.is(reader.u64(), 0, text);
    assert.not(reader.isSound, text);
  }
});

test('cursor: beyond the end all is zero, and stays unsound', () => {
  const reader = new Reader(Uint8Array.of(1, 2, 3));
  assert.is(reader.u32(), 0x030201, 'the byte that is missing is zero');
  assert.not(reader.isSound);
  assert.is(reader.u8(), 0, 'what is there is no longer read');
  equalBytes(reader.bytes(2), Uint8Array.of(0, 0));
  assert.is(reader.nodeId(), '0000000000000000');
  assert.is(reader.text(), '');
  assert.not(reader.isWhole);
});

test('cursor: a length that claims more than there is allocates what is asked, and fails', () => {
  const reader = new Reader(Uint8Array.of(200, 65));
  assert.is(reader.text().length, 200, 'zeros');
  assert.not(reader.isSound);
});

test('cursor: bytes are a view, the rest too; reading can begin anywhere', () => {
  const bytes = Uint8Array.of(1, 2, 3, 4, 5);
  const reader = new Reader(bytes, 1);
  const view = reader.bytes(2);
  bytes[1] = 9;
  equalBytes(view, Uint8Array.of(9, 3));
  equalBytes(reader.rest(), Uint8Array.of(4, 5));
  assert.ok(reader.isWhole);
  equalBytes(reader.rest(), new Uint8Array(0));
  assert.ok(reader.isWhole, 'no bytes are always there');
});

test('cursor: a reader that is told of a value that is none fails', () => {
  const reader = new Reader(Uint8Array.of(1));
  reader.u8();
  assert.ok(reader.isWhole);
  reader.fail();
  assert.not(reader.isWhole);
  assert.not(reader.isSound);
});

test('cursor: text that is no UTF-8 fails, and none has two spellings', () => {
  for (const [text, why] of [
    ['01ff', 'no first byte'],
    ['01c3', 'half a letter'],
    ['02c080', 'a zero written long'],
    ['03eda080', 'half a pair'],
    ['04f4908080', 'beyond the last letter'],
  ] as const) {
    const reader = new Reader(hex(text));
    assert.is(reader.text(), '', why);
    assert.not(reader.isSound, why);
  }
  const marked = hex('04efbbbf61');
  equalBytes(new Writer().text(new Reader(marked).text()).finish(), marked);
});

test('cursor: a writer refuses what a field does not hold', () => {
  assert.throws(() => new Writer().u8(256), /8 bits/);
  assert.throws(() => new Writer().u8(-1), /8 bits/);
  assert.throws(() => new Writer().u16(65_536), /16 bits/);
  assert.throws(() => new Writer().u32(2 ** 32), /32 bits/);
  assert.throws(() => new Writer().u64(2 ** 53), /safe/);
  assert.throws(() => new Writer().u64(-1), /safe/);
  assert.throws(() => new Writer().u64(Number.NaN), /safe/);
  assert.throws(() => new Writer().nodeId(nodeId('12')), /16 hexadecimal/);
  assert.throws(() => new Writer().text('x'.repeat(256)), /8 bits/);
});

test('cursor: what is written any way is read the same way', () => {
  withSeed('cursor', (random) => {
    for (let round = 0; round < 500; round++) {
      const writer = new Writer();
      const values = Array.from({ length: random.below(20) }, () => random.bytes(random.below(99)));
      for (const bytes of values) writer.u16(bytes.length).bytes(bytes);
      const reader = new Reader(writer.finish());
      for (const bytes of values) equalBytes(reader.bytes(reader.u16()), bytes);
      assert.ok(reader.isWhole);
    }
  });
});

test.run();
