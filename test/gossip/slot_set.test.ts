import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SlotSet } from '../../src/gossip/slot_set.js';
import { withSeed } from '../support/seed.js';

const test = suite('gossip/slot_set');

test('slot set: what is in it is drawn evenly, each once a draw', () => {
  withSeed('slot set', (random) => {
    const set = new SlotSet();
    for (let slot = 0; slot < 10; slot++) set.add(slot);
    set.add(3);
    set.remove(7);
    set.remove(7);
    assert.is(set.size, 9);
    const counts = new Map<number, number>();
    for (let round = 0; round < 3_000; round++) {
      const drawn: number[] = [];
      set.draw(drawn, 3, random, () => true);
      assert.is(new Set(drawn).size, 3);
      for (const slot of drawn) counts.set(slot, (counts.get(slot) ?? 0) + 1);
    }
    assert.not(counts.has(7));
    for (const count of counts.values()) assert.ok(count > 800 && count < 1_200, `${count}`);
  });
});

test('slot set: no more than there are, and only those that fit', () => {
  withSeed('slot set few', (random) => {
    const set = new SlotSet();
    for (const slot of [1, 2, 3]) set.add(slot);
    const drawn: number[] = [];
    set.draw(drawn, 10, random, (slot) => slot !== 2);
    assert.equal(drawn.sort(), [1, 3]);
    set.draw(drawn, 2, random, () => true);
    assert.is(drawn.length, 2, 'as many as are wanted are there already');
  });
});

test.run();
