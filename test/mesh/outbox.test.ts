/** What goes out to members. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nodeId } from '../../src/base/identifiers.js';
import { wallTime } from '../../src/base/time.js';
import type { MeshAction } from '../../src/mesh/action.js';
import { Directory } from '../../src/mesh/directory.js';
import { Outbox } from '../../src/mesh/outbox.js';
import { CONTROL_GOSSIP } from '../../src/wire/control.js';
import { parseGossip } from '../../src/wire/gossip.js';
import { sampleRecord } from '../support/control_samples.js';

const test = suite('mesh/outbox');

const [PEER, OTHER] = [nodeId('0000000000000001'), nodeId('0000000000000002')];
const KEY = new Uint8Array(32).fill(7);

function rig(): { outbox: Outbox; actions: MeshAction[] } {
  const actions: MeshAction[] = [];
  const directory = new Directory(actions);
  const keys = { staticKey: KEY, nextStaticKey: undefined };
  const [instance, startedAt] = ['00000000000000aa', wallTime(1)];
  directory.update(PEER, { status: 'alive', instance, startedAt, ...keys, endpoints: [] }, 1);
  directory.refresh(PEER, { name: 'one', prefixes: [] });
  actions.length = 0;
  return { outbox: new Outbox({ directory, actions }), actions };
}

test('outbox: a message goes to the key of the peer, and is counted', () => {
  const { outbox, actions } = rig();
  outbox.send(PEER, 3, Uint8Array.of(1, 2));
  outbox.send(PEER, 4, Uint8Array.of(3));
  assert.equal(actions, [
    { kind: 'sendControl', publicKey: KEY, message: { kind: 3, body: Uint8Array.of(1, 2) } },
    { kind: 'sendControl', publicKey: KEY, message: { kind: 4, body: Uint8Array.of(3) } },
  ]);
  assert.equal(outbox.sent, { messages: 2, bytes: 3 });
});

test('outbox: to whom is no peer nothing is sent', () => {
  const { outbox, actions } = rig();
  outbox.send(OTHER, 3, Uint8Array.of(1));
  outbox.say(OTHER, sampleRecord());
  assert.equal(actions, []);
  assert.equal(outbox.sent, { messages: 0, bytes: 0 });
});

test('outbox: what is said is a record, spread', () => {
  const { outbox, actions } = rig();
  const record = sampleRecord();
  outbox.say(PEER, record);
  const [action] = actions;
  if (action?.kind !== 'sendControl') return assert.unreachable();
  assert.is(action.message.kind, CONTROL_GOSSIP);
  const message = parseGossip(action.message.body);
  assert.equal(message, { kind: 'spread', records: [record.bytes] });
});

test.run();
