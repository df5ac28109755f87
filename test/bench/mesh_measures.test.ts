/** The mesh's benchmark: memory, held to its limit. The rest needs a quiet machine. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { memberKibibytes } from '../../bench/mesh/measures.js';

const test = suite('bench/mesh_measures');

/** KiB, for one that is not talked to. */
const LIMIT = 4;

test('measures: a member that is known takes less than 4 KiB', () => {
  const found = memberKibibytes(500);
  assert.ok(found > 0.5 && found < LIMIT, `${found} KiB`);
});

test.run();
