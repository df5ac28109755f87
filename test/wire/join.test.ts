/** Join messages: where each field stands, and what is none. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat } from '../../src/base/bytes.js';
import { nodeId } from '../../src/base/identifiers.js';
import { CONTROL_BODY_LIMIT } from '../../src/wire/control.js';
import {
  checkJoin,
  emitJoin,
  formatJoin,
  isHostName,
  JOIN_RECORD_LIMIT,
  JOIN_REFUSALS,
  type JoinMessage,
  parseJoin,
} from '../../src/wire/join.js';
import { RECORD_BODY_LIMIT } from '../../src/wire/record.js';
import { changed, equalBytes, flipBit } from '../support/bytes.js';
import { randomJoin, sampleRecord } from '../support/control_samples.js';
import { withSeed } from '../support/seed.js';
import { hex } from '../support/vectors.js';

const test = suite('wire/join');

const identityKey = new Uint8Array(32).fill(0xc7);
const record = sampleRecord({ kind: 'node' }).bytes;
const request = { identityKey, name: 'web-1', record };
const REQUEST = concat(identityKey, hex('05' + '7765622d31'), record);
const invitation = '4142434445464748';
const number = 0x04030201;
const NUMBER = '01020304';
const FORWARD = { kind: 'forward', number, invitation, use: 15, request } as const;

const GOLDEN: readonly (readonly [JoinMessage, Uint8Array, string])[] = [
  [{ kind: 'request', request }, concat(hex('01'), REQUEST), 'request of web-1'],
  [
    FORWARD,
    concat(hex(`02${NUMBER}${invitation}0f`), REQUEST),
    `forward 67305985 of web-1 by ${invitation} use 15`,
  ],
  [{ kind: 'refused', number, why: 'used' }, hex(`03${NUMBER}03`), 'refused 67305985 used'],
  [
    { kind: 'waiting', admin: nodeId('5152535455565758') },
    hex('045152535455565758'),
    'waiting for 5152535455565758',
  ],
  [{ kind: 'granted', number, record }, concat(hex(`05${NUMBER}`), record), 'granted 67305985'],
];

test('join: every field stands where the format puts it', () => {
  for (const [message, bytes, text] of GOLDEN) {
    equalBytes(emitJoin(message), bytes, text);
    assert.equal(parseJoin(bytes), message);
    assert.is(formatJoin(message), `join ${text}`);
  }
});

test('join: cut at any length, or with a byte behind it, a message is none', () => {
  for (const [, bytes, text] of GOLDEN) {
    for (let length = 0; length < bytes.length; length++) {
      assert.not(checkJoin(bytes.slice(0, length)), `${text} ${length} bytes`);
    }
    assert.not(checkJoin(concat(bytes, Uint8Array.of(0))), `${text} and a byte`);
  }
});

test('join: fields out of range are refused', () => {
  const [request, forward, refused] = GOLDEN.map(([, bytes]) => bytes);
  if (!request || !forward || !refused) throw new Error('three are there');
  for (const type of [0, 6, 255]) assert.not(checkJoin(changed(request, 0, type)), `type ${type}`);
  for (const use of [16, 255]) assert.not(checkJoin(changed(forward, 13, use)), `use ${use}`);
  for (const why of [0, JOIN_REFUSALS.length + 1, 255]) {
    assert.not(checkJoin(changed(refused, 5, why)), `reason ${why}`);
  }
  for (const [index, why] of JOIN_REFUSALS.entries()) {
    const bytes = emitJoin({ kind: 'refused', number, why });
    assert.is(bytes[5], index + 1, why);
    assert.equal(parseJoin(bytes), { kind: 'refused', number, why });
  }
  for (const length of [0, 4, 6, 255]) {
    assert.not(checkJoin(changed(request, 33, length)), `a name of ${length} bytes`);
  }
  for (const byte of [0x1b, 0x00, 0x41, 0x2e, 0xff]) {
    assert.not(checkJoin(changed(request, 34, byte)), `a name with the byte ${byte}`);
  }
});

test('join: a name is a label of a host name, and nothing that a terminal would obey', () => {
  for (const name of ['a', '0', 'a-b', 'web1', 'x'.repeat(63), 'a--b']) {
    assert.ok(isHostName(name), name);
  }
  for (const name of ['', '-a', 'a-', 'A', 'a.b', 'a b', 'a\n', 'é', '\x1b[2j', 'x'.repeat(64)]) {
    assert.not(isHostName(name), JSON.stringify(name));
  }
});

test('join: exactly one record is taken', () => {
  const two = concat(record, record);
  assert.not(checkJoin(concat(hex(`05${NUMBER}`), two)));
  assert.not(checkJoin(hex(`05${NUMBER}`)), 'none');
  assert.not(checkJoin(concat(hex('01'), REQUEST, record)));
});

test('join: the longest granted record fits', () => {
  const longest = sampleRecord({ body: new Uint8Array(RECORD_BODY_LIMIT) }).bytes;
  assert.ok(checkJoin(emitJoin({ kind: 'granted', number, record: longest })));
  assert.not(checkJoin(new Uint8Array(CONTROL_BODY_LIMIT + 1).fill(4)));
});

test('join: every request that is taken can be forwarded, and none is taken that cannot', () => {
  const name = 'x'.repeat(63);
  const body = new Uint8Array(JOIN_RECORD_LIMIT - 92);
  const asked = { identityKey, name, record: sampleRecord({ kind: 'node', body }).bytes };
  const taken = parseJoin(emitJoin({ kind: 'request', request: asked }));
  if (taken?.kind !== 'request') throw new Error('the longest is taken');
  assert.equal(parseJoin(emitJoin({ ...FORWARD, request: taken.request }))?.kind, 'forward');
  const longer = sampleRecord({ body: new Uint8Array(body.length + 1) }).bytes;
  const bytes = concat(hex('01'), identityKey, hex('0161'), longer);
  assert.ok(bytes.length < CONTROL_BODY_LIMIT);
  assert.not(checkJoin(bytes));
  const request = { ...asked, record: longer };
  assert.throws(() => emitJoin({ kind: 'request', request }), /bounded/);
});

test('join: a use beyond the last, and a key of another length, are defects', () => {
  assert.throws(() => emitJoin({ ...FORWARD, use: 16 }), /16 uses/);
  const short = { ...request, identityKey: identityKey.slice(1) };
  assert.throws(() => emitJoin({ kind: 'request', request: short }), /32 bytes/);
});

test('join: any bit that is flipped changes it, or makes it none', () => {
  for (const [, bytes] of GOLDEN) {
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const flipped = flipBit(bytes, bit);
      const message = parseJoin(flipped);
      if (message) equalBytes(emitJoin(message), flipped);
    }
  }
});

test('join: every value survives emitting and parsing', () => {
  withSeed('join', (random) => {
    for (let round = 0; round < 500; round++) {
      const message = randomJoin(random);
      assert.equal(parseJoin(emitJoin(message)), message);
    }
  });
});

test.run();
