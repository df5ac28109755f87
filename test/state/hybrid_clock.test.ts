import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { seconds, wallTime } from '../../src/base/time.js';
import { HybridClock } from '../../src/state/hybrid_clock.js';

const test = suite('state/hybrid_clock');
const NOW = wallTime(1_790_000_000_000_000);
const DAY = seconds(86_400);

function later(days: number) {
  return wallTime(NOW + days * DAY);
}

test('hybrid clock: stamps rise, though the wall clock goes back', () => {
  const clock = new HybridClock(0);
  const stamps = [NOW, NOW, later(-1), later(-400), wallTime(0)].map((wall) => clock.next(wall));
  for (const [i, stamp] of stamps.entries()) assert.ok(i === 0 || stamp > (stamps[i - 1] ?? 0));
  assert.is(clock.last, stamps.at(-1));
});

test('hybrid clock: they rise above those of the life before', () => {
  assert.is(new HybridClock(NOW + 7).next(NOW), NOW + 8);
});

test('hybrid clock: alone it believes its wall clock', () => {
  assert.is(new HybridClock(0).trusted(later(3_650)), later(3_650));
});

test('hybrid clock: one ten years ahead is held back, one behind lifted', () => {
  const clock = new HybridClock(0);
  clock.heard(NOW);
  assert.is(clock.trusted(later(3_650)), later(40));
  assert.is(clock.trusted(later(-3_650)), NOW);
  assert.is(clock.trusted(later(20)), later(20));
  assert.ok(clock.isDoubted(later(3_650)));
  assert.ok(clock.isDoubted(later(-1)));
  assert.not(clock.isDoubted(later(39)));
  assert.is(clock.next(later(3_650)), later(40));
});

test('hybrid clock: what was heard before something newer changes nothing', () => {
  const clock = new HybridClock(0);
  clock.heard(later(30));
  clock.heard(NOW);
  assert.is(clock.trusted(NOW), later(30));
});

test.run();
