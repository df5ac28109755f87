/** The steps of a change of keys. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { instant, NEVER } from '../../src/base/time.js';
import { Rotation } from '../../src/mesh/rotation.js';

const test = suite('mesh/rotation');
const START = instant(9_000_000);

test('rotation: the new key is used once it has spread; the old one answers for a while', () => {
  const rotation = new Rotation();
  assert.is(rotation.take(START), undefined);
  assert.is(rotation.progress(START), undefined);
  rotation.announced(START);
  assert.ok(rotation.isUnderWay);
  assert.is(rotation.take(START), undefined);
  assert.match(rotation.progress(START) ?? '', /announced, and used in 6 s/);
  const use = rotation.deadline();
  assert.is(rotation.take(use), 'use');
  assert.is(rotation.take(use), undefined);
  assert.match(rotation.progress(use) ?? '', /another 180 s/);
  const finish = rotation.deadline();
  assert.is(rotation.take(finish), 'finish');
  assert.not(rotation.isUnderWay);
  assert.is(rotation.deadline(), NEVER);
});

test.run();
