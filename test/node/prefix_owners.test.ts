import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type PeerSlot, peerSlot } from '../../src/base/identifiers.js';
import type { TableWrite } from '../../src/datapath/tables.js';
import { PrefixOwners } from '../../src/node/prefix_owners.js';
import { prefix } from '../support/parsed.js';

const test = suite('prefix_owners');
const [ONE, TWO] = [peerSlot(1), peerSlot(2)];

function owned(...rows: readonly (readonly [string, PeerSlot])[]) {
  return rows.map(([text, peer]) => ({ prefix: prefix(text), peer }));
}

function summary(writes: readonly TableWrite[]): string[] {
  return writes.map((write) => {
    if (write.kind === 'insertPrefix') return `+${write.prefix.text} ${write.peer}`;
    return write.kind === 'removePrefix' ? `-${write.prefix.text}` : write.kind;
  });
}

test('prefix owners: only differences are written, removals first', () => {
  const owners = new PrefixOwners();
  const first = owners.assign(owned(['10.0.0.0/8', ONE], ['fd00::/8', TWO]));
  assert.equal(summary(first), ['+10.0.0.0/8 1', '+fd00::/8 2']);
  assert.equal(summary(owners.assign(owned(['10.0.0.0/8', ONE], ['fd00::/8', TWO]))), []);
  const moved = owners.assign(owned(['10.0.0.0/8', TWO], ['0.0.0.0/0', ONE]));
  assert.equal(summary(moved), ['-fd00::/8', '+10.0.0.0/8 2', '+0.0.0.0/0 1']);
});

test('prefix owners: of two peers with one prefix, the later has it', () => {
  const owners = new PrefixOwners();
  const writes = owners.assign(owned(['10.0.0.0/8', ONE], ['10.0.0.0/8', TWO]));
  assert.equal(summary(writes), ['+10.0.0.0/8 2']);
  assert.not.ok(owners.has(prefix('10.0.0.0/8'), ONE));
  assert.ok(owners.has(prefix('10.0.0.0/8'), TWO));
});

test('prefix owners: what a removed peer owned is inserted anew for the next', () => {
  const owners = new PrefixOwners();
  owners.assign(owned(['10.0.0.0/8', ONE], ['fd00::/8', ONE]));
  owners.forget(new Set([ONE]));
  assert.equal(summary(owners.assign(owned(['10.0.0.0/8', TWO]))), ['+10.0.0.0/8 2']);
});

test('prefix owners: one peer gets its own by itself, but nothing of a fixed one', () => {
  const owners = new PrefixOwners();
  const [a, b, c] = ['10.0.0.0/24', '10.0.1.0/24', '10.0.2.0/24'].map((text) => prefix(text));
  if (!a || !b || !c) return assert.unreachable();
  const [first, second] = [peerSlot(0), peerSlot(1)];
  owners.assign([{ prefix: a, peer: first }]);
  const isFixed = (owner: number): boolean => owner === first;
  assert.equal(owners.assignTo(second, [], [a, b], isFixed), [
    { kind: 'insertPrefix', prefix: b, peer: second },
  ]);
  assert.ok(owners.has(a, first));
  assert.equal(owners.assignTo(second, [a, b], [c], isFixed), [
    { kind: 'removePrefix', prefix: b },
    { kind: 'insertPrefix', prefix: c, peer: second },
  ]);
  owners.release(second, [a, c]);
  assert.not(owners.has(c, second));
  assert.ok(owners.has(a, first));
});

test.run();
