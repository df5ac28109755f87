import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { QUOTAS } from '../../src/state/quotas.js';
import { KINDS } from '../support/control_samples.js';

const test = suite('state/quotas');

test('quotas: each kind has one, and what a member says by itself is little', () => {
  assert.equal(Object.keys(QUOTAS).sort(), [...KINDS].sort());
  for (const kind of ['node', 'lease', 'announcement', 'suspicion'] as const) {
    assert.ok(QUOTAS[kind] <= 64, kind);
  }
});

test.run();
