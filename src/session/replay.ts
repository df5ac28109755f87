/**
 * Which counters of one receiving keypair were accepted: a sliding window over a ring of bits (RFC
 * 6479), of the kernel's size: 8192 bits, of which one word is always being cleared, so that
 * counters up to 8128 behind the latest are still told apart. Asked only after a message
 * authenticated; there is no state for messages that do not.
 */

import { REJECT_AFTER_MESSAGES } from './constants.js';

const BITS = 8192;
const WORD_BITS = 32;
const WORDS = BITS / WORD_BITS;
/**
 * Counters farther behind the latest than this are refused: the kernel's COUNTER_WINDOW_SIZE, with
 * its 64-bit words.
 */
export const REPLAY_WINDOW = BigInt(BITS - 64);

export class ReplayWindow {
  readonly #ring = new Uint32Array(WORDS);
  /** One above the largest counter accepted, so that 0 is "none yet". */
  #latest = 0n;

  /**
   * True once for each counter in the window; false for repetitions, for what lies behind it, and
   * past the limit.
   */
  accept(counter: bigint): boolean {
    if (counter >= REJECT_AFTER_MESSAGES) return false;
    const ordinal = counter + 1n;
    if (ordinal + REPLAY_WINDOW < this.#latest) return false;
    const word = ordinal / 32n;
    if (ordinal > this.#latest) {
      this.#clear(this.#latest / 32n, word);
      this.#latest = ordinal;
    }
    const at = Number(word % BigInt(WORDS));
    const bit = 1 << Number(ordinal % 32n);
    const bits = this.#ring[at] ?? 0;
    if ((bits & bit) !== 0) return false;
    this.#ring[at] = bits | bit;
    return true;
  }

  /**
   * Empties the words from behind `from` up to `to`: they are about to stand for newer counters.
   */
  #clear(from: bigint, to: bigint): void {
    const count = to - from > BigInt(WORDS) ? WORDS : Number(to - from);
    for (let i = 1n; i <= BigInt(count); i++) this.#ring[Number((from + i) % BigInt(WORDS))] = 0;
  }
}
