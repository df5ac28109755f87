/**
 * Longest-prefix match over the inner prefixes of all peers: one binary trie a family, whose paths
 * without a fork are compressed into one node, as in the kernel's WireGuard (allowedips.c). A
 * look-up costs at most one comparison a node on its way, and there are at most twice as many nodes
 * as prefixes.
 */

import {
  type Address,
  addressFromBytes,
  bitsOf,
  type Family,
  type Prefix,
  prefixOf,
} from '../base/address.js';

interface TrieNode<Owner> {
  /** The node stands for the leading `length` bits; those behind mean nothing. */
  readonly bytes: Uint8Array;
  readonly length: number;
  /** Undefined: the node is only a fork. */
  owner: Owner | undefined;
  readonly children: [TrieNode<Owner> | undefined, TrieNode<Owner> | undefined];
}

export class PrefixTrie<Owner> {
  readonly #roots: Record<Family, TrieNode<Owner> | undefined> = { 4: undefined, 6: undefined };
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Less than twice `size`, because a mere fork has two children. Costs a walk over them all. */
  countNodes(): number {
    const count = (node: TrieNode<Owner> | undefined): number =>
      node ? 1 + count(node.children[0]) + count(node.children[1]) : 0;
    return count(this.#roots[4]) + count(this.#roots[6]);
  }

  /** Gives the prefix to `owner`, taking it from whoever had it. */
  insert(prefix: Prefix, owner: Owner): void {
    const { family, bytes } = prefix.address;
    this.#roots[family] = this.#insertAt(this.#roots[family], bytes, prefix.length, owner);
  }

  /** False when nobody had it. */
  remove(prefix: Prefix): boolean {
    const { family, bytes } = prefix.address;
    const before = this.#size;
    this.#roots[family] = this.#removeAt(this.#roots[family], bytes, prefix.length);
    return this.#size < before;
  }

  /** The owner of the longest prefix around the address that stands at `bytes[at]`. */
  lookup(bytes: Uint8Array, at: number, family: Family): Owner | undefined {
    let found: Owner | undefined;
    let node = this.#roots[family];
    while (node && sharedBits(node.bytes, 0, bytes, at, node.length) === node.length) {
      found = node.owner ?? found;
      if (node.length === bitsOf(family)) break;
      node = node.children[bitAt(bytes, at, node.length)];
    }
    return found;
  }

  lookupAddress(address: Address): Owner | undefined {
    return this.lookup(address.bytes, 0, address.family);
  }

  /**
   * Takes every prefix from `owner`; its cost is that of all prefixes. Returns how many there were.
   */
  removeOwner(owner: Owner): number {
    const theirs = [...this.entries()].filter((entry) => entry.owner === owner);
    for (const { prefix } of theirs) this.remove(prefix);
    return theirs.length;
  }

  /**
   * All prefixes, IPv4 first, by address and then length. The trie must not be changed meanwhile.
   */
  *entries(): Generator<{ prefix: Prefix; owner: Owner }> {
    for (const family of [4, 6] as const) {
      const pending = [this.#roots[family]];
      while (pending.length > 0) {
        const node = pending.pop();
        if (!node) continue;
        if (node.owner !== undefined) yield { prefix: prefixAt(node), owner: node.owner };
        pending.push(node.children[1], node.children[0]);
      }
    }
  }

  #insertAt(
    node: TrieNode<Owner> | undefined,
    bytes: Uint8Array,
    length: number,
    owner: Owner,
  ): TrieNode<Owner> {
    if (!node) return this.#leaf(bytes, length, owner);
    const shared = sharedBits(node.bytes, 0, bytes, 0, Math.min(node.length, length));
    if (shared === node.length && shared === length) {
      if (node.owner === undefined) this.#size++;
      node.owner = owner;
      return node;
    }
    if (shared === node.length) {
      const side = bitAt(bytes, 0, shared);
      node.children[side] = this.#insertAt(node.children[side], bytes, length, owner);
      return node;
    }
    const fork =
      shared === length ? this.#leaf(bytes, length, owner) : forkAt<Owner>(bytes, shared);
    fork.children[bitAt(node.bytes, 0, shared)] = node;
    if (shared < length) fork.children[bitAt(bytes, 0, shared)] = this.#leaf(bytes, length, owner);
    return fork;
  }

  #removeAt(
    node: TrieNode<Owner> | undefined,
    bytes: Uint8Array,
    length: number,
  ): TrieNode<Owner> | undefined {
    if (!node || node.length > length) return node;
    if (sharedBits(node.bytes, 0, bytes, 0, node.length) !== node.length) return node;
    if (node.length < length) {
      const side = bitAt(bytes, 0, node.length);
      node.children[side] = this.#removeAt(node.children[side], bytes, length);
    } else if (node.owner !== undefined) {
      node.owner = undefined;
      this.#size--;
    }
    if (node.owner !== undefined || (node.children[0] && node.children[1])) return node;
    return node.children[0] ?? node.children[1];
  }

  #leaf(bytes: Uint8Array, length: number, owner: Owner): TrieNode<Owner> {
    this.#size++;
    return { bytes, length, owner, children: [undefined, undefined] };
  }
}

function forkAt<Owner>(bytes: Uint8Array, length: number): TrieNode<Owner> {
  return { bytes, length, owner: undefined, children: [undefined, undefined] };
}

function prefixAt(node: { bytes: Uint8Array; length: number }): Prefix {
  const family = node.bytes.length === 4 ? 4 : 6;
  return prefixOf(addressFromBytes(node.bytes, 0, family), node.length);
}

function bitAt(bytes: Uint8Array, at: number, index: number): 0 | 1 {
  return (((bytes[at + (index >> 3)] ?? 0) >> (7 - (index & 7))) & 1) === 0 ? 0 : 1;
}

/** How many leading bits `a[aAt...]` and `b[bAt...]` share, at most `limit`. */
function sharedBits(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number, limit: number): number {
  for (let i = 0; i * 8 < limit; i++) {
    const difference = (a[aAt + i] ?? 0) ^ (b[bAt + i] ?? 0);
    if (difference !== 0) return Math.min(limit, i * 8 + Math.clz32(difference) - 24);
  }
  return limit;
}
