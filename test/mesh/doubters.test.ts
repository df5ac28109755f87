/** Who is told by us that we live: those who brought word that we do not. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type NodeId, nodeId } from '../../src/base/identifiers.js';
import { Doubters } from '../../src/mesh/doubters.js';
import { NO_KEY } from '../../src/wire/record.js';
import { sampleRecord } from '../support/control_samples.js';

const test = suite('mesh/doubters');
const [SELF, OTHER] = [nodeId('aaaaaaaaaaaaaaaa'), nodeId('bbbbbbbbbbbbbbbb')];
const OURS = sampleRecord({ kind: 'node', author: SELF, key: NO_KEY, version: 7 });

const doubt = (of: NodeId, version: number): Uint8Array =>
  sampleRecord({ kind: 'suspicion', author: OTHER, key: of, version, body: new Uint8Array(0) })
    .bytes;

test('doubters: a doubt of what we have left behind is answered at once', () => {
  const doubters = new Doubters();
  assert.ok(doubters.heard(OTHER, [doubt(SELF, 6)], OURS));
  assert.equal(doubters.take(), []);
});

test('doubters: a doubt of what we say now is answered when we say more, once', () => {
  const doubters = new Doubters();
  assert.not(doubters.heard(OTHER, [doubt(SELF, 6), doubt(SELF, 7)], OURS));
  assert.not(doubters.heard(OTHER, [doubt(SELF, 7)], OURS));
  assert.equal(doubters.take(), [OTHER]);
  assert.equal(doubters.take(), []);
});

test('doubters: what is of others, or none, is nothing to us', () => {
  const doubters = new Doubters();
  const about = sampleRecord({ kind: 'lease', author: OTHER, key: SELF, version: 1 }).bytes;
  const torn = doubt(SELF, 7).subarray(0, 20);
  assert.not(doubters.heard(OTHER, [doubt(OTHER, 1), about, torn, new Uint8Array(0)], OURS));
  assert.not(doubters.heard(OTHER, [doubt(SELF, 1)], undefined), 'we have said nothing yet');
  assert.equal(doubters.take(), []);
});

test('doubters: they are bounded', () => {
  const doubters = new Doubters();
  for (let i = 0; i < 100; i++) {
    doubters.heard(nodeId(i.toString(16).padStart(16, '0')), [doubt(SELF, 7)], OURS);
  }
  assert.is(doubters.take().length, 64);
});

test.run();
