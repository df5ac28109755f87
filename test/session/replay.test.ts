import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { REJECT_AFTER_MESSAGES } from '../../src/session/constants.js';
import { REPLAY_WINDOW, ReplayWindow } from '../../src/session/replay.js';
import { withSeed } from '../support/seed.js';

const replay = suite('replay');

const W = REPLAY_WINDOW;
const LIMIT = REJECT_AFTER_MESSAGES;

/** One window, asked in this order. */
const POINTS: readonly [counter: bigint, accepted: boolean, why: string][] = [
  [0n, true, 'the first counter there is'],
  [1n, true, 'the next'],
  [1n, false, 'again'],
  [9n, true, 'a gap'],
  [8n, true, 'inside the gap'],
  [7n, true, 'inside the gap'],
  [7n, false, 'again'],
  [2n, true, 'still inside'],
  [2n, false, 'again'],
  [0n, false, 'the first again'],
  [31n, true, 'the last bit before a word ends'],
  [32n, true, 'the first bit of a word'],
  [31n, false, 'again, from the next word'],
  [30n, true, 'behind it'],
  [63n, true, 'the last bit of two words'],
  [64n, true, 'and the first of the third'],
  [63n, false, 'again'],
  [W, true, 'a window further: bit 0 of the window is counter 0'],
  [0n, false, 'seen, and at the window edge'],
  [3n, true, 'unseen, just inside'],
  [W + 10n, true, 'on'],
  [9n, false, 'behind the window'],
  [10n, true, 'the last one inside'],
  [10n, false, 'again'],
  [11n, true, 'inside'],
  [W + 9n, true, 'just behind the latest'],
  [W + 10n, false, 'the latest again'],
  [2n * W + 10n, true, 'a whole window ahead'],
  [W + 9n, false, 'behind the window now'],
  [W + 10n, false, 'seen, on the edge'],
  [W + 11n, true, 'unseen, inside'],
  [5n * W, true, 'many windows ahead: everything before is forgotten'],
  [4n * W - 1n, false, 'behind'],
  [4n * W, true, 'on the edge, never seen'],
  [4n * W, false, 'again'],
  [1n << 60n, true, 'Rekey-After-Messages'],
  [(1n << 60n) - W, true, 'on the edge there'],
  [(1n << 60n) - W - 1n, false, 'behind'],
  [5n * W, false, 'long past'],
  [LIMIT - 1n, true, 'the last counter that may be used'],
  [LIMIT - 1n, false, 'again'],
  [LIMIT, false, 'Reject-After-Messages'],
  [LIMIT + 1n, false, 'past it'],
  [(1n << 64n) - 1n, false, 'the largest that fits the field'],
  [LIMIT - 2n, true, 'inside the window, below the limit'],
  [LIMIT - 2n, false, 'again'],
  [0n, false, 'the window never goes back'],
];

replay('replay: accepts each counter once, in the window only (WG-14)', () => {
  const window = new ReplayWindow();
  for (const [counter, accepted, why] of POINTS) {
    assert.is(window.accept(counter), accepted, `${counter}: ${why}`);
  }
});

function range(from: bigint, to: bigint): bigint[] {
  return Array.from({ length: Number(to - from) }, (_, i) => from + BigInt(i));
}

/** Each sweep: counters asked in order of a fresh window, and how many of them it accepts. */
const SWEEPS: readonly [why: string, counters: bigint[], accepted: bigint][] = [
  ['forwards', range(1n, W + 1n), W],
  ['forwards from 0', range(0n, W + 1n), W + 1n],
  ['backwards over exactly the window', range(0n, W + 1n).reverse(), W + 1n],
  ['backwards from one further: the last is behind', range(0n, W + 2n).reverse(), W + 1n],
  ['backwards, then forwards again', [...range(1n, W + 1n).reverse(), ...range(1n, W + 1n)], W],
  ['the window, after its far end', [W, ...range(0n, W)], W + 1n],
  [
    'the window, after its far end and one more',
    [W + 1n, ...range(0n, W + 2n)],
    W + 1n, // W + 1 itself and 1 ... W
  ],
  ['twice forwards', [...range(0n, 100n), ...range(0n, 100n)], 100n],
];

for (const [why, counters, accepted] of SWEEPS) {
  replay(`replay: swept ${why}, accepts ${accepted}`, () => {
    const window = new ReplayWindow();
    const count = counters.filter((counter) => window.accept(counter)).length;
    assert.is(BigInt(count), accepted);
  });
}

replay('replay: has 8128 counters behind the latest, as the kernel has', () => {
  assert.is(REPLAY_WINDOW, 8128n);
});

/** What the window stands for, in as few words as can be. */
class Oracle {
  readonly #seen = new Set<bigint>();
  #latest = -1n;

  accept(counter: bigint): boolean {
    if (counter >= LIMIT || counter + W < this.#latest || this.#seen.has(counter)) return false;
    this.#seen.add(counter);
    if (counter > this.#latest) this.#latest = counter;
    return true;
  }
}

replay('replay: agrees with a set of everything seen, on random walks', () => {
  withSeed('replay', (random) => {
    for (const stride of [1, 3, 70, 4000, 20_000]) {
      const [window, oracle] = [new ReplayWindow(), new Oracle()];
      let around = 0;
      for (let i = 0; i < 20_000; i++) {
        around += random.below(stride);
        const counter = BigInt(Math.max(0, around - random.below(9000) + random.below(40)));
        const expected = oracle.accept(counter);
        assert.is(window.accept(counter), expected, `stride ${stride}, step ${i}: ${counter}`);
      }
    }
  });
});

replay.run();
