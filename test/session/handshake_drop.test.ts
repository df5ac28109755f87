import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HANDSHAKE_DROPS, HandshakeDropCounters } from '../../src/session/handshake_drop.js';

const test = suite('handshake_drop');

test('handshake drops: every reason has a count of its own, zero at first', () => {
  const counters = new HandshakeDropCounters();
  for (const [at, reason] of HANDSHAKE_DROPS.entries()) {
    for (let i = 0; i < at; i++) counters.add(reason);
  }
  assert.equal(Object.keys(counters.read()), [...HANDSHAKE_DROPS]);
  assert.equal(Object.values(counters.read()), [...HANDSHAKE_DROPS.keys()]);
});

test.run();
