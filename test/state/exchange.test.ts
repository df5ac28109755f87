/** Anti-entropy: stores that differ become equal, under loss and within a budget. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type NodeId, nodeId } from '../../src/base/identifiers.js';
import type { SeededRandom } from '../../src/base/random.js';
import { after, type Instant, instant, seconds } from '../../src/base/time.js';
import { Exchange, type ExchangeAction } from '../../src/state/exchange.js';
import { bucketOf, Store } from '../../src/state/store.js';
import { CONTROL_BODY_LIMIT } from '../../src/wire/control.js';
import { emitRecord, parseRecord, placeOf, type SignedRecord } from '../../src/wire/record.js';
import {
  BUCKET_HASH_BYTES,
  emitSync,
  parseSync,
  SYNC_BUCKETS,
  type SyncMessage,
} from '../../src/wire/sync.js';
import { AUTHOR, NETWORK, randomId, randomSync, sampleRecord } from '../support/control_samples.js';
import { withSeed } from '../support/seed.js';

const test = suite('state/exchange');

type List = Extract<SyncMessage, { kind: 'list' }>;

const BURST = 512 * 1024;
const BYTES = 256 * 1024;

class Side {
  readonly store = new Store();
  readonly exchange = new Exchange(this.store);
  readonly id: NodeId;

  constructor(id: string) {
    this.id = nodeId(id);
  }

  take(): ExchangeAction[] {
    const out: ExchangeAction[] = [];
    this.exchange.drain(out);
    return out;
  }

  fill(records: readonly SignedRecord[]): void {
    for (const record of records) this.store.merge(record);
  }
}

class Two {
  readonly a = new Side('00000000000000aa');
  readonly b = new Side('00000000000000bb');
  now: Instant = instant(1_000_000);
  loses: () => boolean = () => false;
  /** What neither side takes, as its author may not say it. */
  refuses: (record: SignedRecord) => boolean = () => false;
  readonly said: string[] = [];
  bytes = 0;

  /** All that follows from a beginning, and from what that sends. */
  meet(from: Side, to: Side): void {
    this.now = after(this.now, seconds(2));
    from.exchange.begin(to.id, this.now);
    for (let busy = true; busy; ) {
      busy = false;
      for (const side of [from, to]) {
        for (const action of side.take()) {
          busy = true;
          this.#carry(action.message, side, side === from ? to : from);
        }
      }
    }
  }

  #carry(message: SyncMessage, from: Side, to: Side): void {
    const body = emitSync(message);
    this.said.push(message.kind);
    this.bytes += body.length;
    assert.ok(body.length <= CONTROL_BODY_LIMIT);
    if (this.loses()) return;
    const parsed = parseSync(body);
    if (!parsed) throw new Error(`What is sent can be parsed: ${message.kind}`);
    if (parsed.kind === 'records') {
      for (const bytes of parsed.records) {
        const record = parseRecord(bytes);
        if (record && !this.refuses(record)) to.store.merge(record);
      }
    }
    to.exchange.receive(from.id, parsed, this.now);
  }
}

/** Signed by chance, as real signatures differ. */
function record(random: SeededRandom, fields: Partial<SignedRecord> = {}): SignedRecord {
  const [author, key] = [randomId(random), randomId(random)];
  const whole = {
    kind: 'lease',
    version: 7,
    author,
    key,
    body: random.bytes(9),
    ...fields,
  } as const;
  return emitRecord(whole, NETWORK, () => random.bytes(64));
}

/** Some only here, some only there, some older here, some older there, most the same. */
function fillBoth(two: Two, random: SeededRandom, count: number): void {
  for (let i = 0; i < count; i++) {
    const old = record(random);
    const { author, key } = old;
    const young = record(random, { author, key, version: 8 });
    const choice = random.below(8);
    if (choice !== 0) two.a.fill([choice === 1 ? old : young]);
    if (choice !== 2) two.b.fill([choice === 3 ? old : young]);
  }
}

function equalStores({ a, b }: Two, message: string): void {
  assert.is(a.store.digestText(), b.store.digestText(), message);
  assert.is(a.store.size, b.store.size);
  for (const { place, bytes } of a.store.records()) {
    assert.equal(b.store.get(place)?.bytes, bytes);
  }
}

