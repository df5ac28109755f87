/** The deadlines of a core: the earliest wins, and is taken once. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Deadlines } from '../../src/base/deadlines.js';
import { instant, NEVER } from '../../src/base/time.js';

const test = suite('deadlines');

function make(): Deadlines<'rekey' | 'keepalive' | 'erase'> {
  return new Deadlines(['rekey', 'keepalive', 'erase']);
}

test('deadlines: nothing is set at first', () => {
  const deadlines = make();
  assert.equal([deadlines.earliest(), deadlines.reason()], [NEVER, undefined]);
  assert.not(deadlines.isSet('rekey'));
  assert.is(deadlines.get('rekey'), NEVER);
  assert.is(deadlines.takeDue(instant(Number.MAX_SAFE_INTEGER - 1)), undefined);
});

test('deadlines: the earliest has the reason', () => {
  const deadlines = make();
  deadlines.set('erase', instant(30));
  deadlines.set('rekey', instant(20));
  assert.equal([deadlines.earliest(), deadlines.reason()], [20, 'rekey']);
});

test('deadlines: setting replaces, in both directions', () => {
  const deadlines = make();
  deadlines.set('rekey', instant(20));
  deadlines.set('rekey', instant(40));
  assert.is(deadlines.earliest(), 40);
  deadlines.set('rekey', instant(10));
  assert.is(deadlines.earliest(), 10);
  deadlines.clear('rekey');
  assert.is(deadlines.earliest(), NEVER);
});

test('deadlines: due ones are taken in order of time, each once', () => {
  const deadlines = make();
  deadlines.set('erase', instant(10));
  deadlines.set('keepalive', instant(5));
  deadlines.set('rekey', instant(11));
  const taken = [0, 1, 2].map(() => deadlines.takeDue(instant(10)));
  assert.equal(taken, ['keepalive', 'erase', undefined]);
  assert.is(deadlines.reason(), 'rekey');
});

test('deadlines: at equal instants the name listed first goes first', () => {
  const deadlines = make();
  deadlines.set('erase', instant(10));
  deadlines.set('rekey', instant(10));
  assert.is(deadlines.takeDue(instant(10)), 'rekey');
  assert.is(deadlines.takeDue(instant(10)), 'erase');
});

test('deadlines: an instant is due when it is reached, not before', () => {
  const deadlines = make();
  deadlines.set('rekey', instant(10));
  assert.is(deadlines.takeDue(instant(9)), undefined);
  assert.is(deadlines.takeDue(instant(10)), 'rekey');
});

test('deadlines: clearing all leaves none', () => {
  const deadlines = make();
  deadlines.set('rekey', instant(1));
  deadlines.set('erase', instant(0));
  deadlines.clearAll();
  assert.equal([deadlines.earliest(), deadlines.isSet('erase')], [NEVER, false]);
});

test.run();
