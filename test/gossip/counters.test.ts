import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { GOSSIP_COUNTERS, GossipCounters } from '../../src/gossip/counters.js';

const test = suite('gossip/counters');

test('counters: every one is there from the first, and each counts for itself', () => {
  const counters = new GossipCounters();
  assert.equal(Object.keys(counters.read()), [...GOSSIP_COUNTERS]);
  counters.add('probes');
  counters.add('records_sent', 5);
  assert.is(counters.get('probes'), 1);
  const { probes, records_sent: sent, ...others } = counters.read();
  assert.equal([probes, sent], [1, 5]);
  assert.ok(Object.values(others).every((count) => count === 0));
});

test.run();