test('exchange: stores of any content are equal after one meeting, whoever begins', () => {
  withSeed('exchange', (random) => {
    for (const count of [0, 1, 2, 10, 100, 1_000, 3_000]) {
      for (const isOther of [false, true]) {
        const two = new Two();
        fillBoth(two, random, count);
        if (isOther) two.meet(two.b, two.a);
        else two.meet(two.a, two.b);
        equalStores(two, `${count} places`);
      }
    }
  });
});

test('exchange: an empty store is filled by one meeting, in either direction', () => {
  withSeed('exchange empty', (random) => {
    for (const isOther of [false, true]) {
      const two = new Two();
      two.a.fill(Array.from({ length: 800 }, () => record(random)));
      if (isOther) two.meet(two.b, two.a);
      else two.meet(two.a, two.b);
      equalStores(two, 'all of it');
    }
  });
});

test('exchange: a bucket too long for one list goes in parts', () => {
  withSeed('exchange parts', (random) => {
    const two = new Two();
    const crowd: SignedRecord[] = [];
    while (crowd.length < 130) {
      const each = record(random);
      if (bucketOf(each.place) === 5) crowd.push(each);
    }
    two.a.fill(crowd.filter((_, index) => index % 3 !== 0));
    two.b.fill(crowd.filter((_, index) => index % 3 !== 1));
    two.meet(two.a, two.b);
    equalStores(two, 'one bucket of 130');
    assert.is(two.a.store.size, 130);
  });
});

test('exchange: with half of the messages lost, meetings end in equal stores', () => {
  withSeed('exchange loss', (random) => {
    for (let round = 0; round < 10; round++) {
      const two = new Two();
      fillBoth(two, random, 600);
      two.loses = () => random.below(2) === 0;
      // Three messages in a row mend a bucket, one meeting in eight: of 256 none is left by then.
      let meetings = 0;
      for (; meetings < 120; meetings++) {
        if (two.a.store.digestText() === two.b.store.digestText()) break;
        if (meetings % 2 === 0) two.meet(two.a, two.b);
        else two.meet(two.b, two.a);
      }
      equalStores(two, `after ${meetings} meetings`);
    }
  });
});

test('exchange: of equal stores nothing but hashes is sent', () => {
  withSeed('exchange equal', (random) => {
    const two = new Two();
    const records = Array.from({ length: 300 }, () => record(random));
    two.a.fill(records);
    two.b.fill([...records].reverse());
    two.meet(two.a, two.b);
    assert.equal(two.said, ['buckets']);
  });
});

test('exchange: one record that differs costs hashes, a list and itself', () => {
  withSeed('exchange delta', (random) => {
    const two = new Two();
    const records = Array.from({ length: 2_000 }, () => record(random));
    two.a.fill(records);
    two.b.fill(records.slice(1));
    two.meet(two.b, two.a);
    equalStores(two, 'the one');
    assert.ok(two.bytes < 1_300, `${two.bytes} bytes`);
  });
});

test('exchange: row 23: two records of one version end as one, on both sides', () => {
  withSeed('exchange twice', (random) => {
    const two = new Two();
    fillBoth(two, random, 300);
    const one = record(random);
    const { author, key } = one;
    two.a.fill([one]);
    two.b.fill([record(random, { author, key })]);
    for (let i = 0; i < 3; i++) two.meet(two.a, two.b);
    equalStores(two, 'the one whose bytes sort later');
  });
});

test('exchange: row 21: what a side refuses it is offered again, and nothing else happens', () => {
  const two = new Two();
  const [refused, shared] = [sampleRecord(), sampleRecord({ author: nodeId('00000000000000cc') })];
  two.a.fill([shared]);
  two.b.fill([shared, refused]);
  two.refuses = ({ place }) => place === refused.place;
  for (let i = 0; i < 3; i++) {
    two.said.length = 0;
    two.meet(two.a, two.b);
    assert.equal(two.said, ['buckets', 'list', 'want', 'records']);
    assert.is(two.a.store.size, 1);
  }
});

test('exchange: with one partner it begins once a second', () => {
  const side = new Side('00000000000000aa');
  const [one, other] = [nodeId('0000000000000001'), nodeId('0000000000000002')];
  const begun = (at: number, id: NodeId): number => {
    side.exchange.begin(id, instant(at));
    return side.take().length;
  };
  assert.is(begun(0, one), 1);
  assert.is(begun(999_999, one), 0);
  assert.is(begun(999_999, other), 1);
  assert.is(begun(1_000_000, one), 1);
});

