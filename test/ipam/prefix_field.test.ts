import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Reader, Writer } from '../../src/base/cursor.js';
import { readPrefix, writePrefix } from '../../src/ipam/prefix_field.js';
import { equalBytes } from '../support/bytes.js';
import { prefix } from '../support/parsed.js';
import { hex } from '../support/vectors.js';

const test = suite('ipam/prefix field');

function written(text: string): Uint8Array {
  const writer = new Writer();
  writePrefix(writer, prefix(text));
  return writer.finish();
}

test('prefix field: family, length and address stand where the format puts them', () => {
  equalBytes(written('10.20.0.0/16'), hex('04100a140000'));
  equalBytes(written('fd00:1::/32'), hex('0620fd000001000000000000000000000000'));
});

test('prefix field: every prefix survives writing and reading', () => {
  for (let length = 0; length <= 128; length++) {
    const texts = [`2001:db8:ffff:ffff:ffff:ffff:ffff:ffff/${length}`];
    if (length <= 32) texts.push(`255.255.255.255/${length}`);
    for (const text of texts) {
      const reader = new Reader(written(text));
      assert.is(readPrefix(reader)?.text, prefix(text).text);
      assert.ok(reader.isWhole);
    }
  }
});

for (const [bytes, why] of [
  ['', 'nothing'],
  ['04', 'no length'],
  ['05100a140000', 'no such family'],
  ['04210a140000', '33 bits'],
  ['04100a1400', 'cut short'],
  ['04100a140001', 'a bit behind the length'],
  ['0681fd000000000000000000000000000001', '129 bits'],
  ['067800000000000000000000ffff0a010200', 'an IPv4 address as one of IPv6'],
] as const) {
  test(`prefix field: refuses ${why}`, () => {
    const reader = new Reader(hex(bytes));
    assert.is(readPrefix(reader), undefined);
    assert.not.ok(reader.isSound);
  });
}

test.run();
