import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nodeId } from '../../src/base/identifiers.js';
import { wallTime } from '../../src/base/time.js';
import {
  emitLease,
  formatLease,
  type LeaseStatement,
  parseLease,
  RECLAIMED_LIMIT,
} from '../../src/ipam/lease_body.js';
import { equalBytes, flipBit } from '../support/bytes.js';
import { prefix } from '../support/parsed.js';
import { withSeed } from '../support/seed.js';
import { hex } from '../support/vectors.js';

const test = suite('ipam/lease body');

const HOLDER = { holder: nodeId('8899aabbccddeeff'), claimedAt: wallTime(3) };
const HELD: LeaseStatement = {
  kind: 'held',
  prefix: prefix('10.5.0.9/32'),
  claimedAt: wallTime(0x0102030405),
  reclaimed: [HOLDER],
};
const GOLDEN = hex(
  '04200a050009' + '0504030201000000' + '01' + '8899aabbccddeeff' + '0300000000000000',
);

test('lease: prefix, stamp and what was reclaimed stand where the format puts them', () => {
  equalBytes(emitLease(HELD), GOLDEN);
  assert.equal(parseLease(GOLDEN), HELD);
  equalBytes(emitLease({ kind: 'released' }), hex('00'));
  assert.equal(parseLease(hex('00')), { kind: 'released' });
  assert.is(
    formatLease(HELD),
    'lease 10.5.0.9/32 claimed 4328719365 reclaimed from 8899aabbccddeeff',
  );
  assert.is(formatLease({ kind: 'released' }), 'lease released');
});

test('lease: every statement survives emitting and parsing', () => {
  for (const text of ['0.0.0.0/0', '255.255.255.255/32', 'fd00::1/128', '10.1.0.0/24']) {
    for (let count = 0; count <= RECLAIMED_LIMIT; count++) {
      const statement: LeaseStatement = {
        kind: 'held',
        prefix: prefix(text),
        claimedAt: wallTime(Number.MAX_SAFE_INTEGER),
        reclaimed: new Array(count).fill(HOLDER),
      };
      assert.equal(parseLease(emitLease(statement)), statement);
    }
  }
  const reclaimed = new Array(RECLAIMED_LIMIT + 1).fill(HOLDER);
  assert.throws(() => emitLease({ ...HELD, reclaimed }), /names few/);
});

test('lease: truncated at any length, and with anything behind it, it is malformed', () => {
  for (let length = 0; length < GOLDEN.length; length++) {
    assert.is(parseLease(GOLDEN.subarray(0, length)), undefined, `${length}`);
  }
  assert.is(parseLease(Uint8Array.of(...GOLDEN, 0)), undefined);
  assert.is(parseLease(hex('0000')), undefined);
});

for (const [body, why] of [
  ['04200a0500090000000000002000' + '00', 'a stamp of 2^53'],
  ['04200a050009ffffffffffffffff' + '00', 'a stamp of 2^64 - 1'],
  [`04200a050009050403020100000009${'00'.repeat(9 * 16)}`, 'nine reclaimed leases'],
  ['04200a0500090504030201000000ff', 'a count of what is not there'],
  ['04180a050009050403020100000000', 'bits behind the length'],
] as const) {
  test(`lease: refuses ${why}`, () => {
    assert.is(parseLease(hex(body)), undefined);
  });
}

test('lease: what parses is what it would be emitted as, whatever bits are flipped', () => {
  for (let bit = 0; bit < GOLDEN.length * 8; bit++) {
    const flipped = flipBit(GOLDEN, bit);
    const statement = parseLease(flipped);
    if (statement) equalBytes(emitLease(statement), flipped);
  }
  withSeed('lease bodies', (random) => {
    for (let i = 0; i < 5_000; i++) {
      const bytes = random.bytes(random.below(40));
      bytes[0] = random.below(8);
      const statement = parseLease(bytes);
      if (statement) equalBytes(emitLease(statement), bytes);
    }
  });
});

test.run();
