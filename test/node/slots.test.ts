import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { peerSlot } from '../../src/base/identifiers.js';
import { after, instant, micros, seconds } from '../../src/base/time.js';
import { Slots } from '../../src/node/slots.js';

const test = suite('slots');
const START = instant(seconds(100));

test('slots: a left slot is given out again after 10 s, not before, the longest left first', () => {
  const slots = new Slots();
  assert.equal(
    [0, 1, 2].map(() => slots.claim(START)),
    [0, 1, 2],
  );
  slots.release(peerSlot(1), START);
  slots.release(peerSlot(0), after(START, seconds(1)));
  assert.is(slots.claim(after(START, micros(seconds(10) - 1))), 3);
  assert.is(slots.claim(after(START, seconds(10))), 1);
  assert.is(slots.claim(after(START, seconds(10))), 4);
  assert.is(slots.claim(after(START, seconds(11))), 0);
});

test('slots: only what was claimed can be released', () => {
  assert.throws(() => new Slots().release(peerSlot(0), START), /claimed/);
});

test.run();
