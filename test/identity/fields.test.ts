import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Reader, Writer } from '../../src/base/cursor.js';
import {
  faultOfGrant,
  GRANT_BYTES,
  LIST_LIMIT,
  readGrant,
  readList,
  readName,
  readPrefix,
  writeGrant,
  writePrefix,
} from '../../src/identity/fields.js';
import { prefix } from '../support/identity_scene.js';

const test = suite('identity/fields');

function nameIn(text: string): string | undefined {
  const reader = new Reader(new Writer().text(text).finish());
  const name = readName(reader);
  return reader.isWhole ? name : undefined;
}

test('fields: a name is a label, and nothing that a terminal would obey', () => {
  for (const name of ['a', 'web-1', '0', 'a'.repeat(63)]) assert.is(nameIn(name), name);
  const odd = ['', '-a', 'a-', 'A', 'a b', 'a\u001b[2J', 'a\n', 'ä', 'a\u202e', 'a'.repeat(64)];
  for (const name of odd) assert.is(nameIn(name), undefined, JSON.stringify(name));
});

test('fields: a prefix has no bits behind its length', () => {
  const bytes = (text: string): Uint8Array => {
    const writer = new Writer();
    writePrefix(writer, prefix(text));
    return writer.finish();
  };
  for (const text of ['10.20.0.0/16', 'fd00::/8', '0.0.0.0/0', '192.0.2.1/32']) {
    assert.is(readPrefix(new Reader(bytes(text)))?.text, text);
  }
  for (const [at, value] of [
    [0, 5],
    [0, 6],
    [1, 33],
    [5, 1],
  ] as const) {
    const body = bytes('10.20.0.0/16');
    body[at] = value;
    assert.is(readPrefix(new Reader(body)), undefined, `byte ${at} is ${value}`);
  }
});

test('fields: a list says how long it is, and may not be longer than others take', () => {
  const read = (count: number, items: number): Reader => {
    const writer = new Writer().u8(count);
    for (let i = 0; i < items; i++) writer.u8(i);
    const reader = new Reader(writer.finish());
    readList(reader, (each) => each.u8());
    return reader;
  };
  assert.ok(read(LIST_LIMIT, LIST_LIMIT).isWhole);
  assert.not(read(LIST_LIMIT + 1, LIST_LIMIT + 1).isSound);
  assert.not(read(3, 2).isSound, 'it claims more than there is');
  assert.not(read(255, 0).isSound);
});

test('fields: what is granted fits, or its fault is told', () => {
  const full = { groups: ['a', 'b'], prefixes: [prefix('10.0.0.0/8')] };
  assert.is(faultOfGrant(full), undefined);
  const writer = new Writer();
  writeGrant(writer, full);
  assert.equal(readGrant(new Reader(writer.finish())), full);
  const long = Array.from({ length: 16 }, () => 'g'.repeat(40));
  assert.match(faultOfGrant({ groups: long, prefixes: [] }) ?? '', 'too many');
  const large = new Writer();
  writeGrant(large, { groups: long, prefixes: [] });
  assert.ok(large.length > GRANT_BYTES);
  const reader = new Reader(large.finish());
  readGrant(reader);
  assert.not(reader.isSound, 'and what is larger is not read');
  const many = Array.from({ length: 17 }, () => 'g');
  assert.match(faultOfGrant({ groups: many, prefixes: [] }) ?? '', 'at most 16');
});

test.run();
