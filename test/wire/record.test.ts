/** Signed records: where each field stands, what is none, and which of two is in force. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat } from '../../src/base/bytes.js';
import { nodeId } from '../../src/base/identifiers.js';
import {
  checkRecord,
  emitPlace,
  emitRecord,
  formatRecord,
  isNewer,
  parsePlace,
  parseRecord,
  PLACE_BYTES,
  RECORD_BODY_LIMIT,
  RECORD_LIMIT,
  recordLength,
  recordMessage,
  recordSignature,
  splitRecords,
} from '../../src/wire/record.js';
import { changed, equalBytes, flipBit } from '../support/bytes.js';
import {
  AUTHOR,
  KEY,
  KINDS,
  NETWORK,
  randomRecord,
  sampleRecord,
} from '../support/control_samples.js';
import { withSeed } from '../support/seed.js';
import { hex } from '../support/vectors.js';

const test = suite('wire/record');

/** lease, format 1, 3 bytes; version 7; author; key; body. */
const HEADER = '07' + '01' + '0300' + '0700000000000000' + AUTHOR + KEY;
const GOLDEN = hex(`${HEADER}b0b1b2${'5a'.repeat(64)}`);

test('record: every field stands where the format puts it', () => {
  const record = sampleRecord();
  equalBytes(record.bytes, GOLDEN);
  assert.is(record.place, `lease ${AUTHOR} ${KEY}`);
  assert.is(formatRecord(record), `record lease by ${AUTHOR} key ${KEY} version 7 body 3 bytes`);
  equalBytes(recordSignature(record), hex('5a'.repeat(64)));
});

test('record: what is signed names the format and the network', () => {
  const label = new TextEncoder().encode('heddle record 1');
  const message = concat(label, hex(NETWORK), hex(`${HEADER}b0b1b2`));
  equalBytes(recordMessage(sampleRecord(), NETWORK), message);
  const signed: Uint8Array[] = [];
  const { kind, version, author, key, body } = sampleRecord();
  emitRecord({ kind, version, author, key, body }, NETWORK, (bytes) => {
    signed.push(bytes);
    return new Uint8Array(64);
  });
  equalBytes(signed[0], message);
});

test('record: kinds have the bytes 1 to 10, in their order', () => {
  for (const [index, kind] of KINDS.entries()) {
    const { bytes } = sampleRecord({ kind });
    assert.is(bytes[0], index + 1);
    assert.is(parseRecord(bytes)?.kind, kind);
  }
  for (const byte of [0, 11, 255]) assert.is(parseRecord(changed(GOLDEN, 0, byte)), undefined);
});

test('record: cut at any length, or with a byte behind it, it is none', () => {
  for (let length = 0; length < GOLDEN.length; length++) {
    assert.is(parseRecord(GOLDEN.slice(0, length)), undefined, `${length} bytes`);
    assert.not(checkRecord(GOLDEN.slice(0, length)));
  }
  assert.is(parseRecord(concat(GOLDEN, Uint8Array.of(0))), undefined);
  assert.is(recordLength(concat(GOLDEN, Uint8Array.of(0))), GOLDEN.length);
});

test('record: a length that claims more than there is, or than a body may have, is refused', () => {
  const longest = sampleRecord({ body: new Uint8Array(RECORD_BODY_LIMIT) });
  assert.is(longest.bytes.length, RECORD_LIMIT);
  assert.ok(checkRecord(longest.bytes));
  assert.throws(() => sampleRecord({ body: new Uint8Array(RECORD_BODY_LIMIT + 1) }), /bounded/);
  const longer = new Uint8Array(RECORD_LIMIT + 1);
  longer.set(longest.bytes);
  longer.set([(RECORD_BODY_LIMIT + 1) & 255, (RECORD_BODY_LIMIT + 1) >> 8], 2);
  assert.is(recordLength(longer), undefined, 'one byte too long');
  for (const [low, high] of [
    [4, 0],
    [255, 255],
    [0, 128],
  ] as const) {
    assert.is(parseRecord(changed(changed(GOLDEN, 2, low), 3, high)), undefined, `${low} ${high}`);
  }
});

