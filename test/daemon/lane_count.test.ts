import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { laneCount } from '../../src/daemon/lane_count.js';

const test = suite('lane count');

test('lane count: two cores have use for a lane, and no machine for more than eight', () => {
  const rows = [
    [1, 1],
    [2, 1],
    [3, 1],
    [4, 2],
    [7, 3],
    [16, 8],
    [128, 8],
  ] as const;
  for (const [cores, lanes] of rows) assert.is(laneCount(undefined, cores), lanes, `${cores}`);
});

test('lane count: what is configured goes before what there are cores for', () => {
  assert.is(laneCount(4, 2), 4);
  assert.is(laneCount(1, 64), 1);
});

test.run();
