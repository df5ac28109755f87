import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { OptionError, parseOptions, planOf } from '../../bench/options.js';

const test = suite('bench options');

test('options: without any, everything is measured and written', () => {
  const options = parseOptions([]);
  assert.is(options.isQuick, false);
  assert.is(options.rounds, 5);
  assert.ok(options.withScale && options.withInProcess && options.writes);
  assert.equal(options.only, []);
});

test('options: a quick run writes nothing of the tree, and neither does one of a few', () => {
  assert.is(parseOptions(['--quick']).writes, false);
  assert.is(parseOptions(['--quick']).withScale, false);
  assert.is(parseOptions(['--only', 'veth,proxy']).writes, false);
  assert.equal(parseOptions(['--only', 'veth,proxy']).only, ['veth', 'proxy']);
  assert.is(parseOptions(['--quick', '--write']).writes, true);
  assert.is(parseOptions(['--no-write']).writes, false);
});

const REFUSED = [['--fast'], ['--rounds', '0'], ['--rounds', 'x'], ['--rounds', '1.5'], ['word']];
for (const words of REFUSED) {
  test(`options: refuses "${words.join(' ')}"`, () => {
    assert.throws(
      () => parseOptions(words),
      (error: unknown) => error instanceof OptionError,
    );
  });
}

/** Eleven, and nothing but what the plan says takes time. */
const SUBJECTS = 11;
const FLOOD_EXTRA_MS = 250;
const SLEEP_MS = 2200;
const GAP_MS = 150;

function secondsOf(words: readonly string[]): number {
  const plan = planOf(parseOptions(words));
  const loads = plan.tcp.length * plan.tcpSeconds * 1000;
  const floods = plan.floods.length * (plan.floodMs + FLOOD_EXTRA_MS);
  const latency = SUBJECTS * (plan.latencyMs + GAP_MS) + SLEEP_MS;
  const latencies = Math.ceil(plan.rounds / plan.latencyEvery) * latency;
  return (plan.rounds * SUBJECTS * (loads + floods) + latencies) / 1000 + 4 * plan.longSeconds;
}

test('options: a quick run has time for its two minutes, a full one for the other parts', () => {
  assert.ok(secondsOf(['--quick']) < 120, `${secondsOf(['--quick'])} s`);
  assert.ok(secondsOf([]) < 430, `${secondsOf([])} s`);
});

test.run();
