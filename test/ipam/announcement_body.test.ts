import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  announcementKey,
  type AnnouncementStatement,
  emitAnnouncement,
  formatAnnouncement,
  parseAnnouncement,
} from '../../src/ipam/announcement_body.js';
import { equalBytes, flipBit } from '../support/bytes.js';
import { prefix } from '../support/parsed.js';
import { withSeed } from '../support/seed.js';
import { hex } from '../support/vectors.js';

const test = suite('ipam/announcement body');

const SITE: AnnouncementStatement = {
  prefix: prefix('10.20.0.0/16'),
  isWithdrawn: false,
  metric: 0x01020304,
};
const GOLDEN = hex('01' + '04030201' + '04100a140000');

test('announcement: state, metric and prefix stand where the format puts them', () => {
  equalBytes(emitAnnouncement(SITE), GOLDEN);
  assert.equal(parseAnnouncement(GOLDEN), SITE);
  const withdrawn = { ...SITE, isWithdrawn: true, metric: 0 };
  equalBytes(emitAnnouncement(withdrawn), hex('00' + '00000000' + '04100a140000'));
  assert.equal(parseAnnouncement(emitAnnouncement(withdrawn)), withdrawn);
  assert.is(formatAnnouncement(SITE), 'announcement 10.20.0.0/16 metric 16909060');
  assert.is(formatAnnouncement(withdrawn), 'announcement 10.20.0.0/16 withdrawn');
});

test('announcement: every metric and length survives emitting and parsing', () => {
  for (const metric of [0, 1, 0xffff_ffff]) {
    for (const text of ['0.0.0.0/0', '::/0', 'fd12::/16', '255.255.255.255/32']) {
      const statement = { prefix: prefix(text), isWithdrawn: false, metric };
      assert.equal(parseAnnouncement(emitAnnouncement(statement)), statement);
    }
  }
});

for (const [body, why] of [
  ['02' + '04030201' + '04100a140000', 'a state that is none'],
  ['00' + '04030201' + '04100a140000', 'a metric of what is withdrawn'],
  ['01' + '04030201' + '04100a140001', 'bits behind the length'],
  ['01' + '04030201' + '04100a14000000', 'something behind it'],
] as const) {
  test(`announcement: refuses ${why}`, () => {
    assert.is(parseAnnouncement(hex(body)), undefined);
  });
}

test('announcement: truncated at any length it is malformed', () => {
  for (let length = 0; length < GOLDEN.length; length++) {
    assert.is(parseAnnouncement(GOLDEN.subarray(0, length)), undefined);
  }
});

test('announcement: what parses is what it would be emitted as, whatever the bytes', () => {
  for (let bit = 0; bit < GOLDEN.length * 8; bit++) {
    const flipped = flipBit(GOLDEN, bit);
    const statement = parseAnnouncement(flipped);
    if (statement) equalBytes(emitAnnouncement(statement), flipped);
  }
  withSeed('announcement bodies', (random) => {
    for (let i = 0; i < 5_000; i++) {
      const bytes = random.bytes(random.below(30));
      bytes[0] = random.below(3);
      const statement = parseAnnouncement(bytes);
      if (statement) equalBytes(emitAnnouncement(statement), bytes);
    }
  });
});

test('announcement: a prefix has one key, and another prefix another', () => {
  assert.match(announcementKey(SITE.prefix), /^[0-9a-f]{16}$/);
  assert.is(announcementKey(prefix('10.20.0.0/16')), announcementKey(SITE.prefix));
  assert.is.not(announcementKey(prefix('10.20.0.0/17')), announcementKey(SITE.prefix));
});

test.run();
