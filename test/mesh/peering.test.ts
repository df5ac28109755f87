/** Which members are peers, and what becomes of those who are none any more. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fromBase64 } from '../../src/base/bytes.js';
import { seconds, wallTime } from '../../src/base/time.js';
import { emitNodeRecord } from '../../src/wire/node_record.js';
import { NO_KEY } from '../../src/wire/record.js';
import { dropsOf, signedBy, tell } from '../support/mesh_attack.js';
import { crowdOf, pass } from '../support/mesh_crowd.js';
import { isWhole, type MeshHost, memberOn } from '../support/mesh_scene.js';

const test = suite('mesh/peering');

function peerNames(host: MeshHost): string[] {
  const names = Array.from(host.peers.values(), ({ name }) => name);
  return names.filter((name) => /^h\d+$/.test(name)).sort();
}

test('peering: every member is a peer of every other, by its name', () => {
  const { hosts } = crowdOf('all', 4);
  const names = hosts.map(({ name }) => name);
  for (const host of hosts) {
    assert.equal(
      peerNames(host),
      names.filter((name) => name !== host.name),
    );
  }
});

test('peering: a member that died stays a peer, and is a peer when it comes back', () => {
  const { scene, hosts, host } = crowdOf('dead', 3);
  scene.run(seconds(5));
  scene.kill(host(3));
  assert.ok(scene.runUntil(() => memberOn(host(1), 'h3')?.status === 'failed', seconds(60)));
  assert.equal(peerNames(host(1)), ['h2', 'h3']);
  scene.start(host(3));
  assert.ok(scene.runUntil(() => isWhole(hosts), seconds(5)));
});

test('peering: who left is no peer, and is remembered as one that left', () => {
  const { scene, host } = crowdOf('left', 3);
  scene.ask(host(3), { kind: 'leave' });
  scene.run(seconds(5));
  assert.equal(peerNames(host(1)), ['h2']);
  assert.is(memberOn(host(1), 'h3')?.status, 'left');
  assert.is(memberOn(host(1), 'h3')?.endpoint, undefined);
});

test('peering: row 28: the key of who was revoked is nobody’s, whoever names it', () => {
  const { scene, hosts, host } = crowdOf('key', 4);
  const staticKey = fromBase64(memberOn(host(1), 'h4')?.publicKey ?? '');
  if (!staticKey) return assert.unreachable();
  assert.ok(scene.ask(host(1), { kind: 'revoke', member: 'h4' }).ok);
  scene.run(seconds(5));
  for (const [own, other] of [
    [staticKey, undefined],
    [new Uint8Array(32).fill(7), staticKey],
  ] as const) {
    const body = emitNodeRecord({
      status: 'alive',
      instance: '00000000000000ff',
      startedAt: wallTime(1),
      staticKey: own,
      nextStaticKey: other,
      endpoints: [],
    });
    const before = dropsOf(host(1), 'revoked');
    const version = 1_000;
    tell(scene, host(3), host(1), signedBy(host(3), { kind: 'node', key: NO_KEY, version, body }));
    assert.is(dropsOf(host(1), 'revoked'), before + 1);
  }
  assert.equal(peerNames(host(1)), ['h2', 'h3']);
  assert.ok(isWhole(hosts.slice(0, 3)));
});

test('peering: after a revocation all hold the same, whenever they started', () => {
  const { scene, hosts, host } = crowdOf('same', 4);
  scene.run(seconds(5));
  assert.ok(scene.ask(host(1), { kind: 'revoke', member: 'h4' }).ok);
  scene.run(seconds(5));
  scene.kill(host(2));
  scene.start(host(2));
  const late = scene.join('h5', scene.invite(host(1)));
  scene.run(seconds(30));
  const rest = [...hosts.slice(0, 3), late];
  assert.ok(isWhole(rest));
  for (const each of rest) {
    assert.is(memberOn(each, 'h4')?.status, 'revoked', each.name);
    assert.is(memberOn(each, 'h4')?.addresses.length, 1, 'its lease is free');
  }
});

test('peering: who is certified no more is no peer from then on, and is forgotten', () => {
  const { scene, hosts, host } = crowdOf('ended', 3);
  scene.ask(host(3), { kind: 'leave' });
  scene.run(seconds(5));
  const rest = hosts.slice(0, 2);
  for (let i = 0; i < 4; i++) pass(scene, rest, 31);
  assert.is(memberOn(host(2), 'h3'), undefined);
  assert.ok(isWhole(rest), 'both forgot the same');
  const digest = host(1).mesh?.snapshot().digest;
  scene.run(seconds(60));
  assert.is(host(1).mesh?.snapshot().digest, digest, 'and it stays so');
});

test.run();
