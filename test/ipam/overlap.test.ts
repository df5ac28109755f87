import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { covers, firstOverlap, overlaps } from '../../src/ipam/overlap.js';
import { prefix } from '../support/parsed.js';

const test = suite('ipam/overlap');

for (const [outer, inner, expected, why] of [
  ['10.0.0.0/8', '10.255.0.0/16', true, 'the first byte decides'],
  ['10.0.0.0/8', '11.0.0.0/16', false, 'the first byte decides'],
  ['10.16.0.0/12', '10.31.255.255/32', true, 'the last of it'],
  ['10.16.0.0/12', '10.32.0.0/32', false, 'one behind it'],
  ['10.16.0.0/12', '10.16.0.0/12', true, 'itself'],
  ['10.16.0.0/12', '10.16.0.0/11', false, 'the shorter is larger'],
  ['0.0.0.0/0', '255.255.255.255/32', true, 'everything'],
  ['255.255.255.254/31', '255.255.255.255/32', true, 'at the end'],
  ['255.255.255.254/31', '255.255.255.253/32', false, 'at the end'],
  ['::/0', '10.0.0.0/8', false, 'another family'],
  ['0.0.0.0/0', '::/128', false, 'another family'],
  ['fd00:1:2::/48', 'fd00:1:2:ffff::1/128', true, 'of IPv6'],
  ['fd00:1:2::/48', 'fd00:1:3::/64', false, 'of IPv6'],
  ['::1/128', '::1/128', true, 'a single address'],
] as const) {
  test(`overlap: ${outer} ${expected ? 'covers' : 'does not cover'} ${inner}, ${why}`, () => {
    assert.is(covers(prefix(outer), prefix(inner)), expected);
    const turned = covers(prefix(inner), prefix(outer));
    assert.is(overlaps(prefix(outer), prefix(inner)), expected || turned);
    assert.is(overlaps(prefix(inner), prefix(outer)), expected || turned);
  });
}

test('overlap: the first in the way is named', () => {
  const list = ['172.16.0.0/12', '10.1.0.0/16', '10.0.0.0/8'].map(prefix);
  assert.is(firstOverlap(prefix('10.1.2.0/24'), list)?.text, '10.1.0.0/16');
  assert.is(firstOverlap(prefix('192.168.0.0/16'), list), undefined);
});

test.run();
