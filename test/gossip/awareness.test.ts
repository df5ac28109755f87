import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { millis } from '../../src/base/time.js';
import { Awareness } from '../../src/gossip/awareness.js';

const test = suite('gossip/awareness');

test('awareness: between well and its limit, and times grow with it', () => {
  const awareness = new Awareness(7);
  awareness.apply(-3);
  assert.is(awareness.score, 0);
  assert.is(awareness.scale(millis(500)), millis(500));
  awareness.apply(3);
  assert.is(awareness.scale(millis(500)), millis(2_000));
  awareness.apply(100);
  assert.is(awareness.score, 7);
  awareness.apply(-1);
  assert.is(awareness.score, 6);
});

test('awareness: a limit of zero is plain SWIM', () => {
  const awareness = new Awareness(0);
  awareness.apply(5);
  assert.is(awareness.scale(millis(500)), millis(500));
});

test.run();
