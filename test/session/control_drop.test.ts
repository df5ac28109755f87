import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CONTROL_DROPS, ControlDropCounters } from '../../src/session/control_drop.js';

const test = suite('control_drop');

test('control drops: every reason has a count of its own, zero at first', () => {
  const counters = new ControlDropCounters();
  for (const [at, reason] of CONTROL_DROPS.entries()) {
    for (let i = 0; i < at; i++) counters.add(reason);
  }
  assert.equal(Object.keys(counters.read()), [...CONTROL_DROPS]);
  assert.equal(Object.values(counters.read()), [...CONTROL_DROPS.keys()]);
});

test.run();
