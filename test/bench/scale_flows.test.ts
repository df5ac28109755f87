import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { splitFlows } from '../../bench/scale_flows.js';

const test = suite('scale flows');

const SPLITS: readonly [number, readonly number[]][] = [
  [1, [1]],
  [128, [128]],
  [129, [64, 65]],
  [1_000, Array(8).fill(125)],
];
for (const [flows, clients] of SPLITS) {
  test(`scale flows: ${flows} go to ${clients.length} clients that take alike`, () => {
    assert.equal(splitFlows(flows), clients);
  });
}

test.run();
