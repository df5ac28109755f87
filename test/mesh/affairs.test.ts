/** What a node does of its own accord, by command and by the calendar. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fromBase64 } from '../../src/base/bytes.js';
import { seconds } from '../../src/base/time.js';
import { nodeIdOf } from '../../src/identity/node_id.js';
import { SodiumSignatures } from '../../src/io/sodium_signatures.js';
import { parseKeys } from '../../src/mesh/keys.js';
import { crowdOf, errorOf, invite, pass, textOf } from '../support/mesh_crowd.js';
import { isWhole, type MeshHost, type MeshScene, memberOn } from '../support/mesh_scene.js';

const test = suite('mesh/affairs');

const signatures = new SodiumSignatures();

function rootOf(host: MeshHost): string | undefined {
  const root = parseKeys(host.files.get('keys') ?? new Uint8Array(0))?.root;
  return root && nodeIdOf(signatures.publicKeyOf(root));
}

function warnings(host: MeshHost): readonly string[] {
  return host.mesh?.snapshot().warnings ?? [];
}

test('affairs: the root key is handed out where it lies, and its id is the network’s', () => {
  const { scene, host } = crowdOf('export', 2);
  const answer = scene.ask(host(1), { kind: 'exportRoot' });
  if (!answer.ok || answer.result.kind !== 'root') return assert.unreachable();
  const seed = fromBase64(answer.result.seed);
  if (!seed) return assert.unreachable();
  const { network } = host(1).mesh?.snapshot() ?? {};
  assert.is(nodeIdOf(signatures.publicKeyOf(seed)), network?.id);
  assert.match(errorOf(scene.ask(host(2), { kind: 'exportRoot' })), /does not lie on this host/);
  assert.ok(memberOn(host(1), 'h1')?.isRoot);
  assert.not(memberOn(host(2), 'h2')?.isRoot);
});

test('affairs: admin and root keys are rotated by whoever has the root key', () => {
  const { scene, host } = crowdOf('rotate', 2);
  for (const what of ['admin', 'root'] as const) {
    assert.match(errorOf(scene.ask(host(2), { kind: 'rotate', what })), /Only the host with the/);
    assert.ok(scene.ask(host(1), { kind: 'rotate', what }).ok);
  }
  const first = rootOf(host(1));
  assert.is.not(first, host(1).mesh?.snapshot().network?.id, 'the network keeps its id');
});

test('affairs: one change of the static key at a time, with its progress', () => {
  const { scene, host } = crowdOf('key', 2);
  const rotate = { kind: 'rotate', what: 'key' } as const;
  assert.match(textOf(scene.ask(host(2), rotate)), /A new key is announced/);
  assert.match(errorOf(scene.ask(host(2), rotate)), /being changed already/);
  assert.match(host(2).mesh?.snapshot().progress[0] ?? '', /announced, and used in \d+ s/);
  scene.run(seconds(10));
  assert.match(host(2).mesh?.snapshot().progress[0] ?? '', /the old one answers/);
  scene.run(seconds(200));
  assert.equal(host(2).mesh?.snapshot().progress, []);
  assert.ok(scene.ask(host(2), rotate).ok);
});

test('affairs: a change of the static key that a restart interrupts is carried through', () => {
  const { scene, hosts, host } = crowdOf('interrupted', 3);
  const [before] = host(2).ownKeys;
  assert.ok(scene.ask(host(2), { kind: 'rotate', what: 'key' }).ok);
  scene.run(seconds(2));
  const next = host(2).ownKeys[1];
  scene.kill(host(2));
  scene.start(host(2));
  scene.run(seconds(10));
  assert.is(host(2).ownKeys[0], next);
  assert.ok(scene.runUntil(() => isWhole(hosts), seconds(10)));
  scene.run(seconds(200));
  assert.equal(host(2).ownKeys, [next]);
  assert.not(host(1).peers.has(before ?? ''));
});

/** As a crash leaves it that comes when `keys` is written and the other files are not. */
function crash(scene: MeshScene, host: MeshHost, act: () => void): void {
  const before = new Map(host.files);
  act();
  scene.kill(host);
  for (const [file, content] of before) if (file !== 'keys') host.files.set(file, content);
}

