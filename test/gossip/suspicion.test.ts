import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { seconds, toSeconds } from '../../src/base/time.js';
import { GOSSIP_DEFAULTS } from '../../src/gossip/config.js';
import { digits, log10, suspicionTime, suspicionTimes } from '../../src/gossip/suspicion.js';

const test = suite('gossip/suspicion');

test('suspicion: its times are Lifeguard’s (§IV.B), by the number of members', () => {
  for (const [count, least] of [
    [5, 4],
    [10, 4],
    [100, 8],
    [1_000, 12],
  ] as const) {
    const times = suspicionTimes(count, GOSSIP_DEFAULTS);
    assert.is(times.least, seconds(least), `${count} members`);
    assert.is(times.most, seconds(6 * least));
    assert.is(times.confirmations, 2);
  }
});

test('suspicion: where too few are left to confirm it nobody waits for them', () => {
  assert.is(suspicionTimes(3, GOSSIP_DEFAULTS).confirmations, 0);
  const times = suspicionTimes(2, GOSSIP_DEFAULTS);
  assert.is(suspicionTime(times, 0), times.least);
});

test('suspicion: it shrinks with each further accuser, to the least', () => {
  const times = suspicionTimes(100, GOSSIP_DEFAULTS);
  const [alone, second, third, more] = [0, 1, 2, 5].map((each) => suspicionTime(times, each));
  assert.is(alone, times.most);
  assert.ok(second !== undefined && second < times.most && second > times.least);
  // most - (most - least) * log 2 / log 3, of 48 s and 8 s.
  assert.ok(Math.abs(toSeconds(second) - (48 - (40 * Math.log(2)) / Math.log(3))) < 0.01);
  assert.is(third, times.least);
  assert.is(more, times.least);
});

test('suspicion: logarithms come from a table, to three digits', () => {
  for (let count = 1; count < 100_000; count = Math.ceil(count * 1.37)) {
    assert.ok(Math.abs(log10(count) - Math.log10(count)) < 0.002, `${count}`);
  }
  for (const [count, expected] of [
    [1, 1],
    [9, 1],
    [10, 2],
    [99, 2],
    [100, 3],
    [1_000, 4],
  ] as const) {
    assert.is(digits(count), expected);
  }
});

test.run();
