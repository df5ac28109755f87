import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { announcementKey, parseAnnouncement } from '../../src/ipam/announcement_body.js';
import { type AnnouncementDraft, planAnnouncements } from '../../src/ipam/announcement_plan.js';
import { ANNOUNCEMENTS } from '../../src/ipam/announcements.js';
import { prefix } from '../support/parsed.js';

const test = suite('ipam/announcement plan');

function textsOf(drafts: readonly AnnouncementDraft[]): string[] {
  return drafts.map(({ key, body }) => {
    const statement = parseAnnouncement(body);
    if (!statement || announcementKey(statement.prefix) !== key) return 'malformed';
    return `${statement.isWithdrawn ? '-' : '+'}${statement.prefix.text}`;
  });
}

test('plan: announces what is wanted, once', () => {
  const wanted = ['10.20.0.0/16', 'fd12::/32', '10.20.0.0/16'].map(prefix);
  const drafts = planAnnouncements(wanted, []);
  assert.equal(textsOf(drafts), ['+10.20.0.0/16', '+fd12::/32']);
  assert.equal(planAnnouncements(wanted, drafts), []);
});

test('plan: withdraws what is wanted no more, and announces it again when it is', () => {
  const first = planAnnouncements([prefix('10.20.0.0/16')], []);
  const second = planAnnouncements([prefix('10.30.0.0/16')], first);
  assert.equal(textsOf(second), ['-10.20.0.0/16', '+10.30.0.0/16']);
  const third = planAnnouncements(['10.20.0.0/16', '10.30.0.0/16'].map(prefix), second);
  assert.equal(textsOf(third), ['+10.20.0.0/16']);
});

test('plan: announces no more than others take', () => {
  const wanted = Array.from({ length: 100 }, (_, i) => prefix(`10.20.${i}.0/24`));
  assert.is(planAnnouncements(wanted, []).length, ANNOUNCEMENTS);
});

test.run();
