import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sessionIndex } from '../../src/base/identifiers.js';
import { instant } from '../../src/base/time.js';
import { type Keypair, Keypairs } from '../../src/session/keypair.js';

const test = suite('keypair');

function keypair(index: number, isInitiator: boolean): Keypair {
  const localIndex = sessionIndex(index);
  return {
    localIndex,
    remoteIndex: sessionIndex(index + 1000),
    createdAt: instant(0),
    isInitiator,
  };
}

/** [previous, current, next] as local indices; 0 where there is none. */
function places(keypairs: Keypairs): number[] {
  const { previous, current, next } = keypairs;
  return [previous, current, next].map((place) => place?.localIndex ?? 0);
}

function indices(dead: readonly Keypair[] | undefined): number[] | undefined {
  return dead?.map(({ localIndex }) => localIndex);
}

type Move = readonly ['initiated' | 'responded' | 'confirmed', number];
const SUCCESSION: readonly {
  readonly why: string;
  readonly moves: readonly Move[];
  readonly died: readonly number[];
  readonly left: readonly number[];
}[] = [
  { why: 'first as initiator', moves: [['initiated', 1]], died: [], left: [0, 1, 0] },
  {
    why: 'second as initiator',
    moves: [
      ['initiated', 1],
      ['initiated', 2],
    ],
    died: [],
    left: [1, 2, 0],
  },
  {
    why: 'third as initiator drops the first',
    moves: [
      ['initiated', 1],
      ['initiated', 2],
      ['initiated', 3],
    ],
    died: [1],
    left: [2, 3, 0],
  },
  { why: 'first as responder waits', moves: [['responded', 1]], died: [], left: [0, 0, 1] },
  {
    why: 'a repeated initiation replaces the one waiting',
    moves: [
      ['responded', 1],
      ['responded', 2],
    ],
    died: [1],
    left: [0, 0, 2],
  },
  {
    why: 'confirmation makes it current',
    moves: [
      ['responded', 1],
      ['confirmed', 1],
    ],
    died: [],
    left: [0, 1, 0],
  },
  {
    why: 'responder rekeys: the old current becomes previous',
    moves: [
      ['responded', 1],
      ['confirmed', 1],
      ['responded', 2],
      ['confirmed', 2],
    ],
    died: [],
    left: [1, 2, 0],
  },
  {
    why: 'a new next drops previous at once',
    moves: [
      ['initiated', 1],
      ['initiated', 2],
      ['responded', 3],
    ],
    died: [1],
    left: [0, 2, 3],
  },
  {
    why: 'both sides began: the waiting one becomes previous',
    moves: [
      ['initiated', 1],
      ['responded', 2],
      ['initiated', 3],
    ],
    died: [1],
    left: [2, 3, 0],
  },
];

test('keypairs: the succession of the kernel, move by move (WireGuard §5.4.5)', () => {
  for (const { why, moves, died, left } of SUCCESSION) {
    const keypairs = new Keypairs();
    let dead: number[] = [];
    for (const [move, index] of moves) {
      if (move === 'confirmed') dead = indices(keypairs.confirm(sessionIndex(index))) ?? [-1];
      else dead = indices(keypairs.add(keypair(index, move === 'initiated'))) ?? [];
    }
    assert.equal(dead, died, why);
    assert.equal(places(keypairs), left, why);
  }
});

test('keypairs: only the next one can be confirmed, and once', () => {
  const keypairs = new Keypairs();
  keypairs.add(keypair(1, true));
  keypairs.add(keypair(2, false));
  assert.is(keypairs.confirm(sessionIndex(1)), undefined);
  assert.is(keypairs.confirm(sessionIndex(3)), undefined);
  assert.equal(places(keypairs), [0, 1, 2]);
  assert.equal(indices(keypairs.confirm(sessionIndex(2))), []);
  assert.is(keypairs.confirm(sessionIndex(2)), undefined);
});

test('keypairs: clear returns every one that lived', () => {
  const keypairs = new Keypairs();
  keypairs.add(keypair(1, true));
  keypairs.add(keypair(2, true));
  keypairs.add(keypair(3, false));
  assert.equal(indices(keypairs.clear()), [3, 2]);
  assert.equal(places(keypairs), [0, 0, 0]);
  assert.equal(indices(keypairs.clear()), []);
});

test.run();
