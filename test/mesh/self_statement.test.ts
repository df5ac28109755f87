/** What a node says of itself, and by which incarnation. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Endpoint, parseEndpoint } from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import { after, instant, millis, NEVER, wallTime } from '../../src/base/time.js';
import { SelfStatement } from '../../src/mesh/self_statement.js';
import type { NodeStatement } from '../../src/wire/node_record.js';

const test = suite('mesh/self_statement');

const START = instant(1_000_000);
const GAP = millis(200);
const STARTED = wallTime(5_000);
const OURS = '00000000000000bb';
const STATIC = new Uint8Array(32).fill(8);

function endpoint(text: string): Endpoint {
  return present(parseEndpoint(text), text);
}

/** One whose disk holds the first ceiling. */
function started(ceiling = 0): SelfStatement {
  const statement = fresh(ceiling);
  statement.reserve();
  statement.allow(statement.ceiling);
  return statement;
}

function fresh(ceiling = 0): SelfStatement {
  return new SelfStatement({
    instance: OURS,
    startedAt: STARTED,
    endpoints: [endpoint('192.0.2.1:51820')],
    ceiling,
    staticKey: STATIC,
    nextStaticKey: undefined,
  });
}

function from(instance: string, startedAt = STARTED): NodeStatement {
  const keys = { staticKey: STATIC, nextStaticKey: undefined };
  return { status: 'alive', instance, startedAt, ...keys, endpoints: [] };
}

test('self: nothing is said before it is wanted, nor before the disk has its number', () => {
  const statement = fresh(40);
  assert.is(statement.take(START), undefined);
  statement.want(START);
  assert.ok(statement.reserve(), 'the disk must take a block');
  assert.is(statement.take(START), undefined);
  assert.is(statement.deadline(), NEVER, 'it waits for the disk, not for time');
  assert.ok(statement.ceiling >= 41);
  statement.allow(statement.ceiling);
  const said = statement.take(START);
  assert.is(said?.version, 41, 'above all that was reserved before');
  assert.equal(said?.statement, { ...from(OURS), endpoints: [endpoint('192.0.2.1:51820')] });
  assert.is(statement.take(after(START, millis(9_000))), undefined, 'once');
});

test('self: statements come 200 ms apart at least, each with a higher number', () => {
  const statement = started();
  statement.want(START);
  assert.is(statement.take(START)?.version, 1);
  statement.want(START);
  assert.is(statement.deadline(), after(START, GAP));
  assert.is(statement.take(after(START, millis(199))), undefined);
  assert.is(statement.take(after(START, GAP))?.version, 2);
});

test('self: no number is used twice, over any restarts and however much is said', () => {
  let ceiling = 0;
  let last = 0;
  for (let life = 0; life < 3; life++) {
    const statement = fresh(ceiling);
    let now = START;
    for (let i = 0; i < 1_500; i++) {
      now = after(now, GAP);
      statement.want(now);
      if (statement.reserve()) {
        ceiling = statement.ceiling;
        statement.allow(ceiling);
      }
      const { version = 0 } = statement.take(now) ?? {};
      assert.ok(version > last && version <= ceiling, `${last} < ${version} <= ${ceiling}`);
      last = version;
    }
  }
});

test('self: a block is reserved while half of the last is left, and not for each number', () => {
  const statement = started();
  let writes = 0;
  let now = START;
  for (let i = 0; i < 5_000; i++) {
    now = after(now, GAP);
    statement.want(now);
    assert.ok(statement.take(now), 'what is left is enough while the disk writes');
    if (!statement.reserve()) continue;
    writes++;
    statement.allow(statement.ceiling);
  }
  assert.ok(writes >= 8 && writes <= 10, `${writes} writes`);
});

test('self: says what changed, and nothing where nothing did', () => {
  const statement = started();
  statement.setEndpoints([endpoint('192.0.2.1:51820')], START);
  assert.is(statement.deadline(), NEVER);
  const next = [endpoint('198.51.100.1:51820')];
  statement.setEndpoints(next, START);
  assert.equal(statement.take(START)?.statement.endpoints, next);
  const keys = { staticKey: new Uint8Array(32).fill(9), nextStaticKey: STATIC };
  statement.setKeys(keys, after(START, GAP));
  const { staticKey, nextStaticKey } = statement.take(after(START, GAP))?.statement ?? {};
  assert.equal({ staticKey, nextStaticKey }, keys);
  statement.leave(after(START, millis(400)));
  assert.is(statement.take(after(START, millis(400)))?.statement.status, 'left');
});

test('self: row 23: a suspicion is refuted at our own incarnation, and at no other', () => {
  const statement = started();
  statement.want(START);
  statement.take(START);
  for (const made of [0, 2, 2 ** 52, Number.MAX_SAFE_INTEGER]) statement.refute(made, START);
  assert.is(statement.deadline(), NEVER);
  statement.refute(1, START);
  assert.is(statement.take(after(START, GAP))?.version, 2);
});

test('self: what an earlier life said is outdone, and is no rival', () => {
  const statement = started(10);
  const earlier = from('00000000000000aa', wallTime(1));
  assert.is(statement.heard(earlier, 10, START), 'none', 'it is not newer');
  assert.is(statement.deadline(), NEVER);
  assert.is(statement.heard(earlier, 700, START), 'none');
  statement.reserve();
  statement.allow(statement.ceiling);
  assert.is(statement.take(START)?.version, 701);
  assert.is(statement.heard(earlier, 700, START), 'none', 'a dead life does not answer');
  assert.not(statement.hasRival);
});

/** The other one raises above us each time that we spoke. */
function contest(rival: NodeStatement, rounds: number): string[] {
  const statement = started();
  const outcomes: string[] = [];
  let now = START;
  for (let i = 0; i < rounds; i++) {
    outcomes.push(statement.heard(rival, statement.incarnation + 1, now));
    now = after(now, GAP);
    statement.take(now);
  }
  return outcomes;
}

const CONTESTS: readonly [name: string, rival: NodeStatement, outcome: string][] = [
  ['that started before us lives: we yield', from('00000000000000aa', wallTime(4_999)), 'yield'],
  ['that started after us lives: we stand', from('00000000000000aa', wallTime(5_001)), 'stand'],
  ['of the same moment is the lower one: we yield', from('00000000000000aa'), 'yield'],
  ['of the same moment is the higher one: we stand', from('00000000000000cc'), 'stand'],
  ['that is ourselves, by an echo, is none', from(OURS, wallTime(1)), 'none'],
];

for (const [name, rival, outcome] of CONTESTS) {
  test(`self: another ${name}`, () => {
    const outcomes = contest(rival, 5);
    assert.equal(outcomes.slice(0, 3), ['none', 'none', 'none'], 'not at once');
    assert.is(outcomes.at(-1), outcome);
  });
}

test('self: of two copies exactly one yields', () => {
  for (const [a, b] of [
    [1, 2],
    [2, 1],
    [1, 1],
  ] as const) {
    const mine = from('00000000000000aa', wallTime(a));
    const theirs = from('00000000000000bb', wallTime(b));
    const verdicts = [
      [mine, theirs],
      [theirs, mine],
    ].map(([self = mine, other = theirs]) => {
      const statement = new SelfStatement({ ...self, ceiling: 0 });
      let verdict = 'none';
      for (let i = 0; i < 5; i++) {
        verdict = statement.heard(other, statement.incarnation + 1, START);
      }
      return verdict;
    });
    assert.equal(verdicts.sort(), ['stand', 'yield']);
  }
});

test.run();
