import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { after, instant, micros, millis, NEVER, seconds } from '../../src/base/time.js';
import { Pace } from '../../src/node/pace.js';

const test = suite('node/pace');
const START = instant(seconds(100));

test('pace: the first is at once, what follows too soon waits, and is done once', () => {
  const pace = new Pace(seconds(1));
  assert.is(pace.deadline(), NEVER);
  assert.not(pace.take(START), 'nobody asked');
  pace.ask(START);
  assert.ok(pace.take(START));
  assert.not(pace.take(START));
  for (const wait of [1, 10, 900]) pace.ask(after(START, millis(wait)));
  const free = after(START, seconds(1));
  assert.is(pace.deadline(), free);
  assert.not(pace.take(after(free, micros(-1))));
  assert.ok(pace.take(free));
  assert.is(pace.deadline(), NEVER);
  const later = after(free, seconds(5));
  pace.ask(later);
  assert.ok(pace.take(later), 'long after, at once again');
});

test.run();
