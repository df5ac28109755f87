import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { peerSlot } from '../../src/base/identifiers.js';
import { Staged } from '../../src/datapath/staged.js';
import { STAGED_PER_PEER } from '../../src/datapath/tables.js';
import { equalBytes } from '../support/bytes.js';

const staged = suite('staged');

const [ONE, TWO] = [peerSlot(1), peerSlot(2)];

staged('staged: gives back what was put, the oldest first, once', () => {
  const queues = new Staged();
  for (const byte of [1, 2, 3]) assert.not(queues.push(ONE, Uint8Array.of(byte)));
  assert.equal(
    queues.take(ONE).map((packet) => packet[0]),
    [1, 2, 3],
  );
  assert.equal(queues.take(ONE), []);
});

staged('staged: keeps peers apart', () => {
  const queues = new Staged();
  queues.push(ONE, Uint8Array.of(1));
  queues.push(TWO, Uint8Array.of(2));
  equalBytes(queues.take(TWO)[0], Uint8Array.of(2));
  equalBytes(queues.take(ONE)[0], Uint8Array.of(1));
});

staged('staged: the oldest makes room at the limit, and that is told', () => {
  const queues = new Staged();
  for (let i = 0; i < STAGED_PER_PEER; i++) assert.not(queues.push(ONE, Uint8Array.of(i)));
  assert.ok(queues.push(ONE, Uint8Array.of(200)));
  assert.not(queues.push(TWO, Uint8Array.of(1)), 'the limit is each peer’s own');
  const bytes = queues.take(ONE).map((packet) => packet[0]);
  assert.is(bytes.length, STAGED_PER_PEER);
  assert.equal([bytes[0], bytes.at(-1)], [1, 200]);
});

staged('staged: copies', () => {
  const queues = new Staged();
  const packet = Uint8Array.of(1, 2, 3);
  queues.push(ONE, packet);
  packet.fill(9);
  equalBytes(queues.take(ONE)[0], Uint8Array.of(1, 2, 3));
});

staged.run();