test('affairs: a crash between the files of a change of the root key costs no root key', () => {
  const { scene, hosts, host } = crowdOf('crash root', 2);
  scene.run(seconds(5));
  const [first, before] = [host(1), rootOf(host(1))];
  scene.kill(host(2));
  crash(scene, first, () => {
    assert.ok(scene.ask(first, { kind: 'rotate', what: 'root' }).ok);
  });
  for (const each of hosts) scene.start(each);
  scene.run(seconds(1));
  assert.ok(scene.runUntil(() => isWhole(hosts), seconds(20)));
  assert.is(rootOf(first), before, 'the network never heard of another');
  const answer = scene.ask(first, { kind: 'rotate', what: 'root' });
  assert.ok(answer.ok, textOf(answer));
  assert.ok(scene.ask(first, { kind: 'rotate', what: 'admin' }).ok);
  assert.ok(scene.ask(first, invite()).ok, 'and what it signs counts');
  scene.run(seconds(5));
  const after = rootOf(first);
  assert.is.not(after, before);
  for (const each of hosts) scene.kill(each);
  for (const each of hosts) scene.start(each);
  scene.run(seconds(1));
  assert.ok(scene.runUntil(() => isWhole(hosts), seconds(20)));
  assert.is(rootOf(first), after);
});

test('affairs: a crash between the files of a change of the admin key costs no admin', () => {
  const { scene, hosts, host } = crowdOf('crash admin', 2);
  scene.run(seconds(5));
  scene.kill(host(2));
  crash(scene, host(1), () => {
    assert.ok(scene.ask(host(1), { kind: 'rotate', what: 'admin' }).ok);
  });
  for (const each of hosts) scene.start(each);
  scene.run(seconds(1));
  assert.ok(scene.runUntil(() => isWhole(hosts), seconds(20)));
  const answer = scene.ask(host(1), invite());
  assert.ok(answer.ok, textOf(answer));
});

test('affairs: who leaves is asked nothing more, and comes back as nobody', () => {
  const { scene, host } = crowdOf('leave', 3);
  assert.match(textOf(scene.ask(host(3), { kind: 'leave' })), /leaves the network/);
  scene.run(seconds(3));
  assert.ok(host(3).isForgotten);
  assert.is(host(3).mesh?.snapshot().phase, 'left');
  assert.is(host(3).peers.size, 0);
  assert.equal(host(3).addresses, []);
  assert.match(errorOf(scene.ask(host(3), invite())), /has left the network/);
});

test('affairs: who was revoked knows it, and forgets nothing', () => {
  const { scene, host } = crowdOf('revoked', 3);
  assert.ok(scene.ask(host(1), { kind: 'revoke', member: 'h3' }).ok);
  const isOut = (): boolean => host(3).mesh?.snapshot().phase === 'left';
  assert.ok(scene.runUntil(isOut, seconds(5)));
  assert.match(host(3).mesh?.snapshot().waiting ?? '', /was revoked/);
  assert.not(host(3).isForgotten);
  assert.is(host(3).peers.size, 0);
});

test('affairs: when no admin has run for 40 days it is said, and everybody is a member', () => {
  const { scene, hosts, host } = crowdOf('expiry', 3);
  scene.kill(host(1));
  const rest = hosts.slice(1);
  pass(scene, rest, 39);
  assert.equal(warnings(host(2)), []);
  pass(scene, rest, 60);
  assert.match(warnings(host(2)).join('\n'), /no admin has run for 40 days/);
  assert.match(warnings(host(2)).join('\n'), /certificate of this host expires/);
  assert.is(memberOn(host(2), 'h3')?.status, 'alive');
  scene.start(host(1));
  assert.ok(scene.runUntil(() => isWhole(hosts), seconds(20)));
});

test('affairs: a clock that the mesh does not believe is told', () => {
  const { scene, hosts, host } = crowdOf('clock', 2);
  assert.equal(warnings(host(2)), []);
  pass(scene, [host(2)], 3_650);
  assert.match(warnings(host(2)).join('\n'), /wall clock of this host is far/);
  assert.ok(isWhole(hosts));
});

test('affairs: a file that cannot be written is told by name', () => {
  const { scene, host } = crowdOf('disk', 2);
  host(2).isDiskFull = true;
  assert.ok(scene.ask(host(2), { kind: 'rotate', what: 'key' }).ok);
  scene.run(seconds(1));
  assert.match(warnings(host(2)).join('\n'), /The file "keys" cannot be written/);
});

test.run();
