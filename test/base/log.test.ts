/** The log that says nothing takes everything. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SILENT } from '../../src/base/log.js';

const test = suite('log');

test('log: the silent one takes every level, with and without fields', () => {
  for (const level of ['trace', 'debug', 'info', 'warn', 'error'] as const) {
    assert.is(SILENT[level]('message'), undefined);
    assert.is(SILENT[level]('message', { count: 1 }), undefined);
  }
});

test.run();
