/** Gossip messages: where each field stands, what is none, and how much fits. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat } from '../../src/base/bytes.js';
import { nodeId } from '../../src/base/identifiers.js';
import { CONTROL_BODY_LIMIT } from '../../src/wire/control.js';
import {
  checkGossip,
  emitGossip,
  formatGossip,
  type GossipMessage,
  gossipRoom,
  parseGossip,
} from '../../src/wire/gossip.js';
import { changed, equalBytes, flipBit } from '../support/bytes.js';
import { randomGossip, sampleRecord } from '../support/control_samples.js';
import { withSeed } from '../support/seed.js';
import { hex } from '../support/vectors.js';

const test = suite('wire/gossip');

const target = nodeId('2122232425262728');
const digest = hex('3132333435363738');
const records = [sampleRecord().bytes, sampleRecord({ body: new Uint8Array(0) }).bytes];
const sequence = 0x04030201;
const SEQUENCE = '01020304';
const [TARGET, DIGEST] = [target, '3132333435363738'];
const PING: GossipMessage = { kind: 'ping', sequence, target, digest, records };

const GOLDEN: readonly (readonly [GossipMessage, string, string])[] = [
  [PING, `01${SEQUENCE}${TARGET}${DIGEST}`, 'ping 67305985 of 2122232425262728 with 2 records'],
  [
    { kind: 'ack', sequence, digest, records },
    `02${SEQUENCE}${DIGEST}`,
    'ack 67305985 with 2 records',
  ],
  [
    { kind: 'pingRequest', sequence, target, records },
    `03${SEQUENCE}${TARGET}`,
    'pingRequest 67305985 of 2122232425262728 with 2 records',
  ],
  [{ kind: 'nack', sequence }, `04${SEQUENCE}`, 'nack 67305985'],
  [{ kind: 'spread', records }, '0500000000', 'spread with 2 records'],
];

test('gossip: every field stands where the format puts it', () => {
  for (const [message, header, text] of GOLDEN) {
    const behind = 'records' in message ? message.records : [];
    const expected = concat(hex(header), ...behind);
    equalBytes(emitGossip(message), expected, text);
    assert.equal(parseGossip(expected), message);
    assert.is(formatGossip(message), `gossip ${text}`);
  }
});

test('gossip: a message may end where a record does, and nowhere else', () => {
  for (const [message, header, text] of GOLDEN) {
    const whole = emitGossip(message);
    const ends = new Set([header.length / 2]);
    let end = header.length / 2;
    for (const { length } of 'records' in message ? message.records : []) {
      end += length;
      ends.add(end);
    }
    for (let length = 0; length < whole.length; length++) {
      assert.is(checkGossip(whole.slice(0, length)), ends.has(length), `${text} ${length} bytes`);
    }
    assert.not(checkGossip(concat(whole, Uint8Array.of(7))), `${text} and a byte`);
  }
});

test('gossip: an unknown type, a nack with records and a spread with a sequence are none', () => {
  const whole = emitGossip(PING);
  for (const type of [0, 6, 255]) assert.not(checkGossip(changed(whole, 0, type)), `type ${type}`);
  assert.not(checkGossip(concat(hex(`04${SEQUENCE}`), ...records)));
  assert.not(checkGossip(hex('0501000000')));
  assert.not(checkGossip(hex('0500000001')));
});

test('gossip: one record that is none spoils the message', () => {
  const spread = emitGossip({ kind: 'spread', records });
  const second = 5 + (records[0]?.length ?? 0);
  for (const [at, value, why] of [
    [5, 0, 'kind'],
    [5, 99, 'kind'],
    [6, 2, 'format'],
    [8, 0x80, 'a length that claims more than there is'],
    [8, 0x03, 'a length that swallows the next one'],
    [16, 0x80, 'a version beyond 2^53'],
    [second, 99, 'kind of the second'],
    [second + 2, 1, 'length of the last'],
  ] as const) {
    assert.not(checkGossip(changed(spread, at, value)), why);
  }
});

test('gossip: records fill a message to its limit, and no further', () => {
  for (const kind of ['ping', 'ack', 'pingRequest', 'spread'] as const) {
    const room = gossipRoom(kind);
    const first = sampleRecord({ body: new Uint8Array(600) }).bytes;
    const rest = room - first.length;
    const fits = sampleRecord({ body: new Uint8Array(rest - 92) }).bytes;
    const message = { ...PING, kind, records: [first, fits] };
    const fields = { kind, sequence, target, digest, records: message.records };
    const whole =
      kind === 'spread'
        ? emitGossip({ kind, records: fields.records })
        : kind === 'ack'
          ? emitGossip({ kind, sequence, digest, records: fields.records })
          : kind === 'ping'
            ? emitGossip({ ...fields, kind })
            : emitGossip({ kind, sequence, target, records: fields.records });
    assert.is(whole.length, CONTROL_BODY_LIMIT, kind);
    assert.ok(checkGossip(whole), kind);
  }
  assert.is(gossipRoom('nack'), 0);
  const long = sampleRecord({ body: new Uint8Array(800) }).bytes;
  assert.throws(() => emitGossip({ kind: 'spread', records: [long, long] }), /fits/);
  assert.not(checkGossip(concat(hex('0500000000'), long, long)), 'longer than a control message');
});

test('gossip: a digest of another length is a defect', () => {
  const bad = { ...PING, digest: new Uint8Array(7) } as const;
  assert.throws(() => emitGossip(bad), /8 bytes/);
});

test('gossip: any bit that is flipped changes it, or makes it none', () => {
  const whole = emitGossip(PING);
  for (let bit = 0; bit < 8 * whole.length; bit++) {
    const flipped = flipBit(whole, bit);
    const message = parseGossip(flipped);
    if (message) equalBytes(emitGossip(message), flipped);
  }
});

test('gossip: every value survives emitting and parsing', () => {
  withSeed('gossip', (random) => {
    for (let round = 0; round < 500; round++) {
      const message = randomGossip(random);
      assert.equal(parseGossip(emitGossip(message)), message);
    }
  });
});

test.run();
