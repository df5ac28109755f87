/**
 * The promises that leases are for, over random histories of many nodes: once all have heard the
 * same, all agree who has what, nobody shares it, and everybody has what it asked for.
 */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Prefix } from '../../src/base/address.js';
import { seconds } from '../../src/base/time.js';
import { overlaps } from '../../src/ipam/overlap.js';
import { SLOTS } from '../../src/ipam/pool.js';
import { withSeed } from '../support/seed.js';
import { ManyNodes, type ManyOptions } from './many_nodes.js';

const test = suite('ipam/convergence');

const ROOMY: ManyOptions = {
  pool: '10.5.0.0/22',
  subnetLength: (number) => (number % 3 === 0 ? 26 + (number % 3) : undefined),
  grace: seconds(1_000_000),
};
const TIGHT: ManyOptions = {
  pool: '10.5.0.0/26',
  subnetLength: () => undefined,
  grace: seconds(20),
};

/** What everybody has, as the first sees it; fails where another sees it otherwise. */
function agreed(many: ManyNodes): Map<string, Prefix> {
  const views = many.up().map(({ id, ipam }) => {
    const held = new Map<string, Prefix>();
    for (const node of many.nodes) {
      for (const slot of SLOTS) {
        const prefix = ipam.leaseOf(node.id, slot);
        if (prefix) held.set(`${node.id} ${slot}`, prefix);
      }
    }
    return { id, held };
  });
  const [first] = views;
  assert.ok(first);
  for (const { id, held } of views) {
    assert.equal(textsOf(held), textsOf(first?.held ?? new Map()), `seen by ${id}`);
  }
  return first?.held ?? new Map();
}

function textsOf(held: ReadonlyMap<string, Prefix>): string[] {
  return [...held].map(([holder, { text }]) => `${holder} ${text}`).sort();
}

function checkNoneShared(held: ReadonlyMap<string, Prefix>): void {
  const all = [...held];
  for (const [i, [holder, prefix]] of all.entries()) {
    for (const [other, second] of all.slice(i + 1)) {
      const why = `${holder} ${prefix.text} and ${other} ${second.text}`;
      assert.not.ok(overlaps(prefix, second), why);
    }
  }
}

function checkAllServed(many: ManyNodes, held: ReadonlyMap<string, Prefix>): void {
  for (const { id, number, ipam } of many.up()) {
    assert.ok(held.get(`${id} address`), `${id} has an address; ${ipam.stateOf('address').phase}`);
    const length = ROOMY.subnetLength(number);
    if (many.nodes.length < 60 && length !== undefined) {
      assert.is(held.get(`${id} subnet`)?.length, length);
    }
  }
}

test('leases: nodes that come, go and talk in random order agree, and share nothing', () => {
  withSeed('leases', (random) => {
    for (let round = 0; round < 20; round++) {
      const many = new ManyNodes(random, ROOMY);
      for (let i = 0; i < 15; i++) many.add();
      for (let step = 0; step < 600; step++) {
        if (random.below(60) === 0) many.kill(many.one());
        const down = many.nodes.find(({ isUp }) => !isUp);
        if (down && random.below(40) === 0) many.start(down);
        if (many.up().length < 5) many.add();
        if (random.below(150) === 0) many.leave(many.one());
        if (random.below(50) === 0) many.lookAround();
        many.step();
      }
      many.converge();
      const held = agreed(many);
      checkNoneShared(held);
      checkAllServed(many, held);
    }
  });
});

test('leases: a hundred nodes that start at once agree within ten seconds', () => {
  withSeed('a hundred', (random) => {
    const many = new ManyNodes(random, ROOMY);
    for (let i = 0; i < 100; i++) many.add();
    many.converge();
    const held = agreed(many);
    checkNoneShared(held);
    checkAllServed(many, held);
  });
});

