import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type NodeId, nodeId } from '../../src/base/identifiers.js';
import type { SeededRandom } from '../../src/base/random.js';
import { wallTime } from '../../src/base/time.js';
import type { Reclaimed } from '../../src/ipam/lease_body.js';
import { type Lease, LeaseTable, type LeaseTerms } from '../../src/ipam/lease_table.js';
import { overlaps } from '../../src/ipam/overlap.js';
import { Pool, prefixAt, type Slot } from '../../src/ipam/pool.js';
import { prefix } from '../support/parsed.js';
import { withSeed } from '../support/seed.js';

const test = suite('ipam/lease table');

const CREATED = 1_000;

function id(number: number): NodeId {
  return nodeId(number.toString(16).padStart(16, '0'));
}

function tableOf(pool = '10.5.0.0/16'): LeaseTable {
  const table = new LeaseTable();
  table.setPool(new Pool(prefix(pool)), wallTime(CREATED));
  return table;
}

interface Brief {
  readonly by: number;
  readonly at: number;
  readonly reclaimed?: readonly Reclaimed[];
}

function terms(text: string, { by, at, reclaimed = [] }: Brief): LeaseTerms {
  const leased = prefix(text);
  const slot: Slot = leased.length === 32 ? 'address' : 'subnet';
  return { author: id(by), slot, prefix: leased, claimedAt: wallTime(at), reclaimed };
}

/** Who of the authors has what it leased. */
function holders(table: LeaseTable): number[] {
  const inForce = [...table.all()].filter(({ isInForce }) => isInForce);
  return inForce.map(({ author }) => Number.parseInt(author, 16)).sort((a, b) => a - b);
}

for (const [leases, expected, why] of [
  [[['10.5.0.1', { by: 1, at: 2_000 }]], [1], 'alone'],
  [
    [
      ['10.5.0.1', { by: 1, at: 3_000 }],
      ['10.5.0.1', { by: 2, at: 2_000 }],
    ],
    [2],
    'the earlier claim',
  ],
  [
    [
      ['10.5.0.1', { by: 2, at: 2_000 }],
      ['10.5.0.1', { by: 1, at: 2_000 }],
    ],
    [1],
    'of two at one instant the lower id',
  ],
  [
    [
      ['10.5.0.1', { by: 1, at: 10 }],
      ['10.5.0.1', { by: 2, at: 2_000 }],
    ],
    [2],
    'a claim from before there was a network is none',
  ],
  [
    [
      ['10.5.0.1', { by: 1, at: 2_000 }],
      ['10.5.0.2', { by: 2, at: 2_000 }],
    ],
    [1, 2],
    'both where they are apart',
  ],
  [
    [
      ['10.5.128.0/20', { by: 1, at: 3_000 }],
      ['10.5.129.0/24', { by: 2, at: 2_000 }],
      ['10.5.144.0/24', { by: 3, at: 4_000 }],
    ],
    [2, 3],
    'a larger subnet around an earlier one',
  ],
  [
    [
      ['10.5.128.0/20', { by: 1, at: 2_000 }],
      ['10.5.129.0/24', { by: 2, at: 3_000 }],
      ['10.5.143.0/28', { by: 3, at: 3_000 }],
    ],
    [1],
    'smaller subnets within an earlier one',
  ],
  [
    [
      ['10.5.0.1', { by: 1, at: 2_000 }],
      [
        '10.5.0.1',
        { by: 2, at: 3_000, reclaimed: [{ holder: id(1), claimedAt: wallTime(2_000) }] },
      ],
    ],
    [2],
    'one that names the other as ended',
  ],
  [
    [
      ['10.5.0.1', { by: 1, at: 2_001 }],
      [
        '10.5.0.1',
        { by: 2, at: 3_000, reclaimed: [{ holder: id(1), claimedAt: wallTime(2_000) }] },
      ],
    ],
    [1],
    'one that names another claim of the same holder',
  ],
  [
    [
      [
        '10.5.0.1',
        { by: 1, at: 3_000, reclaimed: [{ holder: id(2), claimedAt: wallTime(2_000) }] },
      ],
      [
        '10.5.0.1',
        { by: 2, at: 2_000, reclaimed: [{ holder: id(1), claimedAt: wallTime(3_000) }] },
      ],
    ],
    [2],
    'of two that name each other the earlier',
  ],
  [
    [
      ['10.6.0.1', { by: 1, at: 2_000 }],
      ['10.5.128.1', { by: 2, at: 2_000 }],
      ['10.5.0.0/24', { by: 3, at: 2_000 }],
      ['0.0.0.0/0', { by: 4, at: 2_000 }],
    ],
    [],
    'nobody has what the pool does not lease',
  ],
] as [[string, Brief][], number[], string][]) {
  test(`lease table: in force is ${why}, in whatever order they come`, () => {
    for (const order of [leases, [...leases].reverse()]) {
      const table = tableOf();
      for (const [text, brief] of order) table.put(terms(text, brief));
      assert.equal(holders(table), expected);
    }
  });
}