function hashes(fill: number): SyncMessage {
  return { kind: 'buckets', hashes: new Uint8Array(SYNC_BUCKETS * BUCKET_HASH_BYTES).fill(fill) };
}

function sentBytes(side: Side): number {
  let bytes = 0;
  for (const { message } of side.take()) bytes += emitSync(message).length;
  return bytes;
}

/** A store whose records fill three bursts. */
function large(random: SeededRandom): Side {
  const side = new Side('00000000000000aa');
  const body = random.bytes(800);
  side.fill(Array.from({ length: 1_700 }, () => record(random, { body })));
  return side;
}

test('exchange: row 24: whatever is asked, a burst is sent and then 256 KiB a second', () => {
  withSeed('exchange budget', (random) => {
    const side = large(random);
    const places = Array.from(side.store.records(), ({ place }) => place);
    const wants: SyncMessage[] = [];
    for (let at = 0; at < places.length; at += 59) {
      wants.push({ kind: 'want', places: places.slice(at, at + 59) });
    }
    const ask = (now: Instant): number => {
      for (const want of wants) side.exchange.receive(AUTHOR, want, now);
      for (let i = 0; i < 20; i++) side.exchange.receive(AUTHOR, hashes(i), now);
      return sentBytes(side);
    };
    const first = ask(instant(0));
    assert.ok(first > BURST - 2_048 && first <= BURST, `${first} bytes at once`);
    assert.is(ask(instant(0)), 0);
    const second = ask(instant(1_000_000));
    assert.ok(second > BYTES - 2_048 && second <= BYTES + 1_024, `${second} bytes in a second`);
  });
});

test('exchange: row 24: an empty list is answered with one bucket, and a want once', () => {
  withSeed('exchange empty list', (random) => {
    const side = large(random);
    const empty = { kind: 'list', bucket: 9, from: undefined, to: undefined, entries: [] } as const;
    side.exchange.receive(AUTHOR, empty, instant(0));
    const sent = side
      .take()
      .flatMap(({ message }) => (message.kind === 'records' ? [...message.records] : []));
    assert.is(sent.length, side.store.placesIn(9).length);
    const unknown = placeOf('lease', AUTHOR, 'ffffffffffffffff');
    side.exchange.receive(AUTHOR, { kind: 'want', places: [unknown] }, instant(0));
    assert.equal(side.take(), []);
  });
});

test('exchange: row 23: a list of odd places, or of any version, is harmless', () => {
  const side = new Side('00000000000000aa');
  const held = sampleRecord();
  side.fill([held]);
  const bucket = bucketOf(held.place);
  const list = (version: number, at: number): SyncMessage[] => {
    const entries = [{ place: held.place, version }];
    const message = { kind: 'list', bucket: at, from: undefined, to: undefined, entries } as const;
    side.exchange.receive(AUTHOR, message, instant(0));
    return side.take().map(({ message }) => message);
  };
  assert.equal(list(Number.MAX_SAFE_INTEGER, bucket ^ 1), [], 'it lies in another bucket');
  assert.equal(list(Number.MAX_SAFE_INTEGER, bucket), [{ kind: 'want', places: [held.place] }]);
  assert.is(list(0, bucket)[0]?.kind, 'records');
  assert.is(side.store.get(held.place), held, 'and nothing changed');
});

/** What is said to this list: kinds, and places of the records. */
function answer(side: Side, list: Partial<List>, from = AUTHOR): string[] {
  const whole = { kind: 'list', bucket: 5, from: undefined, to: undefined, entries: [] } as const;
  side.exchange.receive(from, { ...whole, ...list }, instant(0));
  return side.take().flatMap(({ message }) => {
    if (message.kind === 'want') return message.places.map((place) => `want ${place}`);
    const records = message.kind === 'records' ? message.records : [];
    return records.map((bytes) => parseRecord(bytes)?.place ?? 'no record');
  });
}

/** Of bucket 5, by their places. */
function inBucket(random: SeededRandom, count: number): SignedRecord[] {
  const found: SignedRecord[] = [];
  while (found.length < count) {
    const each = record(random);
    if (bucketOf(each.place) === 5) found.push(each);
  }
  return found.sort((a, b) => (a.place < b.place ? -1 : 1));
}

