/** Reasons, counted. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RECORD_REFUSALS } from '../../src/identity/record_refusal.js';
import { MESH_DROPS, MeshDropCounters } from '../../src/mesh/drop.js';
import { STORE_REFUSALS } from '../../src/state/store.js';
import { JOIN_REFUSALS } from '../../src/wire/join.js';

const test = suite('mesh/drop');

test('drops: every reason is in the list once, and reads as a metric’s label', () => {
  const known = new Set(MESH_DROPS);
  for (const reason of [...RECORD_REFUSALS, ...STORE_REFUSALS, ...JOIN_REFUSALS]) {
    assert.ok(known.has(reason), reason);
  }
  for (const reason of MESH_DROPS) assert.match(reason, /^[a-z][a-z0-9_]*$/);
});

test('drops: all are read, and those that happened are counted', () => {
  const drops = new MeshDropCounters();
  assert.equal(Object.keys(drops.read()).sort(), [...new Set(MESH_DROPS)].sort());
  assert.ok(Object.values(drops.read()).every((count) => count === 0));
  drops.add('forged');
  drops.add('forged');
  drops.add('busy');
  assert.is(drops.read().forged, 2);
  assert.is(drops.read().busy, 1);
  assert.is(drops.read().expired, 0);
});

test.run();
