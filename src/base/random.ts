/**
 * Randomness as a dependency: the system's in production, a seeded generator in tests and
 * simulations.
 */

export interface Random {
  /** `length` fresh bytes. */
  bytes(length: number): Uint8Array;
  /** A uniform integer in [0, 2^32). */
  u32(): number;
  /** A uniform integer in [0, limit); `limit` is at most 2^32. */
  below(limit: number): number;
}

/**
 * A deterministic generator (sfc32 by Chris Doty-Humphrey, seeded from FNV-1a of the text). Not for
 * keys outside tests. `fork(label)` depends on the seed and the label only, not on what was drawn
 * before.
 */
export class SeededRandom implements Random {
  readonly #seed: string;
  readonly #state: Uint32Array;

  constructor(seed: string) {
    this.#seed = seed;
    this.#state = new Uint32Array(4);
    for (let i = 0; i < 4; i++) this.#state[i] = fnv1a(`${i}/${seed}`);
    for (let i = 0; i < 16; i++) this.u32();
  }

  fork(label: string): SeededRandom {
    return new SeededRandom(`${this.#seed}/${label}`);
  }

  u32(): number {
    const [a = 0, b = 0, c = 0, counter = 0] = this.#state;
    const result = (a + b + counter) >>> 0;
    this.#state[0] = b ^ (b >>> 9);
    this.#state[1] = c + (c << 3);
    this.#state[2] = ((c << 21) | (c >>> 11)) + result;
    this.#state[3] = counter + 1;
    return result;
  }

  below(limit: number): number {
    return Math.floor((this.u32() / 0x1_0000_0000) * limit);
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) bytes[i] = this.u32() >>> 24;
    return bytes;
  }
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
