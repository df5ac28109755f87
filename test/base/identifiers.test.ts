/** Identifiers keep their value and their width. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_PEERS, peerSlot, sessionIndex } from '../../src/base/identifiers.js';

const test = suite('identifiers');

test('identifiers: a session index is what 32 bits hold', () => {
  for (const [value, index] of [
    [0, 0],
    [0xffff_ffff, 0xffff_ffff],
    [-1, 0xffff_ffff],
    [0x80000000 | 0, 0x8000_0000],
    [0x1_0000_0002, 2],
  ] as const) {
    assert.is(sessionIndex(value), index);
  }
});

test('identifiers: a peer slot keeps its value up to the last peer', () => {
  assert.is(peerSlot(MAX_PEERS - 1), 0xfffff);
});

test.run();
