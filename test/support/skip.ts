/**
 * How a test says that something it needs is not here. It counts as skipped, never as passed; in CI
 * a skipped test fails. The runner (test/run.ts) hears of it over a diagnostics channel, because
 * uvu knows no outcome but pass and fail.
 */

import { channel } from 'node:diagnostics_channel';

/** Carries the reason of each skip, a string, at the moment the test gives up. */
export const SKIP_CHANNEL = 'heddle:test:skip';

/** Thrown through the test that cannot run here. */
class Skip extends Error {
  override readonly name = 'Skip';
}

/** Ends the test that calls it. `reason` names what is missing and how to get it. */
export function skip(reason: string): never {
  channel(SKIP_CHANNEL).publish(reason);
  throw new Skip(reason);
}
