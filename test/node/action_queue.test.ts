import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isZero } from '../../src/base/bytes.js';
import { peerSlot, sessionIndex } from '../../src/base/identifiers.js';
import { instant } from '../../src/base/time.js';
import type { NodeAction } from '../../src/node/action.js';
import { ActionQueue } from '../../src/node/action_queue.js';

const test = suite('node/action_queue');

test('action queue: actions come out once and in order, and keys are wiped when told', () => {
  const queue = new ActionQueue();
  const keypair = {
    localIndex: sessionIndex(1),
    remoteIndex: sessionIndex(2),
    sendKey: new Uint8Array(32).fill(1),
    receiveKey: new Uint8Array(32).fill(2),
    createdAt: instant(0),
    isInitiator: true,
  };
  queue.push({ kind: 'resolve', request: 1, host: 'a', port: 1 });
  queue.write({ kind: 'installKeypair', peer: peerSlot(0), keypair });
  const out: NodeAction[] = [];
  queue.wipeHandedOver();
  queue.drain(out);
  assert.equal(
    out.map(({ kind }) => kind),
    ['resolve', 'write'],
  );
  assert.not(isZero(keypair.sendKey), 'the shell still needs it');
  queue.drain(out);
  assert.is(out.length, 2);
  queue.wipeHandedOver();
  assert.ok(isZero(keypair.sendKey) && isZero(keypair.receiveKey));
});

test.run();
