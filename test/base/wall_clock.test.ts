import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { instant, seconds, wallTime } from '../../src/base/time.js';
import { WallClock } from '../../src/base/wall_clock.js';

const test = suite('wall_clock');

test('wall clock: runs on as boot time does between two tellings', () => {
  const clock = new WallClock();
  clock.set(wallTime(1_000_000), instant(10));
  assert.is(clock.at(instant(10)), 1_000_000);
  assert.is(clock.at(instant(25)), 1_000_015);
});

test('wall clock: says by how much a telling differs from what was expected', () => {
  const clock = new WallClock();
  assert.is(clock.set(wallTime(seconds(1000)), instant(0)), 0, 'nothing was expected yet');
  assert.is(clock.set(wallTime(seconds(1005)), instant(seconds(5))), 0);
  assert.is(clock.set(wallTime(seconds(1110)), instant(seconds(10))), seconds(100));
  assert.is(clock.set(wallTime(seconds(15)), instant(seconds(15))), seconds(-1100));
});

test('wall clock: is not asked before it was told', () => {
  assert.throws(() => new WallClock().at(instant(0)), /told before/);
});

test.run();
