import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { toHex } from '../../src/base/bytes.js';
import { nodeId } from '../../src/base/identifiers.js';
import { QUOTAS } from '../../src/state/quotas.js';
import { bucketOf, Store } from '../../src/state/store.js';
import { placeOf } from '../../src/wire/record.js';
import { SYNC_BUCKETS } from '../../src/wire/sync.js';
import { AUTHOR, randomId, randomRecord, sampleRecord } from '../support/control_samples.js';
import { resigned } from '../support/identity_scene.js';
import { withSeed } from '../support/seed.js';

const test = suite('state/store');

function key(number: number): string {
  return number.toString(16).padStart(16, '0');
}

test('store: of two records of one place the newer is in force, whichever comes first', () => {
  const [old, fresh] = [sampleRecord({ version: 1 }), sampleRecord({ version: 2 })];
  for (const [first, second, outcomes] of [
    [old, fresh, ['new', 'new']],
    [fresh, old, ['new', 'older']],
    [fresh, fresh, ['new', 'known']],
  ] as const) {
    const store = new Store();
    assert.equal([store.merge(first), store.merge(second)], outcomes);
    assert.is(store.get(fresh.place), fresh);
    assert.is(store.size, 1);
  }
});

test('store: of two of one version that whose bytes sort later is, on every node', () => {
  const bodies = [1, 2].map((byte) => sampleRecord({ body: Uint8Array.of(byte) }));
  const digests = [bodies, [...bodies].reverse()].map((records) => {
    const store = new Store();
    for (const record of records) store.merge(record);
    return store.digestText();
  });
  assert.is(digests[0], digests[1]);
});

test('store: the order in which records come changes neither digest nor buckets', () => {
  withSeed('store order', (random) => {
    const records = Array.from({ length: 200 }, () => randomRecord(random, 20));
    const orders = [records, [...records].reverse(), [...records, ...records]];
    const stores = orders.map((order) => {
      const store = new Store();
      for (const record of order) store.merge(record);
      return store;
    });
    assert.is(new Set(stores.map((store) => store.digestText())).size, 1);
    assert.is(new Set(stores.map((store) => toHex(store.bucketHashes()))).size, 1);
  });
});

test('store: a change of one record is a change of the digest and of its bucket alone', () => {
  const store = new Store();
  for (let i = 0; i < 4; i++) store.merge(sampleRecord({ key: key(i) }));
  const before = store.bucketHashes();
  const digest = store.digestText();
  const changed = resigned(sampleRecord({ key: key(2), version: 8 }), new Uint8Array(64).fill(8));
  store.merge(changed);
  assert.is.not(store.digestText(), digest);
  const after = store.bucketHashes();
  const differing = new Set<number>();
  for (const [i, byte] of after.entries()) {
    if (byte !== before[i]) differing.add(Math.floor(i / 3));
  }
  assert.equal([...differing], [bucketOf(changed.place)]);
});

test('store, row 27: a member that says a million things has its quota, and nobody less', () => {
  const store = new Store();
  let refused = 0;
  const { kind, author, version, body, bytes, packed } = sampleRecord({ kind: 'announcement' });
  const base = { kind, author, version, body, bytes, packed };
  for (let i = 0; i < 1_000_000; i++) {
    const place = placeOf('announcement', AUTHOR, key(i));
    if (store.merge({ ...base, key: key(i), place }) === 'over_quota') refused++;
  }
  assert.is(store.size, QUOTAS.announcement);
  assert.is(refused, 1_000_000 - QUOTAS.announcement);
  const other = sampleRecord({ kind: 'announcement', author: nodeId('00000000000000bb') });
  assert.is(store.merge(other), 'new');
  const renewed = sampleRecord({ kind: 'announcement', key: key(3), version: 9 });
  assert.is(store.merge(renewed), 'new', 'what it has it may change');
});

