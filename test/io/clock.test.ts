import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SystemClock } from '../../src/io/clock.js';
import { addonHere } from '../support/twin.js';

const clock = suite('clock');

clock('clock: counts microseconds since boot, and never goes back', () => {
  const system = new SystemClock(addonHere());
  const uptime = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
  let last = system.now();
  // /proc/uptime is CLOCK_BOOTTIME too, in hundredths.
  assert.ok(Math.abs(last / 1e6 - uptime) < 2, `${last} us is ${uptime} s`);
  for (let i = 0; i < 1000; i++) {
    const now = system.now();
    assert.ok(Number.isInteger(now));
    assert.ok(now >= last);
    last = now;
  }
});

clock('clock: shows the wall clock in microseconds', () => {
  const before = Date.now();
  const wall = new SystemClock(addonHere()).wall();
  assert.ok(wall >= before * 1000 && wall <= Date.now() * 1000);
});

clock.run();
