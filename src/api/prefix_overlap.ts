/**
 * Whether a prefix has an address in common with any of a fixed set: asked of very many prefixes
 * about few.
 */

import { type Family, type Prefix, prefixOf } from '../base/address.js';

export class PrefixOverlap {
  readonly #prefixes: readonly Prefix[];
  readonly #texts: ReadonlySet<string>;
  /** The lengths that occur, by family. */
  readonly #lengths: ReadonlyMap<Family, readonly number[]>;
  /** By family and length, the prefixes that are as long or longer, cut to it; made when needed. */
  readonly #cut = new Map<string, ReadonlySet<string>>();

  constructor(prefixes: readonly Prefix[]) {
    this.#prefixes = prefixes;
    this.#texts = new Set(prefixes.map(({ text }) => text));
    this.#lengths = new Map([
      [4, lengthsOf(prefixes, 4)],
      [6, lengthsOf(prefixes, 6)],
    ]);
  }

  /** Two prefixes overlap where they agree in the bits that both have. */
  overlaps({ address, length, text }: Prefix): boolean {
    if (this.#prefixes.length === 0) return false;
    if (this.#cutTo(address.family, length).has(text)) return true;
    const lengths = this.#lengths.get(address.family) ?? [];
    return lengths.some(
      (shorter) => shorter < length && this.#texts.has(prefixOf(address, shorter).text),
    );
  }

  #cutTo(family: Family, length: number): ReadonlySet<string> {
    const key = `${family} ${length}`;
    const known = this.#cut.get(key);
    if (known) return known;
    const long = this.#prefixes.filter(
      (each) => each.address.family === family && each.length >= length,
    );
    const cut = new Set(long.map(({ address }) => prefixOf(address, length).text));
    this.#cut.set(key, cut);
    return cut;
  }
}

function lengthsOf(prefixes: readonly Prefix[], family: Family): number[] {
  const own = prefixes.filter(({ address }) => address.family === family);
  return [...new Set(own.map(({ length }) => length))];
}