test('store: suspicions are never held', () => {
  assert.is(new Store().merge(sampleRecord({ kind: 'suspicion' })), 'over_quota');
});

test('store: what is removed is as if it never came: it may come again, and makes room', () => {
  const store = new Store();
  const empty = [store.digestText(), toHex(store.bucketHashes())];
  const records = Array.from({ length: QUOTAS.lease }, (_, i) =>
    sampleRecord({ key: key(i), version: 5 }),
  );
  for (const record of records) assert.is(store.merge(record), 'new');
  assert.is(store.merge(sampleRecord({ key: key(99) })), 'over_quota');
  const [first, ...others] = records;
  if (!first) return assert.unreachable();
  store.remove(first.place);
  store.remove(first.place);
  assert.is(store.size, QUOTAS.lease - 1, 'once');
  assert.not(store.placesIn(bucketOf(first.place)).includes(first.place));
  assert.is(store.merge(sampleRecord({ key: key(99) })), 'new', 'there is room for one');
  assert.is(store.merge(first), 'over_quota', 'and for one only');
  store.remove(sampleRecord({ key: key(99) }).place);
  assert.is(store.merge(sampleRecord({ key: key(0), version: 4 })), 'new', 'older ones too');
  for (const { place } of [first, ...others]) store.remove(place);
  assert.equal([store.digestText(), toHex(store.bucketHashes())], empty);
  assert.is(store.size, 0);
});

test('store: a record that differs in its signature alone is another; order decides', () => {
  const record = sampleRecord();
  const [low, high] = [1, 2].map((byte) => resigned(record, new Uint8Array(64).fill(byte)));
  if (!low || !high) return assert.unreachable();
  const store = new Store();
  assert.is(store.merge(low), 'new');
  const before = store.digestText();
  assert.is(store.merge(high), 'new');
  assert.is.not(store.digestText(), before);
  assert.is(store.merge(low), 'older');
  assert.is(store.get(record.place), high);
});

test('store: digests and bucket hashes of many stores are all different', () => {
  withSeed('store hashes', (random) => {
    const digests = new Set<string>();
    const buckets = new Set<string>();
    const store = new Store();
    for (let i = 0; i < 2_000; i++) {
      store.merge(resigned(sampleRecord({ author: randomId(random) }), random.bytes(64)));
      digests.add(store.digestText());
      buckets.add(toHex(store.bucketHashes()));
    }
    assert.is(digests.size, 2_000);
    assert.is(buckets.size, 2_000);
    const halves = [...digests].map((digest) => [digest.slice(0, 8), digest.slice(8)]);
    for (const half of [0, 1]) {
      assert.ok(new Set(halves.map((pair) => pair[half])).size > 1_990, 'each half counts');
    }
  });
});

test('store: places lie in all the buckets, and about as many in each', () => {
  const counts = new Uint32Array(SYNC_BUCKETS);
  for (let i = 0; i < 64 * SYNC_BUCKETS; i++) {
    const bucket = bucketOf(placeOf('lease', AUTHOR, key(i)));
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  for (const [bucket, count] of counts.entries()) {
    assert.ok(count > 24 && count < 120, `${count} in bucket ${bucket}`);
  }
});

test('store: records are found by kind, by author and by bucket', () => {
  const store = new Store();
  const other = nodeId('00000000000000bb');
  const mine = sampleRecord();
  const theirs = sampleRecord({ kind: 'node', author: other, key: key(0) });
  for (const record of [mine, theirs]) store.merge(record);
  assert.equal([...store.ofKind('node')], [theirs]);
  assert.equal([...store.by(AUTHOR)], [mine]);
  assert.equal([...store.records()].length, 2);
  const places = Array.from({ length: SYNC_BUCKETS }, (_, bucket) => store.placesIn(bucket)).flat();
  assert.equal(places.sort(), [mine.place, theirs.place].sort());
  assert.is(placeOf('node', other, key(0)), theirs.place);
});

test.run();
