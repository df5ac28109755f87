/** What a node holds to be true: how records come in, and which do not. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Instant, instant, wallTime } from '../../src/base/time.js';
import { MeshDropCounters } from '../../src/mesh/drop.js';
import { Ledger } from '../../src/mesh/ledger.js';
import { Store } from '../../src/state/store.js';
import { parseRecord, type SignedRecord } from '../../src/wire/record.js';
import type { Authority, Verdict } from '../../src/identity/authority.js';
import {
  certificate,
  delegation,
  ADMIN,
  FOUNDER,
  freshAuthority,
  keyPair,
  MEMBER,
  network,
  NOW,
  resigned,
  ROOT,
  said,
  SECOND,
  sign,
  STRANGER,
} from '../support/identity_scene.js';

const test = suite('mesh/ledger');

const START = instant(0);

class Rig {
  readonly authority: Authority;
  readonly store = new Store();
  readonly drops = new MeshDropCounters();
  readonly ledger: Ledger;
  /** How often a record was judged. */
  judged = 0;

  constructor(records: readonly SignedRecord[] = [], isSensible = true) {
    const authority = freshAuthority();
    this.authority = authority;
    const judge = authority.judge.bind(authority);
    authority.judge = (record, wall): Verdict => {
      this.judged++;
      return judge(record, wall);
    };
    this.ledger = new Ledger({
      authority,
      store: this.store,
      drops: this.drops,
      parse: parseRecord,
      faultOf: () => (isSensible ? undefined : 'malformed_body'),
    });
    for (const record of records) this.receive(record);
    this.judged = 0;
  }

  /** From a member; what came into force. */
  receive(record: { readonly bytes: Uint8Array }, now: Instant = START): SignedRecord[] {
    this.ledger.receive(record.bytes, SECOND.id, NOW, now);
    return this.take();
  }

  take(): SignedRecord[] {
    const taken = this.ledger.takeAccepted().map(({ record }) => record);
    for (const record of taken) this.authority.adopt(record);
    return taken;
  }

  /** Of what was dropped, the reasons that happened. */
  dropped(): Record<string, number> {
    return Object.fromEntries(Object.entries(this.drops.read()).filter(([, count]) => count > 0));
  }
}

const CHAIN = [
  network(ROOT),
  delegation(ADMIN, FOUNDER),
  certificate(FOUNDER, { name: 'founder' }),
  certificate(MEMBER, { name: 'member' }),
];

test('ledger: a record that is new and genuine comes into force, once', () => {
  const rig = new Rig(CHAIN);
  const record = said(MEMBER);
  assert.equal(rig.receive(record), [record]);
  assert.is(rig.store.get(record.place)?.version, record.version);
  assert.equal(rig.receive(record), []);
  assert.equal(rig.dropped(), {});
});

test('ledger: row 21: what is known, or older, costs no verification', () => {
  const rig = new Rig(CHAIN);
  rig.receive(said(MEMBER, 'lease', 7));
  rig.judged = 0;
  for (const version of [7, 6, 0]) assert.equal(rig.receive(said(MEMBER, 'lease', version)), []);
  assert.is(rig.judged, 0);
  assert.is(rig.receive(said(MEMBER, 'lease', 8)).length, 1);
});

test('ledger: row 21: what is forged, of another network or malformed changes nothing', () => {
  const rig = new Rig(CHAIN);
  const digest = rig.store.digestText();
  const record = said(MEMBER);
  rig.receive(resigned(record, new Uint8Array(64)));
  rig.receive(
    sign(MEMBER, { kind: 'lease', key: record.key, body: record.body, network: SECOND.id }),
  );
  rig.receive({ bytes: record.bytes.subarray(0, -1) });
  rig.receive({ bytes: new Uint8Array(0) });
  assert.equal(rig.dropped(), { forged: 2, malformed_record: 2 });
  assert.is(rig.store.digestText(), digest);
  assert.equal(rig.take(), []);
});

test('ledger: a body that means nothing to its owner is not held', () => {
  const rig = new Rig(CHAIN, false);
  assert.equal(rig.receive(said(MEMBER)), []);
  assert.equal(rig.dropped(), { malformed_body: 1 });
  assert.is(rig.store.size, CHAIN.length, 'and records of identity are not asked about it');
});

