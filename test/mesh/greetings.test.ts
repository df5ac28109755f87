/** Who is greeted after a start, and how fast. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type NodeId, nodeId } from '../../src/base/identifiers.js';
import { type Instant, instant, millis, NEVER } from '../../src/base/time.js';
import { SeededRandom } from '../../src/base/random.js';
import { Greetings } from '../../src/mesh/greetings.js';

const test = suite('mesh/greetings');
const START = instant(7_000_000);

function idsOf(count: number): NodeId[] {
  return Array.from({ length: count }, (_, i) => nodeId(i.toString(16).padStart(16, '0')));
}

function runAll(greetings: Greetings): { ids: NodeId[]; turns: Instant[] } {
  const ids: NodeId[] = [];
  const turns: Instant[] = [];
  for (let at = greetings.deadline(); at !== NEVER; at = greetings.deadline()) {
    turns.push(at);
    ids.push(...greetings.take(at));
  }
  return { ids, turns };
}

test("greetings: everybody once, in an order and from an instant of the node's own", () => {
  const known = idsOf(20);
  const runs = ['a', 'b'].map((seed) => {
    const greetings = new Greetings();
    greetings.start(known, new SeededRandom(seed), START);
    return runAll(greetings);
  });
  for (const { ids } of runs) assert.equal([...ids].sort(), known);
  assert.not.equal(runs[0]?.ids, runs[1]?.ids);
  assert.not.equal(runs[0]?.turns[0], runs[1]?.turns[0]);
});

test('greetings: no more than 8 each 100 ms, and 24 in all', () => {
  const greetings = new Greetings();
  greetings.start(idsOf(500), new SeededRandom('many'), START);
  const { ids, turns } = runAll(greetings);
  assert.is(ids.length, 24);
  assert.is(turns.length, 3);
  for (const [i, at] of turns.entries()) {
    const before = turns[i - 1];
    if (before !== undefined) assert.is(at - before, millis(100));
  }
});

test('greetings: nobody known, nothing due', () => {
  const greetings = new Greetings();
  greetings.start([], new SeededRandom('none'), START);
  assert.is(greetings.deadline(), NEVER);
  assert.equal(greetings.take(START), []);
});

test.run();
