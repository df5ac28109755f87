/** When files of the mesh are written, and what waits for them. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { after, type Instant, instant, millis, NEVER, seconds } from '../../src/base/time.js';
import type { MeshAction } from '../../src/mesh/action.js';
import { Keeper } from '../../src/mesh/keeper.js';

const test = suite('mesh/keeper');
const START = instant(1_000_000);

interface Written {
  readonly request: number;
  readonly file: string;
  readonly first: number | undefined;
}

function makeKeeper(): { keeper: Keeper<string>; state: { value: number }; written(): Written[] } {
  const state = { value: 1 };
  const content = (): Uint8Array => Uint8Array.of(state.value);
  const keeper = new Keeper<string>({ keys: content, own: content, members: content });
  const written = (): Written[] => {
    const actions: MeshAction[] = [];
    keeper.drain(actions);
    return actions.flatMap((action) =>
      action.kind === 'persist'
        ? [{ request: action.request, file: action.file, first: action.content[0] }]
        : [],
    );
  };
  return { keeper, state, written };
}

test('keeper: what waits comes back when its write is safe, and not before', () => {
  const { keeper, written } = makeKeeper();
  keeper.keep('own', START, 'claim');
  const [write] = written();
  assert.equal(write, { request: 1, file: 'own', first: 1 });
  assert.equal(keeper.persisted(99, true, START), []);
  assert.equal(keeper.persisted(1, true, START), ['claim']);
  assert.equal(keeper.persisted(1, true, START), [], 'an answer counts once');
  assert.is(keeper.deadline(), NEVER);
});

test('keeper: changes during a write are one write after it, of what is then', () => {
  const { keeper, state, written } = makeKeeper();
  keeper.keep('own', START, 'first');
  written();
  state.value = 2;
  keeper.keep('own', START, 'second');
  state.value = 3;
  keeper.keep('own', START, 'third');
  assert.equal(written(), [], 'one at a time');
  assert.equal(keeper.persisted(1, true, START), ['first']);
  assert.equal(written(), [{ request: 2, file: 'own', first: 3 }]);
  assert.equal(keeper.persisted(2, true, START), ['second', 'third']);
});

test('keeper: the members file is written later, but soon where it hurries', () => {
  const { keeper, written } = makeKeeper();
  keeper.hurry('members', START);
  assert.is(keeper.deadline(), NEVER, 'nothing changed');
  keeper.keep('members', START);
  assert.is(keeper.deadline(), after(START, seconds(2)));
  keeper.hurry('members', START);
  const soon = after(START, millis(100));
  assert.is(keeper.deadline(), soon);
  keeper.hurry('members', after(START, millis(50)));
  assert.is(keeper.deadline(), soon, 'never later for that');
  keeper.advance(soon);
  const [write] = written();
  assert.equal(keeper.persisted(write?.request ?? 0, false, soon), []);
  keeper.hurry('members', soon);
  assert.is(keeper.deadline(), after(soon, seconds(5)), 'a disk that refuses is left alone');
});

test('keeper: files do not wait for each other', () => {
  const { keeper, written } = makeKeeper();
  keeper.keep('own', START);
  keeper.keep('keys', START);
  assert.equal(
    written().map(({ file }) => file),
    ['own', 'keys'],
  );
});

test('keeper: a write that fails is repeated with all that waited, and said', () => {
  const { keeper, written } = makeKeeper();
  keeper.keep('own', START, 'first');
  written();
  keeper.keep('own', START, 'second');
  assert.equal(keeper.persisted(1, false, START), []);
  assert.equal(keeper.failing(), ['own']);
  assert.equal(written(), [], 'not at once');
  const later: Instant = after(START, seconds(5));
  assert.is(keeper.deadline(), later);
  keeper.advance(later);
  const [again] = written();
  assert.is(again?.request, 2);
  assert.equal(keeper.persisted(2, true, later), ['first', 'second']);
  assert.equal(keeper.failing(), []);
});

test('keeper: the cache of members is written some time after the first change', () => {
  const { keeper, written } = makeKeeper();
  keeper.keep('members', START);
  keeper.keep('members', after(START, seconds(1.9)));
  assert.equal(written(), []);
  assert.is(keeper.deadline(), after(START, seconds(2)));
  keeper.advance(after(START, seconds(2)));
  assert.is(written().length, 1);
});

test.run();
