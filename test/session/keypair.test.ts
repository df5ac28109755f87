import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sessionIndex } from '../../src/base/identifiers.js';
import { instant } from '../../src/base/time.js';
import { CROSSING_TIME } from '../../src/session/constants.js';
import { isCrossingWinner, type Keypair, Keypairs } from '../../src/session/keypair.js';
import { withSeed } from '../support/seed.js';

const test = suite('keypair');

function keypair(index: number, isInitiator: boolean): Keypair {
  const localIndex = sessionIndex(index);
  return {
    localIndex,
    remoteIndex: sessionIndex(index + 1000),
    createdAt: instant(0),
    isInitiator,
    exchange: undefined,
  };
}

/** [previous, current, next, waiting] as local indices; 0 where there is none. */
function places(keypairs: Keypairs): number[] {
  const { previous, current, next, waiting } = keypairs;
  return [previous, current, next, waiting].map((place) => place?.localIndex ?? 0);
}

function indices(dead: readonly Keypair[]): number[] {
  return dead.map(({ localIndex }) => localIndex);
}

/** Carries a move out; returns the keypairs that died by it. */
function move(keypairs: Keypairs, [kind, index]: Move): number[] {
  if (kind === 'initiated' || kind === 'responded') {
    return indices(keypairs.add(keypair(index, kind === 'initiated')));
  }
  if (kind === 'waits') return indices(keypairs.addWaiting(keypair(index, true)));
  const found = keypairs.find(sessionIndex(index));
  if (!found) throw new Error(`no keypair ${index}`);
  return indices(kind === 'retires' ? keypairs.retire(found) : keypairs.promote(found));
}

type Move = readonly ['initiated' | 'responded' | 'takes over' | 'waits' | 'retires', number];
const SUCCESSION: readonly {
  readonly why: string;
  readonly moves: readonly Move[];
  readonly died: readonly number[];
  readonly left: readonly number[];
}[] = [
  { why: 'first as initiator', moves: [['initiated', 1]], died: [], left: [0, 1, 0, 0] },
  {
    why: 'second as initiator',
    moves: [
      ['initiated', 1],
      ['initiated', 2],
    ],
    died: [],
    left: [1, 2, 0, 0],
  },
  {
    why: 'third as initiator drops the first',
    moves: [
      ['initiated', 1],
      ['initiated', 2],
      ['initiated', 3],
    ],
    died: [1],
    left: [2, 3, 0, 0],
  },
  { why: 'first as responder waits', moves: [['responded', 1]], died: [], left: [0, 0, 1, 0] },
  {
    why: 'a repeated initiation replaces the one waiting',
    moves: [
      ['responded', 1],
      ['responded', 2],
    ],
    died: [1],
    left: [0, 0, 2, 0],
  },
  {
    why: 'confirmation makes it current',
    moves: [
      ['responded', 1],
      ['takes over', 1],
    ],
    died: [],
    left: [0, 1, 0, 0],
  },
  {
    why: 'responder rekeys: the old current becomes previous',
    moves: [
      ['responded', 1],
      ['takes over', 1],
      ['responded', 2],
      ['takes over', 2],
    ],
    died: [],
    left: [1, 2, 0, 0],
  },
  {
    why: 'a new next leaves previous, by which the peer may send still',
    moves: [
      ['initiated', 1],
      ['initiated', 2],
      ['responded', 3],
    ],
    died: [],
    left: [1, 2, 3, 0],
  },
  {
    why: 'it takes over: what was previous goes',
    moves: [
      ['initiated', 1],
      ['initiated', 2],
      ['responded', 3],
      ['takes over', 3],
    ],
    died: [1],
    left: [2, 3, 0, 0],
  },
  {
    why: 'both sides began: the next one stays, and what the peer may use still',
    moves: [
      ['initiated', 1],
      ['responded', 2],
      ['initiated', 3],
    ],
    died: [],
    left: [1, 3, 2, 0],
  },
  {
    why: 'the peer uses its own: it retires, and the one before both goes',
    moves: [
      ['initiated', 1],
      ['responded', 2],
      ['initiated', 3],
      ['retires', 2],
    ],
    died: [1],
    left: [2, 3, 0, 0],
  },
  {
    why: 'one of ours that waits leaves the current one in use',
    moves: [
      ['initiated', 1],
      ['initiated', 2],
      ['waits', 3],
    ],
    died: [],
    left: [1, 2, 0, 3],
  },
  {
    why: 'it takes over: the old current becomes previous',
    moves: [
      ['initiated', 1],
      ['initiated', 2],
      ['waits', 3],
      ['takes over', 3],
    ],
    died: [1],
    left: [2, 3, 0, 0],
  },
  {
    why: 'another one that waits replaces it',
    moves: [
      ['initiated', 1],
      ['waits', 2],
      ['waits', 3],
    ],
    died: [2],
    left: [0, 1, 0, 3],
  },
  {
    why: 'one that is used at once replaces it too',
    moves: [
      ['initiated', 1],
      ['waits', 2],
      ['initiated', 3],
    ],
    died: [2],
    left: [1, 3, 0, 0],
  },
  {
    why: 'both sides began while one is in use: both wait, and previous goes',
    moves: [
      ['initiated', 1],
      ['initiated', 2],
      ['responded', 3],
      ['waits', 4],
    ],
    died: [1],
    left: [0, 2, 3, 4],
  },
  {
    why: 'the loser of two that crossed retires, and what was previous goes',
    moves: [
      ['initiated', 2],
      ['responded', 3],
      ['waits', 4],
      ['takes over', 4],
      ['retires', 3],
    ],
    died: [2],
    left: [3, 4, 0, 0],
  },
  {
    why: 'no fourth one lives: previous goes where next and waiting are',
    moves: [
      ['initiated', 1],
      ['responded', 2],
      ['waits', 3],
      ['takes over', 3],
      ['waits', 4],
    ],
    died: [1],
    left: [0, 3, 2, 4],
  },
];

