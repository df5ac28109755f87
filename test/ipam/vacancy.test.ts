import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type NodeId, nodeId } from '../../src/base/identifiers.js';
import { wallTime } from '../../src/base/time.js';
import { LeaseTable } from '../../src/ipam/lease_table.js';
import { overlaps } from '../../src/ipam/overlap.js';
import { Pool, prefixAt, type Slot } from '../../src/ipam/pool.js';
import { findVacancy, type Vacancy } from '../../src/ipam/vacancy.js';
import { prefix } from '../support/parsed.js';
import { withSeed } from '../support/seed.js';

const test = suite('ipam/vacancy');

function id(number: number): NodeId {
  return nodeId(number.toString(16).padStart(16, '0'));
}

class Scene {
  readonly pool: Pool;
  readonly table = new LeaseTable();
  readonly lapsed = new Set<NodeId>();

  constructor(pool: string) {
    this.pool = new Pool(prefix(pool));
    this.table.setPool(this.pool, wallTime(0));
  }

  lease(by: number, text: string): void {
    const leased = prefix(text);
    const slot: Slot = leased.length === 32 ? 'address' : 'subnet';
    const lease = { author: id(by), slot, prefix: leased, claimedAt: wallTime(9), reclaimed: [] };
    this.table.put(lease);
  }

  find(by: number, length = 32): Vacancy | undefined {
    const slot: Slot = length === 32 ? 'address' : 'subnet';
    const isLapsed = ({ author }: { author: NodeId }): boolean => this.lapsed.has(author);
    return findVacancy(this.pool, this.table, { node: id(by), slot, length, isLapsed });
  }
}

for (const [pool, count] of [
  ['10.5.0.0/24', 127],
  ['10.5.0.0/23', 254],
  ['10.5.0.128/25', 63],
  ['255.255.255.0/24', 127],
  ['0.0.0.0/24', 127],
  ['10.5.0.0/30', 1],
  ['10.5.0.0/31', 2],
  ['255.255.255.254/31', 2],
  ['10.5.0.0/32', 1],
  ['255.255.255.255/32', 1],
] as const) {
  test(`vacancy: ${count} members find an address each in ${pool}, and no more do`, () => {
    const scene = new Scene(pool);
    const seen = new Set<string>();
    for (let by = 0; by < count; by++) {
      const found = scene.find(by);
      assert.ok(found, `${by}`);
      if (!found) return;
      assert.is(scene.pool.slotOf(found.prefix), 'address');
      assert.equal(found.reclaimed, []);
      seen.add(found.prefix.text);
      scene.lease(by, found.prefix.text);
    }
    assert.is(seen.size, count);
    assert.is(scene.find(count), undefined);
  });
}

for (const [pool, length, count] of [
  ['10.5.0.0/16', 24, 128],
  ['10.5.0.0/16', 18, 2],
  ['10.5.0.0/16', 17, 0],
  ['10.5.0.0/24', 30, 32],
  ['10.5.0.0/24', 31, 0],
  ['10.5.0.0/31', 30, 0],
  ['255.255.0.0/16', 24, 128],
] as const) {
  test(`vacancy: ${count} members find a subnet of ${length} bits each in ${pool}`, () => {
    const scene = new Scene(pool);
    for (let by = 0; by < count; by++) {
      const found = scene.find(by, length);
      assert.ok(found, `${by}`);
      if (found) scene.lease(by, found.prefix.text);
    }
    assert.is(scene.find(count, length), undefined);
  });
}

test('vacancy: in the largest pool the search leaps over what is taken', () => {
  const scene = new Scene('0.0.0.0/0');
  scene.lease(1, '128.0.0.0/2');
  for (let by = 2; by < 34; by++) {
    const found = scene.find(by, 30);
    assert.ok(found && !overlaps(found.prefix, prefix('128.0.0.0/2')));
  }
  scene.lease(2, '192.0.0.0/2');
  assert.is(scene.find(3, 30), undefined);
});

test('vacancy: a member finds its own place again while it is free', () => {
  const scene = new Scene('10.5.0.0/16');
  const first = scene.find(1);
  scene.lease(2, scene.find(2)?.prefix.text ?? '');
  assert.is(scene.find(1)?.prefix.text, first?.prefix.text);
  scene.lease(3, first?.prefix.text ?? '');
  assert.is.not(scene.find(1)?.prefix.text, first?.prefix.text);
});

test('vacancy: what a member that left had is free at once, and named', () => {
  const scene = new Scene('10.5.0.0/32');
  scene.lease(1, '10.5.0.0');
  assert.is(scene.find(2), undefined);
  scene.table.setVoid(id(1), true);
  const found = scene.find(2);
  assert.equal(
    found?.reclaimed.map(({ author }) => author),
    [id(1)],
  );
});

test('vacancy: what lapsed is taken only when nothing else is left', () => {
  const scene = new Scene('10.5.0.0/31');
  scene.lease(1, '10.5.0.0');
  scene.lapsed.add(id(1));
  const found = scene.find(2);
  assert.is(found?.prefix.text, '10.5.0.1/32');
  scene.lease(2, '10.5.0.1');
  const second = scene.find(3);
  assert.is(second?.prefix.text, '10.5.0.0/32');
  assert.equal(
    second?.reclaimed.map(({ author }) => author),
    [id(1)],
  );
});

test('vacancy: one’s own lease is in nobody’s way but others’', () => {
  const scene = new Scene('10.5.0.0/32');
  scene.lease(1, '10.5.0.0');
  assert.is(scene.find(1)?.prefix.text, '10.5.0.0/32');
  assert.equal(scene.find(1)?.reclaimed, []);
});

test('vacancy: names no more than a lease can, and takes another place instead', () => {
  const scene = new Scene('10.5.0.0/24');
  for (let by = 0; by < 16; by++) {
    scene.lease(by, prefixAt(0x0a05_0080 + by * 4, 30).text);
    scene.table.setVoid(id(by), true);
  }
  const found = scene.find(99, 26);
  assert.is(found?.prefix.text, '10.5.0.192/26');
  scene.lease(100, '10.5.0.192/26');
  assert.is(scene.find(99, 26), undefined);
  assert.is(scene.find(99, 27)?.reclaimed.length, 8);
});

test('vacancy: subnets of any lengths never meet', () => {
  withSeed('subnets', (random) => {
    for (let round = 0; round < 20; round++) {
      const scene = new Scene('10.5.0.0/20');
      const taken: string[] = [];
      for (let by = 0; by < 200; by++) {
        const length = 22 + random.below(9);
        const found = scene.find(by, length);
        if (!found) continue;
        for (const text of taken) assert.not.ok(overlaps(prefix(text), found.prefix), text);
        taken.push(found.prefix.text);
        scene.lease(by, found.prefix.text);
      }
      assert.ok(taken.length > 1);
    }
  });
});

test.run();