test('lease table: a lease whose author left is void, and comes back with the author', () => {
  const table = tableOf();
  table.put(terms('10.5.0.1', { by: 1, at: 2_000 }));
  table.put(terms('10.5.0.1', { by: 2, at: 3_000 }));
  table.takeChanged();
  table.setVoid(id(1), true);
  assert.equal(holders(table), [2]);
  assert.equal(table.takeChanged().sort(), [id(1), id(2)]);
  table.setVoid(id(1), false);
  assert.equal(holders(table), [1]);
  table.remove(id(1), 'address');
  assert.equal(holders(table), [2]);
  assert.is(table.get(id(1), 'address'), undefined);
});

test('lease table: the winner over a lease is the one that has it', () => {
  const table = tableOf();
  for (const by of [1, 2, 3]) table.put(terms('10.5.0.1', { by, at: 4_000 - by }));
  const [first, last] = [table.get(id(1), 'address'), table.get(id(3), 'address')];
  assert.is(first && table.winnerOver(first)?.author, id(3));
  assert.is(last && table.winnerOver(last), undefined);
});

test('lease table: a change of one lease says whose changed, and nobody else’s', () => {
  const table = tableOf();
  for (let by = 1; by <= 20; by++) table.put(terms(`10.5.0.${by}`, { by, at: 2_000 }));
  assert.is(table.takeChanged().length, 20);
  table.put(terms('10.5.0.7', { by: 30, at: 1_500 }));
  assert.equal(table.takeChanged().sort(), [id(7), id(30)]);
  table.put(terms('10.5.0.77', { by: 30, at: 5_000 }));
  assert.equal(table.takeChanged().sort(), [id(7), id(30)]);
  assert.equal(table.takeChanged(), []);
});

test('lease table: another pool puts leases out of force and in', () => {
  const table = tableOf();
  table.put(terms('10.5.0.1', { by: 1, at: 2_000 }));
  table.put(terms('10.6.0.1', { by: 2, at: 2_000 }));
  assert.equal(holders(table), [1]);
  table.setPool(new Pool(prefix('10.6.0.0/16')), wallTime(CREATED));
  assert.equal(holders(table), [2]);
  table.remove(id(1), 'address');
  table.setPool(new Pool(prefix('10.0.0.0/8')), wallTime(CREATED));
  assert.equal(holders(table), [2]);
});

/** What the essay says, by a walk over all. */
function isInForceByTheRule(lease: Lease, all: readonly Lease[], pool: Pool): boolean {
  const isPlaced = (each: Lease): boolean => pool.slotOf(each.prefix) === each.slot;
  if (lease.isVoid || !isPlaced(lease)) return false;
  return all.every((other) => {
    if (other === lease || other.isVoid || !isPlaced(other)) return true;
    return !overlaps(other.prefix, lease.prefix) || goesBefore(lease, other);
  });
}