test('record: a version reaches 2^53 - 1, and of another format it is none', () => {
  const last = sampleRecord({ version: Number.MAX_SAFE_INTEGER });
  assert.is(parseRecord(last.bytes)?.version, Number.MAX_SAFE_INTEGER);
  assert.is(parseRecord(changed(last.bytes, 10, 0x20)), undefined, '2^53');
  assert.is(parseRecord(changed(last.bytes, 11, 1)), undefined, '2^56');
  for (const format of [0, 2, 255]) assert.is(parseRecord(changed(GOLDEN, 1, format)), undefined);
  assert.throws(() => sampleRecord({ version: Number.NaN }), /safe/);
  assert.throws(() => sampleRecord({ version: 2 ** 53 }), /safe/);
});

test('record: what is parsed is a copy', () => {
  const bytes = GOLDEN.slice();
  const record = parseRecord(bytes);
  bytes.fill(0);
  equalBytes(record?.bytes, GOLDEN);
  equalBytes(record?.body, hex('b0b1b2'));
});

test('record: any bit that is flipped changes it, or makes it none', () => {
  for (let bit = 0; bit < 8 * GOLDEN.length; bit++) {
    const flipped = flipBit(GOLDEN, bit);
    const record = parseRecord(flipped);
    if (record) equalBytes(record.bytes, flipped);
  }
});

test('record: records split where one ends, and not at all where one is none', () => {
  const other = sampleRecord({ body: new Uint8Array(0) }).bytes;
  const split = splitRecords(concat(GOLDEN, other, GOLDEN));
  assert.is(split?.length, 3);
  equalBytes(split?.[1], other);
  assert.equal(splitRecords(new Uint8Array(0)), []);
  assert.is(splitRecords(concat(GOLDEN, Uint8Array.of(0))), undefined);
  assert.is(splitRecords(concat(GOLDEN, other.slice(0, -1))), undefined);
});

test('record: the higher version is in force, then the later bytes, and one order is seen', () => {
  const old = sampleRecord({ version: 1, body: Uint8Array.of(9) });
  const fresh = sampleRecord({ version: 2, body: Uint8Array.of(1) });
  const [low, high] = [Uint8Array.of(1, 2), Uint8Array.of(1, 3)].map((body) =>
    sampleRecord({ body }),
  );
  if (!low || !high) throw new Error('two are made');
  for (const [a, b] of [
    [fresh, old],
    [high, low],
  ] as const) {
    assert.ok(isNewer(a, b));
    assert.not(isNewer(b, a));
    assert.not(isNewer(a, a));
  }
  withSeed('record order', (random) => {
    const records = Array.from({ length: 60 }, () => {
      const body = random.bytes(random.below(3));
      return sampleRecord({ version: random.below(3), body });
    });
    const [first, ...others] = [...records].sort((a, b) => (isNewer(a, b) ? 1 : -1));
    let before = first;
    for (const record of others) {
      if (before) assert.not(isNewer(before, record));
      before = record;
    }
  });
});

test('record: a place has 17 bytes, and those of an unknown kind are none', () => {
  const { place } = sampleRecord();
  const bytes = emitPlace(place);
  equalBytes(bytes, hex(`07${AUTHOR}${KEY}`));
  assert.is(bytes.length, PLACE_BYTES);
  assert.is(parsePlace(bytes), place);
  for (let length = 0; length < PLACE_BYTES; length++) {
    assert.is(parsePlace(bytes.slice(0, length)), undefined, `${length} bytes`);
  }
  assert.is(parsePlace(concat(bytes, Uint8Array.of(0))), undefined);
  for (const kind of [0, 11, 255]) assert.is(parsePlace(changed(bytes, 0, kind)), undefined);
  assert.throws(() => emitPlace('nothing 01 02'), /kind/);
  assert.throws(() => emitPlace('lease 01 02'), /two ids/);
});

test('record: a signature of another length is a defect', () => {
  const { kind, version, key, body } = sampleRecord();
  const fields = { kind, version, author: nodeId(AUTHOR), key, body };
  assert.throws(() => emitRecord(fields, NETWORK, () => new Uint8Array(63)), /64 bytes/);
});

test('record: every value survives emitting and parsing', () => {
  withSeed('record', (random) => {
    for (let round = 0; round < 500; round++) {
      const record = randomRecord(random);
      const parsed = parseRecord(record.bytes);
      assert.equal(parsed, record);
    }
  });
});

test.run();
