import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { peerSlot, type SessionIndex, sessionIndex } from '../../src/base/identifiers.js';
import { SeededRandom } from '../../src/base/random.js';
import { SessionTable } from '../../src/session/session_table.js';

const test = suite('session_table');
const SEED = process.env.SEED ?? 'session table';

test('session table: an index is a multiple of 16, and the 15 behind it are the same peer', () => {
  const table = new SessionTable(new SeededRandom(SEED));
  for (let round = 0; round < 100; round++) {
    const index = table.claim(peerSlot(round));
    assert.is(index % 16, 0);
    for (let low = 0; low < 16; low++) assert.is(table.lookup(sessionIndex(index | low)), round);
  }
});

test('session table: finds the owner by all of the index but its low four bits', () => {
  const table = new SessionTable(new SeededRandom(SEED));
  const index = table.claim(peerSlot(7));
  assert.is(table.lookup(index), 7);
  for (let bit = 0; bit < 32; bit++) {
    const owner = bit < 4 ? 7 : undefined;
    assert.is(table.lookup(sessionIndex(index ^ (1 << bit))), owner, `bit ${bit}`);
  }
});

test("session table: a released index is nobody's, and cannot be released again", () => {
  const table = new SessionTable(new SeededRandom(SEED));
  const index = table.claim(peerSlot(1));
  table.release(index);
  assert.is(table.lookup(index), undefined);
  assert.is(table.size, 0);
  assert.throws(() => table.release(index), /live/);
});

test('session table: higher bits are unique at every capacity, through growth and reuse', () => {
  const random = new SeededRandom(SEED);
  const table = new SessionTable(random.fork('indices'));
  const live = new Map<SessionIndex, number>();
  for (let step = 0; step < 20_000; step++) {
    if (live.size > 0 && random.below(3) === 0) {
      const index = [...live.keys()][random.below(live.size)];
      if (index === undefined) continue;
      table.release(index);
      live.delete(index);
    } else {
      const owner = random.below(5000);
      const index = table.claim(peerSlot(owner));
      assert.not.ok(live.has(index), `SEED=${SEED}: an index lives once`);
      live.set(index, owner);
    }
    if (step % 500 !== 0) continue;
    const low = new Set([...live.keys()].map((index) => (index >>> 4) & (table.capacity - 1)));
    assert.is(low.size, live.size, `SEED=${SEED} step ${step}`);
    for (const [index, owner] of live) assert.is(table.lookup(index), owner);
  }
  assert.is(table.size, live.size);
  assert.ok(table.capacity >= 2 * live.size, 'half of it is free');
});

test('session table: draws that collide still give different indices', () => {
  const same = { bytes: () => new Uint8Array(0), u32: () => 0xdead_beef, below: () => 0 };
  const table = new SessionTable(same);
  const indices = new Set(Array.from({ length: 40 }, (_, at) => table.claim(peerSlot(at))));
  assert.is(indices.size, 40);
});

test.run();
