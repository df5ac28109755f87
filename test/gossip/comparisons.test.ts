import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { after, instant, seconds } from '../../src/base/time.js';
import { Comparisons } from '../../src/gossip/comparisons.js';
import { GOSSIP_DEFAULTS } from '../../src/gossip/config.js';

const test = suite('gossip/comparisons');
const START = instant(seconds(100));
const at = (count: number) => after(START, seconds(count));

test('comparisons: the first of all is made at once, whoever it is with', () => {
  const comparisons = new Comparisons(GOSSIP_DEFAULTS);
  comparisons.changed(START);
  assert.ok(comparisons.differs(1, true, START));
  assert.ok(comparisons.hasCompared);
});

test('comparisons: until something comes of one it is tried again at every interval', () => {
  const comparisons = new Comparisons(GOSSIP_DEFAULTS);
  comparisons.changed(START);
  const made = [0, 0.5, 1, 1.5, 2, 3].filter((second) => comparisons.differs(1, true, at(second)));
  assert.equal(made, [0, 1, 2, 3]);
  comparisons.answered();
  assert.ok(comparisons.differs(1, false, at(4)));
  assert.not(comparisons.differs(1, false, at(6)), 'no longer');
});

test('comparisons: while news spreads a difference is no reason, unless it lasts', () => {
  const comparisons = new Comparisons(GOSSIP_DEFAULTS);
  comparisons.answered();
  comparisons.differs(1, false, START);
  comparisons.changed(at(10));
  assert.not(comparisons.differs(2, true, at(10)), 'it spreads');
  assert.not(comparisons.differs(2, false, at(11)), 'it has just come');
  assert.ok(comparisons.differs(2, true, at(15)), 'it lasts');
});

test('comparisons: with one member that stays different less and less often', () => {
  const comparisons = new Comparisons(GOSSIP_DEFAULTS);
  comparisons.answered();
  const made: number[] = [];
  for (let second = 0; second < 400; second++) {
    if (comparisons.differs(1, false, at(second))) made.push(second);
  }
  const gaps = made.slice(1).map((each, i) => each - (made[i] ?? 0));
  assert.equal(gaps.slice(0, 4), [5, 10, 20, 40]);
  assert.ok(gaps.slice(4).every((gap) => gap === 60));
  comparisons.equal(1);
  assert.ok(comparisons.differs(1, false, at(400)), 'once it was equal it begins anew');
});

test('comparisons: with all together one in an interval', () => {
  const comparisons = new Comparisons(GOSSIP_DEFAULTS);
  assert.ok(comparisons.begin(1, START));
  assert.not(comparisons.begin(2, START));
  assert.ok(comparisons.begin(2, at(1)));
});

test.run();
