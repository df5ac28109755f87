import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { emitDelegation, parseDelegation } from '../../src/identity/delegation.js';
import { delegationBody } from '../support/identity_samples.js';
import { ADMIN, FOUNDER, later } from '../support/identity_scene.js';
import { changed, checkBody } from '../support/record_body.js';

const test = suite('identity/delegation');

test('delegation: random bodies come back, and parts of them are nothing', () => {
  checkBody('delegation', { make: delegationBody, parse: parseDelegation, emit: emitDelegation });
});

test('delegation: a number of 2^53 or more is none', () => {
  const body = emitDelegation({
    adminKey: ADMIN.publicKey,
    holder: FOUNDER.id,
    notAfter: later(1),
    epoch: 1,
  });
  assert.ok(parseDelegation(body));
  assert.is(parseDelegation(changed(body, -1, 0x20)), undefined);
  assert.is(parseDelegation(changed(body, 47, 0xff)), undefined);
});

test.run();