test('ledger: what comes before its author’s certificate waits, and counts after it', () => {
  const rig = new Rig(CHAIN.slice(0, 3));
  const record = said(MEMBER);
  assert.equal(rig.receive(record), []);
  assert.is(rig.store.get(record.place), undefined);
  assert.is(rig.receive(certificate(MEMBER)).length, 1);
  rig.ledger.retryParked(NOW);
  assert.equal(rig.take(), [record]);
  rig.ledger.retryParked(NOW);
  assert.equal(rig.take(), []);
});

test('ledger: the chain in any order comes into force whole', () => {
  const rig = new Rig();
  for (const record of [...CHAIN].reverse()) rig.receive(record);
  for (let i = 0; i < CHAIN.length; i++) {
    rig.ledger.retryParked(NOW);
    rig.take();
  }
  assert.is(rig.store.size, CHAIN.length);
});

test('ledger: row 27: of strangers 1,024 records wait, and the oldest go', () => {
  const rig = new Rig(CHAIN);
  const base = said(STRANGER);
  for (let i = 0; i < 1_100; i++) {
    const bytes = base.bytes.slice();
    bytes.set([i & 0xff, i >> 8], 20);
    rig.receive({ bytes }, instant(i * 1_000_000));
  }
  assert.equal(rig.dropped(), { parked_too_many: 76 });
  assert.is(rig.store.size, CHAIN.length);
  rig.receive(certificate(STRANGER));
  rig.judged = 0;
  rig.ledger.retryParked(NOW);
  assert.is(rig.judged, 1_024);
});

test('ledger: row 24: 4,000 verifications a second, and no more', () => {
  const rig = new Rig(CHAIN);
  const base = said(STRANGER);
  const flood = (now: Instant): number => {
    rig.judged = 0;
    for (let i = 0; i < 6_000; i++) {
      const bytes = base.bytes.slice();
      bytes.set([i & 0xff, i >> 8, now & 0xff], 20);
      rig.receive({ bytes }, now);
    }
    return rig.judged;
  };
  const first = flood(START);
  assert.ok(first >= 3_990 && first <= 4_000, `${first} at once`);
  assert.is(flood(instant(250_001)), 1_000, 'a quarter of them in a quarter of a second');
  const { busy = 0 } = rig.dropped();
  assert.is(busy, 12_000 - first - 1_000);
});

test('ledger: what our own disk holds is bounded by no budget', () => {
  const rig = new Rig(CHAIN);
  const base = said(STRANGER);
  for (let i = 0; i < 5_000; i++) {
    const bytes = base.bytes.slice();
    bytes.set([i & 0xff, i >> 8], 20);
    rig.ledger.receive(bytes, undefined, NOW, START);
  }
  assert.is(rig.judged, 5_000);
});

test('ledger: a suspicion is passed on once for each version, and never held', () => {
  const rig = new Rig(CHAIN);
  const suspect = (version: number): SignedRecord =>
    sign(MEMBER, { kind: 'suspicion', key: FOUNDER.id, body: new Uint8Array(0), version });
  assert.is(rig.receive(suspect(5)).length, 1);
  assert.is(rig.receive(suspect(5)).length, 0);
  assert.is(rig.receive(suspect(4)).length, 0);
  assert.is(rig.receive(suspect(6)).length, 1);
  assert.is(rig.store.size, CHAIN.length);
});

test('ledger: row 27: what goes beyond a quota is counted', () => {
  const rig = new Rig(CHAIN);
  for (let i = 0; i < 6; i++) {
    const key = `000000000000000${i}`;
    rig.receive(sign(MEMBER, { kind: 'lease', key, body: Uint8Array.of(1) }));
  }
  assert.equal(rig.dropped(), { over_quota: 2 });
});

test('ledger: what we say ourselves is in force without being judged', () => {
  const rig = new Rig(CHAIN);
  const record = said(keyPair('ourselves'));
  rig.ledger.adopt(record);
  assert.is(rig.judged, 0);
  const [own] = rig.ledger.takeAccepted();
  assert.equal(own, { record, from: undefined });
  assert.is(rig.ledger.takeAccepted().length, 0);
});

test('ledger: what is said of the time of tomorrow is judged by the time that is given', () => {
  const rig = new Rig(CHAIN);
  const early = certificate(SECOND, {
    notBefore: wallTime(NOW + 1e12),
    notAfter: wallTime(NOW + 2e12),
  });
  assert.equal(rig.receive(early), []);
  assert.equal(rig.dropped(), { premature: 1 });
  rig.ledger.receive(early.bytes, SECOND.id, wallTime(NOW + 1e12), START);
  assert.is(rig.take().length, 1, 'its time has come');
});

test.run();
