import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CONTROL_WAITING } from '../../src/session/constants.js';
import { ControlOutbox } from '../../src/session/control_outbox.js';

const test = suite('session/control_outbox');

test('control outbox: what waits comes in order, once, and the oldest goes first', () => {
  const outbox = new ControlOutbox();
  assert.ok(outbox.isEmpty);
  const messages = Array.from({ length: CONTROL_WAITING + 2 }, (_, i) => Uint8Array.of(i));
  const dropped = messages.filter((message) => outbox.add(message));
  assert.is(dropped.length, 2);
  assert.equal(outbox.take(), messages.slice(2));
  assert.ok(outbox.isEmpty);
  assert.equal(outbox.take(), []);
});

test.run();
