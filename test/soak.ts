/**
 * The long form of the random tests: runs them again and again, each time from another seed, until
 * the time is up or one fails. What it prints last repeats the failure.
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
const DEFAULT_MINUTES = 10;
const ROUND_LIMIT_MS = 10 * 60_000;

function soak(minutes: number): number {
  const runner = join(dirname(fileURLToPath(import.meta.url)), 'run.js');
  const random = new SystemRandom();
  const end = Date.now() + minutes * 60_000;
  for (let round = 1; Date.now() < end; round++) {
    const seed = String(random.u32());
    const env = { ...process.env, SEED: seed };
    const options = { env, encoding: 'utf8', timeout: ROUND_LIMIT_MS } as const;
    const { status, stdout } = spawnSync(process.execPath, [runner, ...RANDOM_TESTS], options);
    const closing = stdout.trimEnd().split('\n').at(-1) ?? '';
    process.stdout.write(`round ${round}, seed ${seed}: ${closing}\n`);
    if (status === 0) continue;
    process.stdout.write(`${stdout}\nSEED=${seed} npm test -- ${RANDOM_TESTS.join(' ')}\n`);
    return 1;
  }
  return 0;
}

const minutes = Number(process.argv[2] ?? DEFAULT_MINUTES);
if (!(minutes > 0)) {
  process.stderr.write(`"${process.argv[2]}" is not a number of minutes\n`);
  process.exitCode = 2;
} else {
  process.exitCode = soak(minutes);
}
