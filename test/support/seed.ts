/** Random tests: one seed a test, from the environment when a failure is to be repeated. */

import { SeededRandom } from '../../src/base/random.js';

/** Runs `body` with a generator; what it throws names the seed that repeats it. */
export function withSeed(fallback: string, body: (random: SeededRandom) => void): void {
  const seed = process.env.SEED ?? fallback;
  try {
    body(new SeededRandom(seed));
  } catch (error) {
    if (error instanceof Error) error.message = `SEED=${seed}: ${error.message}`;
    throw error;
  }
}
