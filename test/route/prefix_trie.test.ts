import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Address, addressFromBytes, type Prefix, prefixOf } from '../../src/base/address.js';
import type { SeededRandom } from '../../src/base/random.js';
import { PrefixTrie } from '../../src/route/prefix_trie.js';
import { address, prefix } from '../support/parsed.js';
import { withSeed } from '../support/seed.js';

const trie = suite('prefix trie');

function trieOf(entries: Readonly<Record<string, string>>): PrefixTrie<string> {
  const made = new PrefixTrie<string>();
  for (const [text, owner] of Object.entries(entries)) made.insert(prefix(text), owner);
  return made;
}

const TABLE = {
  '192.168.4.0/24': 'a',
  '192.168.4.4/32': 'b',
  '192.168.0.0/16': 'c',
  '192.95.5.64/27': 'd',
  '192.95.5.65/27': 'e',
  '0.0.0.0/0': 'f',
  '64.15.112.0/20': 'g',
  '64.15.123.211/25': 'h',
  '10.0.0.0/25': 'i',
  '10.0.0.128/25': 'j',
  '255.255.255.255/32': 'k',
  '2001:db8::/32': 'l',
  '2001:db8::/64': 'm',
  '2001:db8::1/128': 'n',
  'fd00::/8': 'o',
  'fd00:0:0:8000::/49': 'p',
  'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128': 'q',
};

const LOOKUPS: Readonly<Record<string, string | undefined>> = {
  '192.168.4.20': 'a',
  '192.168.4.0': 'a',
  '192.168.4.255': 'a',
  '192.168.4.4': 'b',
  '192.168.4.5': 'a',
  '192.168.200.182': 'c',
  '192.168.3.255': 'c',
  '192.95.5.68': 'e',
  '192.95.5.96': 'f',
  '192.95.5.63': 'f',
  '64.15.116.26': 'g',
  '64.15.127.3': 'g',
  '64.15.123.1': 'g',
  '64.15.123.128': 'h',
  '64.15.123.129': 'h',
  '64.15.128.0': 'f',
  '10.0.0.52': 'i',
  '10.0.0.127': 'i',
  '10.0.0.128': 'j',
  '10.0.0.220': 'j',
  '10.0.1.0': 'f',
  '0.0.0.0': 'f',
  '255.255.255.255': 'k',
  '255.255.255.254': 'f',
  '2001:db8::1': 'n',
  '2001:db8::2': 'm',
  '2001:db8:0:1::': 'l',
  '2001:db9::': undefined,
  'fd12::1': 'o',
  'fd00:0:0:8001::': 'p',
  'fd00:0:0:7fff::': 'o',
  'fe00::': undefined,
  'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff': 'q',
  'ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe': undefined,
};

for (const [text, owner] of Object.entries(LOOKUPS)) {
  trie(`prefix trie: ${text} belongs to ${owner ?? 'nobody'}`, () => {
    assert.is(trieOf(TABLE).lookupAddress(address(text)), owner);
  });
}

trie('prefix trie: reads the address from where it stands in a packet', () => {
  const packet = new Uint8Array(40).fill(0xff);
  packet.set(address('10.0.0.200').bytes, 16);
  assert.is(trieOf(TABLE).lookup(packet, 16, 4), 'j');
});

trie('prefix trie: a prefix goes to whom it was given last', () => {
  const made = trieOf({ '10.0.0.0/8': 'a' });
  made.insert(prefix('10.0.0.0/8'), 'b');
  assert.equal([made.lookupAddress(address('10.1.1.1')), made.size], ['b', 1]);
});

trie('prefix trie: removing gives what is left to the next shorter prefix', () => {
  const made = trieOf({ '10.0.0.0/8': 'a', '10.1.0.0/16': 'b', '10.1.1.0/24': 'c' });
  const owner = () => made.lookupAddress(address('10.1.1.1'));
  assert.not(made.remove(prefix('10.1.1.0/25')), 'nobody had it');
  assert.not(made.remove(prefix('10.0.0.0/9')), 'nobody had it, though others lie there');
  assert.is(owner(), 'c');
  assert.ok(made.remove(prefix('10.1.1.0/24')));
  assert.is(owner(), 'b');
  assert.ok(made.remove(prefix('10.0.0.0/8')));
  assert.is(owner(), 'b');
  assert.ok(made.remove(prefix('10.1.0.0/16')));
  assert.not(made.remove(prefix('10.1.0.0/16')));
  assert.equal([owner(), made.size], [undefined, 0]);
});