test('keypairs: the succession, move by move', () => {
  for (const { why, moves, died, left } of SUCCESSION) {
    const keypairs = new Keypairs();
    let dead: number[] = [];
    for (const each of moves) dead = move(keypairs, each);
    assert.equal(dead, died, why);
    assert.equal(places(keypairs), left, why);
  }
});

test('keypairs: at most three live, whatever the moves, and each dies once', () => {
  withSeed('keypairs', (random) => {
    const keypairs = new Keypairs();
    const seen = new Set<number>();
    for (let index = 1; index < 3000; index++) {
      const moves: Move[] = [
        ['initiated', index],
        ['responded', index],
        ['waits', index],
      ];
      const { next, waiting } = keypairs;
      if (next) moves.push(['takes over', next.localIndex], ['retires', next.localIndex]);
      if (waiting) moves.push(['takes over', waiting.localIndex]);
      const chosen = moves[random.below(moves.length)] ?? moves[0];
      // Only beside a session in use does another one wait.
      if (!chosen || (chosen[0] === 'waits' && !keypairs.current)) continue;
      for (const dead of move(keypairs, chosen)) {
        assert.not(seen.has(dead), `${dead} dies once`);
        seen.add(dead);
      }
      const living = keypairs.all();
      assert.ok(living.length <= 3, `${living.length} after ${chosen[0]}`);
      for (const { localIndex } of living) assert.not(seen.has(localIndex));
    }
  });
});

test('keypairs: previous and current change places', () => {
  const keypairs = new Keypairs();
  keypairs.add(keypair(1, true));
  keypairs.add(keypair(2, true));
  keypairs.swap();
  assert.equal(places(keypairs), [2, 1, 0, 0]);
});

test('keypairs: of two that crossed, the lower index of an initiator wins, on both sides', () => {
  const made = (local: number, remote: number, isInitiator: boolean, at: number): Keypair => ({
    ...keypair(local, isInitiator),
    remoteIndex: sessionIndex(remote),
    createdAt: instant(at),
  });
  for (const [left, right] of [
    [16, 4096],
    [0xffff_fff0, 32],
  ] as const) {
    // Each side's own session, and the other's as it sees it.
    const ours = [made(left, 48, true, 0), made(right, 64, true, 5)] as const;
    const theirs = [made(48, left, false, 3), made(64, right, false, 7)] as const;
    assert.is(isCrossingWinner(ours[0], theirs[1]), left < right);
    assert.is(isCrossingWinner(theirs[1], ours[0]), right < left);
    assert.is(isCrossingWinner(theirs[0], ours[1]), left < right);
  }
  const [first, later] = [made(16, 48, true, 0), made(64, 32, false, CROSSING_TIME)];
  assert.not(isCrossingWinner(first, later), 'one followed the other');
  assert.not(isCrossingWinner(first, made(64, 32, true, 1)), 'both by one side');
});

test('keypairs: clear returns every one that lived', () => {
  const keypairs = new Keypairs();
  keypairs.add(keypair(1, true));
  keypairs.add(keypair(2, true));
  keypairs.add(keypair(3, false));
  assert.equal(indices(keypairs.clear()), [3, 1, 2]);
  assert.equal(places(keypairs), [0, 0, 0, 0]);
  assert.equal(indices(keypairs.clear()), []);
});

test.run();
