import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ProbeOrder } from '../../src/gossip/probe_order.js';
import { withSeed } from '../support/seed.js';

const test = suite('gossip/probe_order');

test('probe order: everybody once in a round, in another order each time (SWIM §4.3)', () => {
  withSeed('probe order', (random) => {
    const order = new ProbeOrder(random);
    for (let slot = 0; slot < 20; slot++) order.insert(slot);
    const orders = new Set<string>();
    for (let round = 0; round < 10; round++) {
      const slots = Array.from({ length: 20 }, () => order.take(() => true));
      assert.is(new Set(slots).size, 20, 'each once');
      orders.add(slots.join());
    }
    assert.ok(orders.size > 5, 'orders differ');
  });
});

test('probe order: who joins has its turn in this round or the next, who leaves has none', () => {
  withSeed('probe order change', (random) => {
    const order = new ProbeOrder(random);
    for (let slot = 0; slot < 10; slot++) order.insert(slot);
    for (let i = 0; i < 5; i++) order.take(() => true);
    order.insert(10);
    order.remove(3);
    const seen = Array.from({ length: 20 }, () => order.take(() => true));
    assert.ok(seen.includes(10));
    assert.not(seen.includes(3));
    order.remove(99);
  });
});

test('probe order: where nobody is fit nobody is taken', () => {
  withSeed('probe order none', (random) => {
    const order = new ProbeOrder(random);
    assert.is(
      order.take(() => true),
      undefined,
    );
    for (let slot = 0; slot < 5; slot++) order.insert(slot);
    assert.is(
      order.take(() => false),
      undefined,
    );
    assert.is(
      order.take((slot) => slot === 4),
      4,
    );
  });
});

test.run();
