import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  emitInvitation,
  faultOfInvitation,
  parseInvitation,
} from '../../src/identity/invitation.js';
import { RECORD_BODY_LIMIT } from '../../src/wire/record.js';
import { invitationBody } from '../support/identity_samples.js';
import { INVITATION, prefix } from '../support/identity_scene.js';
import { changed, checkBody } from '../support/record_body.js';

const test = suite('identity/invitation');

test('invitation: random bodies come back, and parts of them are nothing', () => {
  checkBody('invitation', { make: invitationBody, parse: parseInvitation, emit: emitInvitation });
});

test('invitation: without a key, or with flags that mean nothing, it is none', () => {
  assert.is(parseInvitation(emitInvitation({ ...INVITATION, publicKeys: [] })), undefined);
  const body = emitInvitation(INVITATION);
  assert.ok(parseInvitation(body));
  for (const flags of [8, 0x80]) assert.is(parseInvitation(changed(body, 8, flags)), undefined);
});

test('invitation: what does not fit into a record is told before it is made', () => {
  assert.is(faultOfInvitation(INVITATION), undefined);
  const groups = Array.from({ length: 16 }, (_, i) => `group-${i}-${'x'.repeat(16)}`);
  const prefixes = Array.from({ length: 16 }, (_, i) => prefix(`fd00:${i}::/64`));
  assert.match(faultOfInvitation({ ...INVITATION, groups, prefixes }) ?? '', 'too many');
  assert.match(faultOfInvitation({ ...INVITATION, groups: ['A b'] }) ?? '', 'small letters');
  const publicKeys = Array.from({ length: 16 }, () => new Uint8Array(32));
  const many = { ...INVITATION, publicKeys, groups: groups.slice(0, 14) };
  const fault = faultOfInvitation(many);
  const isLarge = emitInvitation(many).length > RECORD_BODY_LIMIT;
  assert.is(fault !== undefined, isLarge);
});

test.run();