test('leases: two meshes that grew apart merge, and every loser has another in ten seconds', () => {
  withSeed('merge', (random) => {
    let losers = 0;
    for (let round = 0; round < 20; round++) {
      const many = new ManyNodes(random, { ...ROOMY, pool: '10.5.0.0/25' });
      for (let i = 0; i < 30; i++) many.add(i % 2);
      for (let step = 0; step < 1_500; step++) many.step();
      for (const node of many.nodes) assert.is(node.readdressed.length <= 3, true);
      const before = new Map(
        many.nodes.map((node) => [node.id, node.ipam.leaseOf(node.id, 'address')?.text]),
      );
      for (const node of many.nodes) node.readdressed.length = 0;
      many.converge();
      const held = agreed(many);
      checkNoneShared(held);
      for (const node of many.nodes) {
        const now = held.get(`${node.id} address`)?.text;
        assert.ok(now, node.id);
        const told = node.readdressed.filter(
          (action) => action.kind === 'readdressed' && action.from.length === 32,
        );
        assert.is(
          told.length > 0,
          before.get(node.id) !== undefined && now !== before.get(node.id),
        );
        losers += told.length;
      }
    }
    assert.ok(losers > 20, 'the two sides claimed the same now and then');
  });
});

test('leases: killed at any moment of a claim, a node leaves nothing shared, or lost', () => {
  withSeed('kills', (random) => {
    let kills = 0;
    for (let round = 0; round < 25; round++) {
      const many = new ManyNodes(random, ROOMY);
      many.killsPerThousand = 300;
      for (let i = 0; i < 12; i++) many.add();
      for (let step = 0; step < 400; step++) {
        for (const down of many.nodes.filter(({ isUp }) => !isUp)) {
          kills++;
          if (random.below(3) === 0) many.start(down);
        }
        many.step();
      }
      many.killsPerThousand = 0;
      for (const node of many.nodes) if (!node.isUp) many.start(node);
      many.converge();
      const held = agreed(many);
      checkNoneShared(held);
      checkAllServed(many, held);
      for (const node of many.nodes) {
        const own = held.get(`${node.id} address`)?.text;
        const safe = node.disk.get('0000000000000000');
        assert.is(node.store.get(`${node.id} 0000000000000000`), safe, `${node.id} ${own}`);
      }
    }
    assert.ok(kills > 100);
  });
});

test('leases: what was taken from those who were away too long is theirs no more', () => {
  withSeed('reclaim', (random) => {
    let taken = 0;
    for (let round = 0; round < 15; round++) {
      const many = new ManyNodes(random, TIGHT);
      const old = Array.from({ length: 31 }, () => many.add());
      many.converge();
      assert.is(agreed(many).size, 31);
      for (const node of old.slice(0, 12)) many.kill(node);
      many.lookAround();
      for (let i = 0; i < 8; i++) many.add();
      many.lookAround();
      many.now = (many.now + seconds(30)) as typeof many.now;
      many.converge();
      const held = agreed(many);
      checkNoneShared(held);
      for (const { id } of many.up()) assert.ok(held.get(`${id} address`), id);
      for (const node of old.slice(0, 12)) {
        const isTaken = !held.get(`${node.id} address`);
        if (isTaken) taken++;
        else many.start(node);
      }
      many.converge();
      const after = agreed(many);
      checkNoneShared(after);
      for (const { id } of many.up()) {
        assert.is(after.get(`${id} address`)?.text, held.get(`${id} address`)?.text);
      }
      for (const node of old.slice(0, 12)) if (!node.isUp) many.start(node);
      many.converge();
      checkNoneShared(agreed(many));
      assert.is(agreed(many).size, 31);
    }
    assert.is(taken, 15 * 8);
  });
});

test('leases: a pool that is too small serves as many as it can, and the others wait', () => {
  withSeed('too small', (random) => {
    const many = new ManyNodes(random, TIGHT);
    for (let i = 0; i < 40; i++) many.add();
    many.converge();
    many.converge();
    const held = agreed(many);
    checkNoneShared(held);
    assert.is(held.size, 31);
    const waiting = many.up().filter(({ ipam }) => ipam.stateOf('address').phase === 'exhausted');
    assert.is(waiting.length, 9);
    for (const node of many.nodes.slice(0, 20)) many.leave(node);
    many.converge();
    for (const { id } of many.up()) assert.ok(agreed(many).get(`${id} address`), id);
  });
});

test.run();
