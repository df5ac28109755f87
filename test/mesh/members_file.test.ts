/** The file of records that were known. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat } from '../../src/base/bytes.js';
import { emitMembersFile, parseMembersFile } from '../../src/mesh/members_file.js';
import { randomRecord } from '../support/control_samples.js';
import { withSeed } from '../support/seed.js';

const test = suite('mesh/members_file');

test('members file: records come back in their order', () => {
  assert.equal(parseMembersFile(emitMembersFile([])), []);
  withSeed('members file', (random) => {
    const records = Array.from({ length: 300 }, () => randomRecord(random).bytes);
    assert.equal(parseMembersFile(emitMembersFile(records)), records);
  });
});

test('members file: cut short within a record it is none', () => {
  const records = [Uint8Array.of(1, 2, 3), Uint8Array.of(4, 5)];
  const whole = emitMembersFile(records);
  const ends = new Map([
    [0, 0],
    [5, 1],
    [9, 2],
  ]);
  for (let length = 0; length <= whole.length; length++) {
    assert.is(parseMembersFile(whole.slice(0, length))?.length, ends.get(length), `${length}`);
  }
  assert.is(parseMembersFile(concat(whole, Uint8Array.of(0))), undefined);
});

test('members file: row 24: more records than a mesh has are none', () => {
  const empty = (count: number): Uint8Array => new Uint8Array(2 * count);
  assert.is(parseMembersFile(empty(131_072))?.length, 131_072);
  assert.is(parseMembersFile(empty(131_073)), undefined);
});

test.run();
