/** The body of a node record: where each field stands, and what is none. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseEndpoint } from '../../src/base/address.js';
import { concat } from '../../src/base/bytes.js';
import { wallTime } from '../../src/base/time.js';
import {
  checkNodeRecord,
  emitNodeRecord,
  formatNodeRecord,
  NODE_ENDPOINTS,
  type NodeStatement,
  parseNodeRecord,
} from '../../src/wire/node_record.js';
import { RECORD_BODY_LIMIT } from '../../src/wire/record.js';
import { changed, equalBytes, flipBit } from '../support/bytes.js';
import { randomEndpoint, randomStatement } from '../support/control_samples.js';
import { withSeed } from '../support/seed.js';
import { hex } from '../support/vectors.js';

const test = suite('wire/node_record');

const INSTANCE = '6162636465666768';
const [STATIC, NEXT] = ['d1'.repeat(32), 'd2'.repeat(32)];
const endpoints = ['192.0.2.1:51820', '[fd00::1]:1'].flatMap((text) => parseEndpoint(text) ?? []);
const FULL: NodeStatement = {
  status: 'alive',
  instance: INSTANCE,
  startedAt: wallTime(0x0102),
  staticKey: hex(STATIC),
  nextStaticKey: hex(NEXT),
  endpoints,
};
const BARE: NodeStatement = { ...FULL, status: 'left', nextStaticKey: undefined, endpoints: [] };
const ENDPOINTS = '04c00002016cca' + '06fd0000000000000000000000000000010100';
const FULL_BYTES = hex(`01${INSTANCE}0201000000000000${STATIC}01${NEXT}${ENDPOINTS}`);
const BARE_BYTES = hex(`02${INSTANCE}0201000000000000${STATIC}00`);

/** Its fields as values: parsed, some are made when they are read. */
function parsed(bytes: Uint8Array): NodeStatement | undefined {
  const statement = parseNodeRecord(bytes);
  if (!statement) return undefined;
  const { status, instance, startedAt, staticKey, nextStaticKey, endpoints } = statement;
  return { status, instance, startedAt, staticKey, nextStaticKey, endpoints };
}

test('node record: every field stands where the format puts it', () => {
  equalBytes(emitNodeRecord(FULL), FULL_BYTES);
  equalBytes(emitNodeRecord(BARE), BARE_BYTES);
  assert.equal(parsed(FULL_BYTES), FULL);
  assert.equal(parsed(BARE_BYTES), BARE);
  assert.is(
    formatNodeRecord(FULL),
    `node alive instance ${INSTANCE} at 192.0.2.1:51820 [fd00::1]:1`,
  );
});

test('node record: it may end behind its keys or an endpoint, and nowhere else', () => {
  for (let length = 0; length <= FULL_BYTES.length; length++) {
    const isEnd = [82, 89, 108].includes(length);
    assert.is(checkNodeRecord(FULL_BYTES.slice(0, length)), isEnd, `${length} bytes`);
  }
  for (let length = 0; length < BARE_BYTES.length; length++) {
    assert.not(checkNodeRecord(BARE_BYTES.slice(0, length)), `${length} bytes`);
  }
  assert.not(checkNodeRecord(concat(BARE_BYTES, Uint8Array.of(0))));
});

test('node record: fields out of range are refused', () => {
  for (const [at, value, why] of [
    [0, 0, 'status'],
    [0, 3, 'status'],
    [0, 255, 'status'],
    [15, 0x20, 'a start at 2^53'],
    [16, 1, 'a start at 2^56'],
    [49, 2, 'an unknown flag'],
    [49, 0xff, 'unknown flags'],
    [82, 5, 'an address family'],
    [82, 0, 'an address family'],
  ] as const) {
    assert.not(checkNodeRecord(changed(FULL_BYTES, at, value)), why);
  }
});

test('node record: an endpoint has a port, and its one family', () => {
  const zero = concat(BARE_BYTES, hex('04c00002010000'));
  assert.not(checkNodeRecord(zero), 'port 0');
  const mapped = concat(BARE_BYTES, hex(`06${'00'.repeat(10)}ffffc00002010100`));
  assert.not(checkNodeRecord(mapped), 'IPv4 in an IPv6 address');
});

test('node record: six endpoints are taken, and no seventh', () => {
  withSeed('node record endpoints', (random) => {
    const six = Array.from({ length: NODE_ENDPOINTS }, () => randomEndpoint(random));
    const bytes = emitNodeRecord({ ...FULL, endpoints: six });
    assert.is(parseNodeRecord(bytes)?.endpoints.length, NODE_ENDPOINTS);
    assert.ok(bytes.length <= RECORD_BODY_LIMIT);
    assert.not(checkNodeRecord(concat(bytes, hex('04c00002016cca'))));
    const seven = [...six, randomEndpoint(random)];
    assert.throws(() => emitNodeRecord({ ...FULL, endpoints: seven }), /6 endpoints/);
  });
});

test('node record: what is parsed is a copy', () => {
  const bytes = FULL_BYTES.slice();
  const statement = parseNodeRecord(bytes);
  bytes.fill(0);
  equalBytes(statement?.staticKey, hex(STATIC));
  equalBytes(statement?.nextStaticKey, hex(NEXT));
});

test('node record: an instance and keys of another length are defects', () => {
  assert.throws(() => emitNodeRecord({ ...FULL, instance: '61' }), /instance/);
  assert.throws(() => emitNodeRecord({ ...FULL, staticKey: new Uint8Array(31) }), /32 bytes/);
  assert.throws(() => emitNodeRecord({ ...FULL, nextStaticKey: new Uint8Array(33) }), /32 bytes/);
});

test('node record: any bit that is flipped changes it, or makes it none', () => {
  for (let bit = 0; bit < 8 * FULL_BYTES.length; bit++) {
    const flipped = flipBit(FULL_BYTES, bit);
    const statement = parseNodeRecord(flipped);
    if (statement) equalBytes(emitNodeRecord(statement), flipped);
  }
});

test('node record: every value survives emitting and parsing', () => {
  withSeed('node record', (random) => {
    for (let round = 0; round < 500; round++) {
      const statement = randomStatement(random);
      assert.equal(parsed(emitNodeRecord(statement)), statement);
    }
  });
});

test.run();
