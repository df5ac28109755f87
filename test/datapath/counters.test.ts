import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { record, WALK_COUNTERS, WalkCounters } from '../../src/datapath/counters.js';
import { DROPS } from '../../src/datapath/drop.js';

const counters = suite('counters');

counters('counters: every name starts at 0 and counts by itself', () => {
  for (const name of WALK_COUNTERS) {
    const made = new WalkCounters();
    made.add(name, 3);
    made.add(name, 4);
    const reading = made.read();
    for (const other of WALK_COUNTERS) {
      assert.is(reading.walk[other], other === name ? 7n : 0n, `${other} beside ${name}`);
    }
    assert.ok(DROPS.every((reason) => reading.drops[reason] === 0n));
  }
});

counters('counters: every drop reason counts by itself', () => {
  for (const reason of DROPS) {
    const made = new WalkCounters();
    made.drop(reason);
    const { drops, walk } = made.read();
    for (const other of DROPS) assert.is(drops[other], other === reason ? 1n : 0n, other);
    assert.ok(WALK_COUNTERS.every((name) => walk[name] === 0n));
  }
});

counters('counters: a reading does not move when counting goes on', () => {
  const made = new WalkCounters();
  const before = made.read();
  made.add('sealed', 1);
  assert.is(before.walk.sealed, 0n);
});

counters('counters: goes on past what a double can count', () => {
  const made = new WalkCounters();
  made.add('inner_in_bytes', Number.MAX_SAFE_INTEGER);
  made.add('inner_in_bytes', 2);
  assert.is(made.read().walk.inner_in_bytes, 2n ** 53n + 1n);
});

counters('counters: names go with words by their order; missing words are 0', () => {
  assert.equal(record(['a', 'b', 'c'], BigUint64Array.of(5n, 6n)), { a: 5n, b: 6n, c: 0n });
});

counters.run();
