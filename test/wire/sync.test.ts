/** Sync messages: where each field stands, what is none, and how much fits. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat } from '../../src/base/bytes.js';
import { CONTROL_BODY_LIMIT } from '../../src/wire/control.js';
import { PLACE_BYTES } from '../../src/wire/record.js';
import {
  checkSync,
  emitSync,
  formatSync,
  parseSync,
  type SyncMessage,
  syncRoom,
} from '../../src/wire/sync.js';
import { changed, equalBytes, flipBit } from '../support/bytes.js';
import { AUTHOR, KEY, randomSync, sampleRecord } from '../support/control_samples.js';
import { withSeed } from '../support/seed.js';
import { hex } from '../support/vectors.js';

const test = suite('wire/sync');

const hashes = Uint8Array.from({ length: 768 }, (_, i) => i & 255);
const place = `lease ${AUTHOR} ${KEY}`;
const other = `node ${KEY} ${AUTHOR}`;
const [PLACE, OTHER] = [`07${AUTHOR}${KEY}`, `05${KEY}${AUTHOR}`];
const entries = [
  { place, version: 7 },
  { place: other, version: Number.MAX_SAFE_INTEGER },
];
const ENTRIES = `${PLACE}0700000000000000${OTHER}ffffffffffff1f00`;
const LIST = { kind: 'list', bucket: 0xfe, from: undefined, to: undefined, entries } as const;

const GOLDEN: readonly (readonly [SyncMessage, Uint8Array, string])[] = [
  [{ kind: 'buckets', hashes }, concat(hex('01'), hashes), 'buckets'],
  [LIST, hex(`02fe00${ENTRIES}`), 'list of bucket 254 with 2 entries'],
  [{ ...LIST, from: place }, hex(`02fe01${PLACE}${ENTRIES}`), 'list of bucket 254 with 2 entries'],
  [{ ...LIST, to: other, entries: [] }, hex(`02fe02${OTHER}`), 'list of bucket 254 with 0 entries'],
  [
    { ...LIST, from: place, to: other },
    hex(`02fe03${PLACE}${OTHER}${ENTRIES}`),
    'list of bucket 254 with 2 entries',
  ],
  [{ kind: 'want', places: [place, other] }, hex(`03${PLACE}${OTHER}`), 'want 2 places'],
  [
    { kind: 'records', records: [sampleRecord().bytes] },
    concat(hex('04'), sampleRecord().bytes),
    '1 records',
  ],
];

test('sync: every field stands where the format puts it', () => {
  for (const [message, bytes, text] of GOLDEN) {
    equalBytes(emitSync(message), bytes, text);
    assert.equal(parseSync(bytes), message);
    assert.is(formatSync(message), `sync ${text}`);
  }
});

test('sync: a message may end where an item does, and nowhere else', () => {
  for (const [message, bytes, text] of GOLDEN) {
    for (let length = 0; length < bytes.length; length++) {
      const isEnd = endsOf(message).includes(length);
      assert.is(checkSync(bytes.slice(0, length)), isEnd, `${text} ${length} bytes`);
    }
    assert.not(checkSync(concat(bytes, Uint8Array.of(1))), `${text} and a byte`);
  }
});

/** Every length that a message's beginning may have. */
function endsOf(message: SyncMessage): number[] {
  if (message.kind === 'buckets') return [769];
  if (message.kind === 'want') return message.places.map((_, i) => 1 + i * PLACE_BYTES);
  if (message.kind === 'records') return [1];
  const bounds = [message.from, message.to].filter((bound) => bound !== undefined).length;
  return [0, 1, 2].map((count) => 3 + PLACE_BYTES * bounds + 25 * count);
}

test('sync: unknown types, flags and kinds, and versions beyond 2^53, are none', () => {
  const list = emitSync({ ...LIST, from: place, to: other });
  for (const type of [0, 5, 255]) assert.not(checkSync(changed(list, 0, type)), `type ${type}`);
  for (const flags of [4, 8, 0x83])
    assert.not(checkSync(changed(list, 2, flags)), `flags ${flags}`);
  for (const [at, value, why] of [
    [3, 0, 'kind of `from`'],
    [3, 11, 'kind of `from`'],
    [20, 11, 'kind of `to`'],
    [37, 0, 'kind of an entry'],
    [37 + 17 + 6, 0x20, 'version 2^53'],
    [37 + 17 + 7, 1, 'version 2^56'],
  ] as const) {
    assert.not(checkSync(changed(list, at, value)), why);
  }
  assert.not(checkSync(changed(hex(`03${PLACE}`), 1, 0)), 'kind of a wanted place');
});

test('sync: as much as fits is taken, and no more', () => {
  const [most, wanted] = [syncRoom('list'), syncRoom('want')];
  const many = Array.from({ length: most }, () => ({ place, version: 1 }));
  const list = { ...LIST, from: place, to: other };
  const full = emitSync({ ...list, entries: many });
  assert.ok(full.length <= CONTROL_BODY_LIMIT && full.length + 25 > CONTROL_BODY_LIMIT);
  assert.ok(checkSync(full));
  const longer = [...many, { place, version: 1 }];
  assert.throws(() => emitSync({ ...list, entries: longer }), /fits/);
  const places = Array.from({ length: wanted }, () => place);
  assert.ok(checkSync(emitSync({ kind: 'want', places })));
  assert.throws(() => emitSync({ kind: 'want', places: [...places, place] }), /fits/);
  assert.not(checkSync(new Uint8Array(CONTROL_BODY_LIMIT + 1).fill(3)));
  assert.is(syncRoom('records'), CONTROL_BODY_LIMIT - 1);
});

test('sync: hashes of too few buckets are a defect', () => {
  const bad = { kind: 'buckets', hashes: hashes.slice(1) } as const;
  assert.throws(() => emitSync(bad), /every bucket/);
});

test('sync: any bit that is flipped changes it, or makes it none', () => {
  for (const [, bytes] of GOLDEN) {
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const flipped = flipBit(bytes, bit);
      const message = parseSync(flipped);
      if (message) equalBytes(emitSync(message), flipped);
    }
  }
});

test('sync: every value survives emitting and parsing', () => {
  withSeed('sync', (random) => {
    for (let round = 0; round < 500; round++) {
      const message = randomSync(random);
      assert.equal(parseSync(emitSync(message)), message);
    }
  });
});

test.run();
