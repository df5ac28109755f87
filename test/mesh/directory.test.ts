/** Who is who, and what the node is told of it. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Endpoint, parseEndpoint, parsePrefix, type Prefix } from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import { type NodeId, nodeId } from '../../src/base/identifiers.js';
import { wallTime } from '../../src/base/time.js';
import type { MeshAction } from '../../src/mesh/action.js';
import { Directory, PEERS } from '../../src/mesh/directory.js';
import type { NodeStatement } from '../../src/wire/node_record.js';

const test = suite('mesh/directory');

const [ONE, TWO] = [nodeId('0000000000000001'), nodeId('0000000000000002')];
const STANDING = { name: 'one', prefixes: [] };

function key(fill: number): Uint8Array {
  return new Uint8Array(32).fill(fill);
}

function endpoint(text: string): Endpoint {
  return present(parseEndpoint(text), text);
}

function prefix(text: string): Prefix {
  return present(parsePrefix(text), text);
}

function saying(fields: Partial<NodeStatement> = {}): NodeStatement {
  return {
    status: 'alive',
    instance: '00000000000000aa',
    startedAt: wallTime(1),
    staticKey: key(1),
    nextStaticKey: undefined,
    endpoints: [endpoint('192.0.2.1:51820')],
    ...fields,
  };
}

class Rig {
  readonly #actions: MeshAction[] = [];
  readonly directory = new Directory(this.#actions);

  /** What the node was told since: the kind, and the first byte of the key. */
  told(): string[] {
    return this.#actions.splice(0).map((action) => {
      if (action.kind === 'upsertPeer') return `upsert ${action.peer.publicKey[0]}`;
      return action.kind === 'removePeer' ? `remove ${action.publicKey[0]}` : action.kind;
    });
  }

  put(id: NodeId, fields: Partial<NodeStatement> = {}, standing = STANDING): void {
    this.directory.update(id, saying(fields), 1);
    this.directory.refresh(id, standing);
  }
}

test('directory: a member is a peer once it is certified and known, and told once', () => {
  const rig = new Rig();
  rig.directory.refresh(ONE, STANDING);
  assert.equal(rig.told(), [], 'it has said nothing yet');
  rig.directory.update(ONE, saying(), 1);
  assert.equal(rig.told(), [], 'nobody certified it yet');
  rig.directory.refresh(ONE, STANDING);
  rig.directory.refresh(ONE, STANDING);
  assert.equal(rig.told(), ['upsert 1']);
  assert.is(rig.directory.peers, 1);
  const peer = present(rig.directory.get(ONE)?.peer, 'it is one');
  const { publicKey, alternateKey, name, allowedIps } = peer;
  assert.equal(
    { publicKey, alternateKey, name, endpoint: peer.endpoint, allowedIps },
    {
      publicKey: key(1),
      alternateKey: undefined,
      name: 'one',
      endpoint: endpoint('192.0.2.1:51820'),
      allowedIps: [],
    },
  );
});

test('directory: what changes is told, and only that', () => {
  const rig = new Rig();
  rig.put(ONE);
  rig.told();
  const changes: readonly [Partial<NodeStatement>, typeof STANDING][] = [
    [{ endpoints: [endpoint('192.0.2.2:51820')] }, STANDING],
    [{ endpoints: [] }, STANDING],
    [{ endpoints: [], nextStaticKey: key(2) }, STANDING],
    [
      { endpoints: [], nextStaticKey: key(2) },
      { ...STANDING, name: 'other' },
    ],
  ];
  for (const [said, standing] of changes) {
    rig.put(ONE, said, standing);
    assert.equal(rig.told(), ['upsert 1']);
    rig.put(ONE, { ...said, instance: '00000000000000bb' }, standing);
    assert.equal(rig.told(), [], 'the same again');
  }
  const prefixes = [prefix('10.0.0.0/8')];
  rig.directory.refresh(ONE, { name: 'other', prefixes });
  rig.directory.refresh(ONE, { name: 'other', prefixes: [prefix('10.0.0.0/8')] });
  rig.directory.refresh(ONE, { name: 'other', prefixes: [prefix('10.0.0.0/9')] });
  assert.equal(rig.told(), ['upsert 1', 'upsert 1']);
});

test('directory: who leaves, or is certified no more, is no peer', () => {
  const rig = new Rig();
  rig.put(ONE);
  rig.put(TWO, { staticKey: key(2) });
  rig.told();
  rig.put(ONE, { status: 'left' });
  rig.directory.refresh(TWO, undefined);
  assert.equal(rig.told(), ['remove 1', 'remove 2']);
  assert.is(rig.directory.peers, 0);
  rig.directory.refresh(TWO, undefined);
  assert.equal(rig.told(), []);
  assert.is(rig.directory.withKey(key(2))?.id, TWO, 'it is still known');
});

