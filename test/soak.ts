/**
 * The long form of the tests that have one: daemons are started and ended 500 times, meshes are
 * simulated under 1,000 seeds, the fuzzers take a tenth of the time each, then the random tests run
 * again and again, each time from another seed, until the time is up or one fails. What it prints
 * last repeats the failure.
 *
 *   npm run soak               10 minutes
 *   npm run soak -- 60         60 minutes
 */

import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SystemRandom } from '../src/io/entropy.js';

/** Files with random tests, by words of their paths. */
const RANDOM_TESTS = [
  'twin',
  'prefix_trie',
  'segment',
  'coalesce',
  'reclaim',
  'tables',
  'engine',
  'rate_limiter',
  'node_traffic',
];
/** These take their length from the environment. */
const CHURN = { words: ['exam_churn'], env: { CHURN_STARTS: '500' } };
const FUZZ_WORDS = ['test/fuzz/'];
/** Meshes under a thousand seeds. */
const SIMULATION = { words: ['sim/simulation'], env: { SEEDS: '1000' } };
const SIMULATION_LIMIT_MS = 60 * 60_000;
const DEFAULT_MINUTES = 10;
const ROUND_LIMIT_MS = 10 * 60_000;
const CHURN_LIMIT_MS = 20 * 60_000;

function soak(minutes: number): number {
  const random = new SystemRandom();
  const end = Date.now() + minutes * 60_000;
  const churned = run('churn', CHURN.words, CHURN.env, CHURN_LIMIT_MS);
  const seeds = { ...SIMULATION.env, SEED: String(random.u32()) };
  if (churned && !run('simulation', SIMULATION.words, seeds, SIMULATION_LIMIT_MS)) return 1;
  // A tenth of the time for each fuzzer.
  const fuzzing = { FUZZ_SECONDS: String(Math.ceil(6 * minutes)) };
  if (churned && !run('fuzzers', FUZZ_WORDS, fuzzing, minutes * 60_000 + ROUND_LIMIT_MS)) return 1;
  for (let round = 1; churned && Date.now() < end; round++) {
    const env = { SEED: String(random.u32()) };
    if (!run(`round ${round}`, RANDOM_TESTS, env, ROUND_LIMIT_MS)) return 1;
  }
  return churned ? 0 : 1;
}

/** Runs the tests that have one of the words; false, and how to repeat it, when one fails. */
function run(
  name: string,
  words: readonly string[],
  env: Readonly<Record<string, string>>,
  timeout: number,
): boolean {
  const runner = join(dirname(fileURLToPath(import.meta.url)), 'run.js');
  const options = { env: { ...process.env, ...env }, encoding: 'utf8', timeout } as const;
  const { status, stdout } = spawnSync(process.execPath, [runner, ...words], options);
  const settings = Object.entries(env).map(([key, value]) => `${key}=${value}`);
  const closing = stdout.trimEnd().split('\n').at(-1) ?? '';
  process.stdout.write(`${name}, ${settings.join(' ')}: ${closing}\n`);
  if (status === 0) return true;
  process.stdout.write(`${stdout}\n${settings.join(' ')} npm test -- ${words.join(' ')}\n`);
  return false;
}

const minutes = Number(process.argv[2] ?? DEFAULT_MINUTES);
if (!(minutes > 0)) {
  process.stderr.write(`"${process.argv[2]}" is not a number of minutes\n`);
  process.exitCode = 2;
} else {
  process.exitCode = soak(minutes);
}
