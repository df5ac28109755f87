/** What a member must not forget: the file `own`. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat } from '../../src/base/bytes.js';
import { nodeId } from '../../src/base/identifiers.js';
import { emitOwnState, type OwnState, parseOwnState } from '../../src/mesh/own_state.js';
import { randomId, randomRecord } from '../support/control_samples.js';
import { changed } from '../support/bytes.js';
import { withSeed } from '../support/seed.js';

const test = suite('mesh/own_state');

const EMPTY: OwnState = {
  network: undefined,
  ceiling: 0,
  stamp: 0,
  records: [],
  redeemed: [],
};

const FULL: OwnState = {
  network: { id: nodeId('0102030405060708'), rootKey: new Uint8Array(32).fill(3) },
  ceiling: Number.MAX_SAFE_INTEGER,
  stamp: 1_790_000_000_000_000,
  records: [Uint8Array.of(1, 2, 3), new Uint8Array(0)],
  redeemed: [{ invitation: '1112131415161718', use: 15, member: nodeId('2122232425262728') }],
};

test('own state: what is kept comes back', () => {
  for (const state of [EMPTY, FULL]) assert.equal(parseOwnState(emitOwnState(state)), state);
  withSeed('own state', (random) => {
    for (let round = 0; round < 50; round++) {
      const records = Array.from({ length: random.below(9) }, () => randomRecord(random).bytes);
      const redeemed = Array.from({ length: random.below(9) }, () => ({
        invitation: String(randomId(random)),
        use: random.below(16),
        member: randomId(random),
      }));
      const state = { ...FULL, records, redeemed, ceiling: random.u32(), stamp: random.u32() };
      assert.equal(parseOwnState(emitOwnState(state)), state);
    }
  });
});

test('own state: as many redemptions as 64 invitations of 16 uses fit, and more', () => {
  const redeemed = Array.from({ length: 20_000 }, (_, i) => ({
    invitation: i.toString(16).padStart(16, '0'),
    use: i % 16,
    member: nodeId('2122232425262728'),
  }));
  const state = { ...EMPTY, redeemed };
  assert.equal(parseOwnState(emitOwnState(state)), state);
});

test('own state: a file cut short anywhere, or longer, is none', () => {
  const whole = emitOwnState(FULL);
  for (let length = 0; length < whole.length; length++) {
    assert.is(parseOwnState(whole.slice(0, length)), undefined, `${length} bytes`);
  }
  assert.is(parseOwnState(concat(whole, Uint8Array.of(0))), undefined);
});

test('own state: row 24: counts that claim more than there is, and 2^53, are none', () => {
  const whole = emitOwnState(EMPTY);
  assert.is(parseOwnState(changed(whole, 0, 2)), undefined, 'a flag that is none');
  assert.is(parseOwnState(changed(whole, 17, 0xff)), undefined, '255 records');
  assert.is(parseOwnState(changed(whole, 20, 0xff)), undefined, '65,280 redemptions');
  assert.is(parseOwnState(changed(whole, 7, 0x20)), undefined, 'a ceiling of 2^53');
  assert.is(parseOwnState(changed(whole, 15, 0x20)), undefined, 'a stamp of 2^53');
});

test.run();
