import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RootChain } from '../../src/identity/root_chain.js';
import { keyPair, NEXT_ROOT, ROOT, STRANGER } from '../support/identity_scene.js';
import { equalBytes } from '../support/bytes.js';

const test = suite('identity/root_chain');
const THIRD = keyPair('the third root');

test('root chain: each key names the next, and the last is in force', () => {
  const chain = new RootChain(ROOT.publicKey);
  equalBytes(chain.current, ROOT.publicKey);
  assert.ok(chain.adopt(ROOT.id, { rootKey: NEXT_ROOT.publicKey, epoch: 1 }, 10));
  assert.ok(chain.adopt(NEXT_ROOT.id, { rootKey: THIRD.publicKey, epoch: 2 }, 20));
  equalBytes(chain.current, THIRD.publicKey);
  equalBytes(chain.first, ROOT.publicKey);
  assert.is(chain.epoch, 2);
  assert.equal(
    [ROOT, NEXT_ROOT, THIRD, STRANGER].map(({ id }) => chain.rankOf(id)),
    [0, 1, 2, -1],
  );
});

test('root chain: a key hands over once, and says nothing more after it', () => {
  const chain = new RootChain(ROOT.publicKey);
  chain.adopt(ROOT.id, { rootKey: NEXT_ROOT.publicKey, epoch: 1 }, 10);
  assert.not(chain.mayName(ROOT.id, { rootKey: THIRD.publicKey, epoch: 1 }));
  assert.not(chain.adopt(ROOT.id, { rootKey: THIRD.publicKey, epoch: 9 }, 5));
  equalBytes(chain.current, NEXT_ROOT.publicKey);
  assert.ok(chain.speaks(ROOT.id, 10));
  assert.not(chain.speaks(ROOT.id, 11));
  assert.ok(chain.speaks(NEXT_ROOT.id, 1_000));
});

test('root chain: no circle, and nobody from outside', () => {
  const chain = new RootChain(ROOT.publicKey);
  chain.adopt(ROOT.id, { rootKey: NEXT_ROOT.publicKey, epoch: 1 }, 10);
  assert.not(chain.adopt(NEXT_ROOT.id, { rootKey: ROOT.publicKey, epoch: 2 }, 20));
  assert.not(chain.adopt(STRANGER.id, { rootKey: THIRD.publicKey, epoch: 2 }, 20));
  assert.is(chain.keyOf(STRANGER.id), undefined);
});

test.run();
