import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DROPS, dropCode } from '../../src/datapath/drop.js';

const drop = suite('drop');

drop('drop: a code is the place in the list that native code shares', () => {
  assert.equal(
    DROPS.map(dropCode),
    DROPS.map((_, place) => place),
  );
});

drop('drop: each reason stands once, in words that a metric label takes', () => {
  assert.is(new Set(DROPS).size, DROPS.length);
  for (const reason of DROPS) assert.match(reason, /^[a-z][a-z0-9_]*$/);
});

drop.run();
