/** What holds for every body of a record: it is whole, or it is nothing. */

import * as assert from 'uvu/assert';
import { equalBytes } from './bytes.js';
import { withSeed } from './seed.js';
import type { SeededRandom } from '../../src/base/random.js';

export interface BodyCodec<T> {
  readonly make: (random: SeededRandom) => Uint8Array;
  readonly parse: (body: Uint8Array) => T | undefined;
  readonly emit: (value: T) => Uint8Array;
}

/** Random bodies come back as they were; cut short or longer they are none. */
export function checkBody<T>(name: string, { make, parse, emit }: BodyCodec<T>): void {
  withSeed(name, (random) => {
    for (let round = 0; round < 50; round++) {
      const body = make(random);
      const value = parse(body);
      if (value === undefined) return assert.unreachable('what is emitted can be parsed');
      equalBytes(emit(value), body);
      for (let length = 0; length < body.length; length += 1 + random.below(7)) {
        assert.is(parse(body.subarray(0, length)), undefined, `cut to ${length} bytes`);
      }
      assert.is(parse(Uint8Array.from([...body, 0])), undefined, 'with a byte more');
    }
  });
}

/** The body with one byte changed. */
export function changed(body: Uint8Array, at: number, to: number): Uint8Array {
  const copy = body.slice();
  copy[at < 0 ? copy.length + at : at] = to;
  return copy;
}
