/**
 * Which announcement records a node has to make, so that it announces what it is to and nothing
 * else. Making them a second time makes none.
 */

import type { Prefix } from '../base/address.js';
import {
  announcementKey,
  DEFAULT_METRIC,
  emitAnnouncement,
  parseAnnouncement,
} from './announcement_body.js';
import { ANNOUNCEMENTS } from './announcements.js';

export interface AnnouncementDraft {
  readonly key: string;
  readonly body: Uint8Array;
}

/**
 * What is wanted and not announced, and what is announced and not wanted. `own`: our own records as
 * they are in force. Prefixes beyond ANNOUNCEMENTS are not announced.
 */
export function planAnnouncements(
  wanted: readonly Prefix[],
  own: Iterable<AnnouncementDraft>,
): AnnouncementDraft[] {
  const missing = new Map<string, Prefix>();
  for (const prefix of wanted.slice(0, ANNOUNCEMENTS)) missing.set(prefix.text, prefix);
  const drafts: AnnouncementDraft[] = [];
  for (const { key, body } of own) {
    const statement = parseAnnouncement(body);
    if (!statement || statement.isWithdrawn) continue;
    const { prefix } = statement;
    if (missing.delete(prefix.text)) continue;
    drafts.push({ key, body: emitAnnouncement({ prefix, isWithdrawn: true, metric: 0 }) });
  }
  for (const prefix of missing.values()) {
    const statement = { prefix, isWithdrawn: false, metric: DEFAULT_METRIC };
    drafts.push({ key: announcementKey(prefix), body: emitAnnouncement(statement) });
  }
  return drafts;
}