test('directory: a key that was announced before takes the place of the old one', () => {
  const rig = new Rig();
  rig.put(ONE, { nextStaticKey: key(2) });
  rig.put(ONE, { staticKey: key(2), nextStaticKey: key(1) });
  rig.put(ONE, { staticKey: key(2) });
  assert.equal(rig.told(), ['upsert 1', 'upsert 2', 'upsert 2'], 'the same peer, its session kept');
  assert.is(rig.directory.peers, 1);
});

test('directory: a key that nobody announced is another peer', () => {
  const rig = new Rig();
  rig.put(ONE);
  rig.put(ONE, { staticKey: key(5) });
  assert.equal(rig.told(), ['upsert 1', 'remove 1', 'upsert 5']);
  assert.is(rig.directory.peers, 1);
});

test('directory: a member is found by either of its keys, and by no key it had', () => {
  const rig = new Rig();
  rig.put(ONE, { nextStaticKey: key(2) });
  assert.is(rig.directory.withKey(key(1))?.id, ONE);
  assert.is(rig.directory.withKey(key(2))?.id, ONE);
  rig.put(ONE, { staticKey: key(2) });
  assert.is(rig.directory.withKey(key(1)), undefined);
  assert.is(rig.directory.withKey(key(2))?.id, ONE);
});

test('directory: row 22: a key that another claims stays whose it was', () => {
  const rig = new Rig();
  rig.put(ONE);
  rig.told();
  rig.put(TWO, { staticKey: key(1) });
  assert.is(rig.directory.withKey(key(1))?.id, ONE);
  assert.equal(rig.told(), [], 'the peer by this key is not another now');
  rig.put(TWO, { staticKey: key(7), nextStaticKey: key(1) });
  assert.equal(rig.told(), ['upsert 7']);
  assert.is(rig.directory.get(TWO)?.peer?.alternateKey, undefined, 'nor one of two keys');
  rig.put(TWO, { staticKey: key(1), nextStaticKey: key(7) });
  assert.equal(rig.told(), ['remove 7'], 'what it has by right goes, and no more');
  assert.is(rig.directory.get(ONE)?.peer?.name, 'one');
  assert.is(rig.directory.withKey(key(1))?.id, ONE);
});

test('directory: the next of several endpoints is tried, and a new record begins anew', () => {
  const rig = new Rig();
  const endpoints = ['192.0.2.1:1', '192.0.2.2:2', '[2001:db8::1]:3'].map(endpoint);
  rig.put(ONE, { endpoints });
  const tried: (string | undefined)[] = [];
  for (let i = 0; i < 4; i++) {
    const member = rig.directory.get(ONE);
    tried.push(member?.peer?.endpoint?.text);
    if (member) rig.directory.tryNext(member);
  }
  assert.equal(tried, ['192.0.2.1:1', '192.0.2.2:2', '[2001:db8::1]:3', '192.0.2.1:1']);
  rig.told();
  rig.directory.refresh(ONE, STANDING);
  assert.equal(rig.told(), [], 'what is tried is not taken back');
  rig.put(ONE, { endpoints: endpoints.slice(0, 1) });
  const member = rig.directory.get(ONE);
  assert.is(member?.peer?.endpoint?.text, '192.0.2.1:1');
  rig.told();
  if (member) rig.directory.tryNext(member);
  assert.equal(rig.told(), [], 'there is no other');
});

test('directory: what is forgotten is nobody, and its key is free', () => {
  const rig = new Rig();
  rig.put(ONE);
  rig.told();
  rig.directory.forget(ONE);
  assert.equal(rig.told(), ['remove 1']);
  assert.is(rig.directory.get(ONE), undefined);
  assert.is(rig.directory.withKey(key(1)), undefined);
  rig.directory.forget(ONE);
  assert.equal(rig.told(), []);
  rig.put(TWO);
  assert.is(rig.directory.withKey(key(1))?.id, TWO);
});

test('directory: row 24: it takes 16,384 peers, and knows those beyond', () => {
  const rig = new Rig();
  for (let i = 0; i <= PEERS; i++) {
    const staticKey = new Uint8Array(32);
    staticKey.set([i & 0xff, (i >> 8) & 0xff, i >> 16]);
    rig.put(nodeId(i.toString(16).padStart(16, '0')), { staticKey });
  }
  assert.is(rig.directory.peers, PEERS);
  assert.is(rig.told().length, PEERS);
  assert.is([...rig.directory.all()].length, PEERS + 1);
  rig.directory.forget(ONE);
  rig.directory.refresh(nodeId(PEERS.toString(16).padStart(16, '0')), STANDING);
  assert.is(rig.directory.peers, PEERS, 'room that is made is taken');
});

test.run();
