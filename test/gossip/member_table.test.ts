import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type NodeId, nodeId } from '../../src/base/identifiers.js';
import { instant, millis } from '../../src/base/time.js';
import { MemberTable } from '../../src/gossip/member_table.js';
import { withSeed } from '../support/seed.js';

const test = suite('gossip/member_table');

function id(number: number): NodeId {
  return nodeId(number.toString(16).padStart(16, '0'));
}

function filled(count: number, limit = 1_000): MemberTable {
  const table = new MemberTable(limit);
  for (let i = 0; i < count; i++) table.insert(id(i), i);
  return table;
}

function slot(table: MemberTable, number: number): number {
  return table.slotOf(id(number)) ?? -1;
}

test('member table: each has its own facts, however many there are', () => {
  const table = filled(100);
  for (let i = 0; i < 100; i++) {
    table.setHeard(slot(table, i), instant(1_000 + i));
    if (i % 3 === 0) table.setStatus(slot(table, i), 'failed');
  }
  for (let i = 0; i < 100; i++) {
    assert.is(table.idOf(slot(table, i)), id(i));
    assert.is(table.incarnationOf(slot(table, i)), i);
    assert.is(table.heardAt(slot(table, i)), 1_000 + i);
    assert.is(table.statusOf(slot(table, i)), i % 3 === 0 ? 'failed' : 'alive');
  }
  assert.is(table.count('failed'), 34);
  assert.is(table.living, 66);
});

test('member table: a slot is given again, with nothing of who had it', () => {
  const table = filled(3);
  const freed = slot(table, 1);
  table.setWarm(freed, true);
  table.addTrip(freed, millis(5));
  table.setStatus(freed, 'failed');
  table.remove(freed);
  assert.is(table.size, 2);
  assert.is(table.insert(id(9), 7), freed);
  assert.is(table.statusOf(freed), 'alive');
  assert.not(table.isWarm(freed));
  assert.is(table.count('failed'), 0);
});

test('member table, row 27: at the limit nobody more is taken in', () => {
  const table = filled(10, 10);
  assert.is(table.insert(id(10), 1), undefined);
  assert.is(table.size, 10);
});

test('member table: those with a session are chosen first, and nobody who failed', () => {
  withSeed('member table', (random) => {
    const table = filled(30);
    for (const warm of [4, 5]) table.setWarm(slot(table, warm), true);
    table.setStatus(slot(table, 5), 'failed');
    table.setStatus(slot(table, 6), 'suspect');
    for (let round = 0; round < 50; round++) {
      const chosen = table.choose(3, random, () => true);
      assert.is(chosen[0], slot(table, 4));
      assert.is(new Set(chosen).size, 3);
      assert.not(chosen.includes(slot(table, 5)));
    }
    assert.is(table.choose(100, random, () => true).length, 29);
  });
});

test('member table: a round trip that is not known is like those of others', () => {
  const table = filled(3);
  assert.is(table.tripOf(0), undefined);
  table.addTrip(0, millis(8));
  assert.is(table.tripOf(0), millis(8));
  assert.is(table.tripOf(1), millis(8));
  for (let i = 0; i < 20; i++) table.addTrip(1, millis(40));
  assert.is(table.tripOf(1), millis(40));
  assert.is(table.tripOf(0), millis(8));
});

test.run();
