/** Randomness from the system, for keys, nonces, indices and jitter. */

import { randomBytes, randomInt } from 'node:crypto';
import { assert } from '../base/assert.js';
import { loadLe32 } from '../base/bytes.js';
import type { Random } from '../base/random.js';

const U32_LIMIT = 0x1_0000_0000;

export class SystemRandom implements Random {
  bytes(length: number): Uint8Array {
    // A copy of its own: a Buffer may be a window on memory that others share.
    return new Uint8Array(randomBytes(length));
  }

  u32(): number {
    return loadLe32(randomBytes(4), 0);
  }

  below(limit: number): number {
    assert(Number.isInteger(limit) && limit >= 1 && limit <= U32_LIMIT, 'a limit is 1 to 2^32');
    return randomInt(limit);
  }
}