function goesBefore(a: Lease, b: Lease): boolean {
  const named = (x: Lease, y: Lease): boolean =>
    x.reclaimed.some((each) => each.holder === y.author && each.claimedAt === y.claimedAt);
  if (named(a, b) !== named(b, a)) return named(a, b);
  const stamp = (x: Lease): number => (x.claimedAt < CREATED ? 2 ** 60 : x.claimedAt);
  if (stamp(a) !== stamp(b)) return stamp(a) < stamp(b);
  return a.author < b.author;
}

function randomTerms(random: SeededRandom): LeaseTerms {
  const isAddress = random.below(2) === 0;
  const length = isAddress ? 32 : 25 + random.below(7);
  const start = 0x0a05_0000 + random.below(256);
  const holder = id(random.below(30));
  return {
    author: id(random.below(30)),
    slot: random.below(20) === 0 ? 'subnet' : isAddress ? 'address' : 'subnet',
    prefix: prefixAt(start, length),
    claimedAt: wallTime(CREATED - 2 + random.below(8)),
    reclaimed:
      random.below(3) === 0 ? [{ holder, claimedAt: wallTime(CREATED - 2 + random.below(8)) }] : [],
  };
}

test('lease table: after any history it is as a walk over all would find it', () => {
  withSeed('lease histories', (random) => {
    for (let round = 0; round < 30; round++) {
      const table = tableOf('10.5.0.0/24');
      const pool = new Pool(prefix('10.5.0.0/24'));
      for (let step = 0; step < 120; step++) {
        const author = id(random.below(30));
        const choice = random.below(10);
        if (choice === 0) table.setVoid(author, random.below(2) === 0);
        else if (choice === 1) table.remove(author, random.below(2) === 0 ? 'address' : 'subnet');
        else table.put(randomTerms(random));
        const all = [...table.all()];
        for (const lease of all) {
          const expected = isInForceByTheRule(lease, all, pool);
          assert.is(lease.isInForce, expected, `${lease.prefix.text} of ${lease.author}`);
        }
      }
    }
  });
});

test('lease table: one change among thousands costs no walk over them', () => {
  const table = tableOf('10.0.0.0/8');
  for (let i = 0; i < 20_000; i++) {
    const author = id(i);
    const at = { claimedAt: wallTime(2_000), reclaimed: [] };
    table.put({ author, slot: 'address', prefix: prefixAt(0x0a00_0000 + i, 32), ...at });
    table.put({ author, slot: 'subnet', prefix: prefixAt(0x0a80_0000 + i * 256, 24), ...at });
  }
  table.takeChanged();
  for (const at of [0x0a00_0001, 0x0a00_4e1f, 0x0a80_0100]) {
    const length = at < 0x0a80_0000 ? 32 : 24;
    const block = { start: at, end: at + 2 ** (32 - length) };
    assert.is(table.overlapping(block).length, 1);
  }
  table.put(terms('10.0.0.77', { by: 50_000, at: 1_500 }));
  assert.equal(table.takeChanged().sort(), [id(77), id(50_000)]);
});

test('lease table: takes leases of so many authors, and of no more', () => {
  const table = tableOf('10.0.0.0/8');
  const at = { claimedAt: wallTime(2_000), reclaimed: [], slot: 'address' as const };
  for (let i = 0; i < 32_768; i++) {
    assert.ok(table.put({ author: id(i), prefix: prefix('10.99.0.1/32'), ...at, slot: 'subnet' }));
  }
  assert.not.ok(table.put({ author: id(40_000), prefix: prefix('10.0.0.1/32'), ...at }));
  assert.ok(table.put({ author: id(5), prefix: prefix('10.0.0.1/32'), ...at }));
  table.remove(id(7), 'subnet');
  assert.ok(table.put({ author: id(40_000), prefix: prefix('10.0.0.1/32'), ...at }));
});

test.run();