trie('prefix trie: takes every prefix of one owner, and leaves the others', () => {
  const made = trieOf({ '10.0.0.0/8': 'a', '10.1.0.0/16': 'b', 'fd00::/8': 'a', '::/0': 'b' });
  assert.is(made.removeOwner('a'), 2);
  assert.is(made.removeOwner('a'), 0);
  const left = [...made.entries()].map((entry) => `${entry.prefix.text} ${entry.owner}`);
  assert.equal(left, ['10.1.0.0/16 b', '::/0 b']);
});

trie('prefix trie: lists its prefixes in order, canonical, though forks lie between', () => {
  const made = trieOf({
    '10.0.0.129/32': 'a',
    '10.0.0.1/32': 'b',
    '9.0.0.0/8': 'c',
    '10.0.0.0/24': 'd',
    '0.0.0.0/0': 'e',
  });
  assert.equal(
    [...made.entries()].map((entry) => entry.prefix.text),
    ['0.0.0.0/0', '9.0.0.0/8', '10.0.0.0/24', '10.0.0.1/32', '10.0.0.129/32'],
  );
});

/** Longest-prefix match in as few words as can be. */
class Oracle {
  readonly #entries = new Map<string, { prefix: Prefix; owner: number }>();

  insert(prefix: Prefix, owner: number): void {
    this.#entries.set(prefix.text, { prefix, owner });
  }

  remove(prefix: Prefix): boolean {
    return this.#entries.delete(prefix.text);
  }

  removeOwner(owner: number): number {
    const theirs = [...this.#entries.values()].filter((entry) => entry.owner === owner);
    for (const entry of theirs) this.#entries.delete(entry.prefix.text);
    return theirs.length;
  }

  lookup(address: Address): number | undefined {
    let best: { prefix: Prefix; owner: number } | undefined;
    for (const entry of this.#entries.values()) {
      if (best && entry.prefix.length <= best.prefix.length) continue;
      if (covers(entry.prefix, address)) best = entry;
    }
    return best?.owner;
  }

  get size(): number {
    return this.#entries.size;
  }

  texts(): string[] {
    return [...this.#entries.keys()].sort();
  }
}

/** Bit by bit. */
function covers(prefix: Prefix, address: Address): boolean {
  if (prefix.address.family !== address.family) return false;
  const [a, b] = [prefix.address.bytes, address.bytes];
  for (let i = 0; i < prefix.length; i++) {
    const difference = (a[i >> 3] ?? 0) ^ (b[i >> 3] ?? 0);
    if ((difference & (0x80 >> (i & 7))) !== 0) return false;
  }
  return true;
}

/** Few distinct bits, so that prefixes nest, share and collide. */
function randomAddress(random: SeededRandom, family: 4 | 6): Address {
  const bytes = new Uint8Array(family === 4 ? 4 : 16);
  for (let i = 0; i < 4; i++) {
    bytes[random.below(bytes.length)] = 1 << random.below(8);
  }
  return addressFromBytes(bytes, 0, family);
}

function randomPrefix(random: SeededRandom): Prefix {
  const found = randomAddress(random, random.below(2) === 0 ? 4 : 6);
  return prefixOf(found, random.below(found.family === 4 ? 33 : 129));
}

trie('prefix trie: agrees with brute force on 10^6 random operations (WG-15)', () => {
  withSeed('trie', (random) => {
    const rounds = 20;
    for (let round = 0; round < rounds; round++) {
      const [made, oracle] = [new PrefixTrie<number>(), new Oracle()];
      const target = 1 + random.below(40);
      for (let i = 0; i < 1_000_000 / rounds; i++) {
        const grows = oracle.size < target;
        const choice = random.below(40);
        if (choice === 0 && random.below(20) === 0) {
          const owner = random.below(4);
          assert.is(made.removeOwner(owner), oracle.removeOwner(owner));
        } else if (choice < (grows ? 3 : 1)) {
          const [prefix, owner] = [randomPrefix(random), random.below(4)];
          made.insert(prefix, owner);
          oracle.insert(prefix, owner);
        } else if (choice < 4) {
          const prefix = randomPrefix(random);
          assert.is(made.remove(prefix), oracle.remove(prefix), prefix.text);
        } else {
          const sought = randomAddress(random, random.below(2) === 0 ? 4 : 6);
          assert.is(made.lookupAddress(sought), oracle.lookup(sought), sought.text);
        }
      }
      assert.is(made.size, oracle.size);
      assert.ok(made.countNodes() <= 2 * made.size, 'no fork stays behind');
      assert.equal([...made.entries()].map((entry) => entry.prefix.text).sort(), oracle.texts());
    }
  });
});

trie.run();
