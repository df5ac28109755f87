import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RECORD_REFUSALS } from '../../src/identity/record_refusal.js';

const test = suite('identity/record_refusal');

test('record refusals: each is a label of its own, fit for a metric', () => {
  assert.is(new Set(RECORD_REFUSALS).size, RECORD_REFUSALS.length);
  for (const reason of RECORD_REFUSALS) assert.match(reason, /^[a-z_]+$/);
});

test.run();
