import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PrefixOverlap } from '../../src/api/prefix_overlap.js';
import { prefix } from '../support/parsed.js';

const test = suite('api/prefix_overlap');

const SET = ['10.1.0.0/16', '192.168.0.0/24', '203.0.113.7/32', 'fd00:1::/32'];

const CASES: readonly (readonly [text: string, overlaps: boolean, why: string])[] = [
  ['10.1.0.0/16', true, 'the same'],
  ['10.1.2.0/24', true, 'inside one'],
  ['10.1.2.3/32', true, 'an address inside one'],
  ['10.0.0.0/8', true, 'around one'],
  ['0.0.0.0/0', true, 'around all of the family'],
  ['10.2.0.0/16', false, 'beside one'],
  ['10.0.0.0/16', false, 'beside one, below'],
  ['192.168.1.0/24', false, 'beside one of the same length, which another is cut to'],
  ['203.0.113.6/32', false, 'an address beside one'],
  ['203.0.113.6/31', true, 'two addresses around one'],
  ['fd00:1:2::/48', true, 'inside one, IPv6'],
  ['fd00:2::/32', false, 'beside one, IPv6'],
  ['::/0', true, 'around all of the family, IPv6'],
];

test('overlap: prefixes have an address in common or not', () => {
  const set = new PrefixOverlap(SET.map((text) => prefix(text)));
  for (const [text, overlaps, why] of CASES) assert.is(set.overlaps(prefix(text)), overlaps, why);
});

test('overlap: a family does not stand for the other, and nothing overlaps nothing', () => {
  const set = new PrefixOverlap([prefix('0.0.0.0/0')]);
  assert.is(set.overlaps(prefix('::/0')), false);
  assert.is(new PrefixOverlap([]).overlaps(prefix('0.0.0.0/0')), false);
});

test.run();