test('exchange: a list speaks of the places from its first bound to before its second', () => {
  withSeed('exchange bounds', (random) => {
    const side = new Side('00000000000000aa');
    const records = inBucket(random, 5);
    side.fill(records);
    const places = records.map(({ place }) => place);
    const [, second, , fourth] = places;
    assert.equal(answer(side, { from: second, to: fourth }), places.slice(1, 3));
    assert.equal(answer(side, { from: fourth }), places.slice(3));
    assert.equal(answer(side, { to: second }), places.slice(0, 1));
    assert.equal(answer(side, {}), places);
  });
});

test('exchange: the parts of a long list leave no place out, and none twice', () => {
  withSeed('exchange cover', (random) => {
    const side = new Side('00000000000000aa');
    side.fill(inBucket(random, 130));
    side.exchange.receive(AUTHOR, hashes(0xa5), instant(0));
    const lists = side.take().flatMap(({ message }) => (message.kind === 'list' ? [message] : []));
    const parts = lists.filter(({ bucket }) => bucket === 5);
    assert.ok(parts.length > 2);
    const bounds = parts.flatMap(({ from, to }) => [from, to]);
    assert.is(bounds[0], undefined);
    assert.is(bounds.at(-1), undefined);
    for (const [i, { to }] of parts.entries()) {
      if (i + 1 < parts.length) assert.ok(to !== undefined && to === parts[i + 1]?.from);
    }
    const listed = parts.flatMap(({ entries }) => entries.map(({ place }) => place));
    assert.equal(listed, side.store.placesIn(5));
  });
});

test('exchange: a list like ours, said twice, is answered whole, and then from the start', () => {
  withSeed('exchange riddle', (random) => {
    const side = new Side('00000000000000aa');
    const [old, ...records] = inBucket(random, 4);
    side.fill(records);
    const listOf = (of: readonly SignedRecord[]) => ({
      entries: of.map(({ place, version }) => ({ place, version })),
    });
    const all = records.flatMap(({ place }) => [place]);
    const whole = [...all, ...all.map((place) => `want ${place}`)];
    assert.equal(answer(side, listOf(records)), []);
    assert.equal(answer(side, listOf(records)), whole);
    assert.equal(answer(side, listOf(records)), [], 'it begins again');
    assert.equal(answer(side, listOf(records), side.id), [], 'another said it once');
    side.fill(old ? [old] : []);
    const grown = old ? [old, ...records] : records;
    assert.equal(answer(side, listOf(grown)), [], 'ours has changed since');
    assert.is(answer(side, listOf(grown)).length, 8);
  });
});

test('exchange: with one newer here and one there, those two alone are spoken of', () => {
  withSeed('exchange crossed', (random) => {
    const side = new Side('00000000000000aa');
    const records = inBucket(random, 3);
    side.fill(records);
    const [first, second, third] = records.map(({ place }) => place);
    if (!first || !second || !third) return assert.unreachable();
    const entries = [
      { place: first, version: 6 },
      { place: second, version: 7 },
      { place: third, version: 8 },
    ];
    for (let i = 0; i < 3; i++) assert.equal(answer(side, { entries }), [first, `want ${third}`]);
  });
});

test('exchange: row 24: 1,024 lists like ours are remembered, and the oldest goes', () => {
  withSeed('exchange memory', (random) => {
    const [held] = inBucket(random, 1);
    if (!held) return assert.unreachable();
    const entries = [{ place: held.place, version: held.version }];
    for (const others of [1_023, 1_024]) {
      const side = new Side('00000000000000aa');
      side.fill([held]);
      answer(side, { entries });
      for (let i = 0; i < others; i++) answer(side, { entries }, randomId(random));
      const isKnown = answer(side, { entries }).length > 0;
      assert.is(isKnown, others === 1_023);
    }
  });
});

test('exchange: row 24: any messages leave the store alone and end within the budget', () => {
  withSeed('exchange hostile', (random) => {
    const side = large(random);
    const before = side.store.digestText();
    let bytes = 0;
    for (let i = 0; i < 2_000; i++) {
      side.exchange.receive(randomId(random), randomSync(random), instant(i * 100));
      bytes += sentBytes(side);
    }
    assert.is(side.store.digestText(), before);
    assert.ok(bytes <= BURST + BYTES, `${bytes} bytes`);
  });
});

test.run();
