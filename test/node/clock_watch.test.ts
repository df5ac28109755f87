import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { after, instant, seconds, wallTime } from '../../src/base/time.js';
import { ClockWatch } from '../../src/node/clock_watch.js';
import { WallClock } from '../../src/base/wall_clock.js';
import { KeptLog } from '../support/kept_log.js';

const test = suite('node/clock_watch');
const START = instant(seconds(100));
const WALL = 1_795_392_000_000_000;

test('clock watch: a jump is logged with its length, drift and the first telling are not', () => {
  const log = new KeptLog();
  const wallClock = new WallClock();
  const watch = new ClockWatch(wallClock, log);
  watch.set(wallTime(WALL), START);
  watch.set(wallTime(WALL + 30_000_000), START);
  assert.equal(log.lines, []);
  const later = after(START, seconds(1));
  watch.set(wallTime(WALL + 3_600_000_000), later);
  assert.equal(log.lines, [
    { level: 'warn', message: 'The wall clock jumped', fields: { seconds: 3569 } },
  ]);
  assert.is(wallClock.at(later), WALL + 3_600_000_000);
  watch.set(wallTime(WALL), after(START, seconds(2)));
  assert.is(log.lines.length, 1, 'once a minute at most');
  watch.set(wallTime(WALL), after(START, seconds(70)));
  assert.is(log.lines.length, 2);
});

test.run();
