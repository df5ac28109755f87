/** Instants and durations are whole microseconds, and never is for ever. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as time from '../../src/base/time.js';

const test = suite('time');

test('time: units become microseconds, rounded to the nearest', () => {
  assert.is(time.seconds(5), 5_000_000);
  assert.is(time.seconds(0.333), 333_000);
  assert.is(time.millis(200), 200_000);
  assert.is(time.millis(0.0004), 0);
  assert.is(time.micros(1.5), 2);
  assert.is(time.seconds(1.005), 1_005_000, 'not 1004999.9999');
});

test('time: instants are cut to whole microseconds, never rounded into the future', () => {
  assert.is(time.instant(1.9), 1);
  assert.is(time.wallTime(1.9), 1);
});

test('time: after adds, and never stays never', () => {
  assert.is(time.after(time.instant(10), time.micros(5)), 15);
  assert.is(time.after(time.instant(10), time.micros(-5)), 5);
  assert.is(time.after(time.NEVER, time.seconds(1)), time.NEVER);
  assert.is(time.after(time.NEVER, time.seconds(-1)), time.NEVER);
});

test('time: elapsed is negative when the other lies ahead', () => {
  assert.is(time.elapsed(time.instant(10), time.instant(25)), 15);
  assert.is(time.elapsed(time.instant(25), time.instant(10)), -15);
});

test('time: earliest and latest of two', () => {
  const [early, late] = [time.instant(1), time.instant(2)];
  assert.equal([time.earliest(early, late), time.earliest(late, early)], [early, early]);
  assert.equal([time.latest(early, late), time.latest(late, early)], [late, late]);
  assert.is(time.earliest(time.NEVER, late), late);
});

test('time: never is later than any instant a host can reach', () => {
  assert.ok(time.NEVER > time.seconds(200 * 366 * 86_400), 'two hundred years after boot');
});

test('time: durations read back in the unit they are wanted in', () => {
  assert.is(time.toMillis(time.seconds(1.5)), 1_500);
  assert.is(time.toSeconds(time.millis(1_500)), 1.5);
});

test.run();
