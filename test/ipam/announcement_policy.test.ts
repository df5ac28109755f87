import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isDefaultRoute, judgeAnnouncement } from '../../src/ipam/announcement_policy.js';
import { prefix } from '../support/parsed.js';

const test = suite('ipam/announcement policy');

const OVERLAY = ['10.77.0.0/16', 'fd11:2233:4455::/48'].map(prefix);

for (const [announced, allowed, mayAnnounceDefault, expected, why] of [
  ['10.20.0.0/16', '10.20.0.0/16', false, undefined, 'exactly what it may'],
  ['10.20.5.0/24', '10.20.0.0/16', false, undefined, 'within what it may'],
  ['10.0.0.0/15', '10.0.0.0/16', false, 'not_certified', 'more than it may'],
  ['10.21.0.0/16', '10.20.0.0/16', false, 'not_certified', 'beside what it may'],
  ['2001:db8::/48', '2001:db8::/32', false, undefined, 'of IPv6'],
  ['10.77.3.0/24', '10.0.0.0/8', false, 'overlay', 'within the pool'],
  ['10.77.0.0/16', '10.0.0.0/8', false, 'overlay', 'the pool itself'],
  ['10.0.0.0/8', '10.0.0.0/8', false, 'overlay', 'around the pool'],
  ['fd11:2233:4455:1::/64', 'fd00::/16', false, 'overlay', 'within the overlay of IPv6'],
  ['0.0.0.0/0', '0.0.0.0/0', true, undefined, 'a default route'],
  ['0.0.0.0/0', '0.0.0.0/0', false, 'not_certified', 'a default route that it may not'],
  ['128.0.0.0/1', '128.0.0.0/1', false, 'not_certified', 'half of the internet'],
  ['128.0.0.0/1', '0.0.0.0/0', true, undefined, 'half of a default route'],
  ['2000::/3', '::/0', false, 'not_certified', 'the internet of IPv6'],
  ['::/0', '::/0', true, undefined, 'a default route of IPv6'],
  ['::/0', '0.0.0.0/0', true, 'not_certified', 'a default route of the other family'],
  ['8.8.8.0/24', '0.0.0.0/0', true, 'not_certified', 'a part of the internet, by a default route'],
  ['10.20.0.0/16', '0.0.0.0/0', true, 'not_certified', 'a site, by a default route'],
  ['127.0.0.0/8', '127.0.0.0/8', false, 'special', 'loopback'],
  ['127.0.0.1/32', '127.0.0.0/8', false, 'special', 'loopback'],
  ['224.0.0.0/4', '224.0.0.0/4', true, 'special', 'multicast'],
  ['169.254.169.254/32', '169.254.0.0/16', true, 'special', 'link-local'],
  ['fe80::/64', 'fe80::/10', true, 'special', 'link-local of IPv6'],
  ['::1/128', '::/0', true, 'special', 'loopback of IPv6'],
] as const) {
  test(`policy: ${announced} is ${expected ?? 'taken'}: ${why}`, () => {
    const permit = { prefixes: [prefix(allowed)], mayAnnounceDefault };
    assert.is(judgeAnnouncement(prefix(announced), permit, OVERLAY), expected);
  });
}

test('policy: without a certificate nothing may be announced', () => {
  assert.is(judgeAnnouncement(prefix('10.20.0.0/16'), undefined, OVERLAY), 'not_certified');
  const nothing = { prefixes: [], mayAnnounceDefault: true };
  assert.is(judgeAnnouncement(prefix('0.0.0.0/0'), nothing, OVERLAY), 'not_certified');
});

test('policy: a prefix that takes most of the internet is a default route', () => {
  for (const text of ['0.0.0.0/0', '128.0.0.0/1', '8.0.0.0/7', '::/0', '2000::/3']) {
    assert.ok(isDefaultRoute(prefix(text)), text);
  }
  for (const text of ['10.0.0.0/8', 'fd00::/16']) assert.not.ok(isDefaultRoute(prefix(text)), text);
});

test.run();
