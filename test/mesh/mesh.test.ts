/** The mesh core as a whole: joining, living, failing, leaving, of hosts that have nothing else. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { millis, seconds } from '../../src/base/time.js';
import { isWhole, type MeshHost, MeshScene, memberOn, statuses } from '../support/mesh_scene.js';

const test = suite('mesh/mesh');

test('mesh: the first host founds a network, and has addresses', () => {
  const scene = new MeshScene('found');
  const first = scene.found('a');
  scene.run(seconds(5));
  const picture = first.mesh?.snapshot();
  assert.is(picture?.phase, 'member');
  assert.is(picture?.network?.name, 'testnet');
  assert.is(first.addresses.length, 2, 'one of IPv4, one of IPv6');
  assert.equal(statuses(first), { a: 'alive' });
});

test('mesh: a host joins by one line, and each knows the other', () => {
  const scene = new MeshScene('join');
  const first = scene.found('a');
  scene.run(seconds(2));
  const second = scene.join('b', scene.invite(first));
  assert.ok(
    scene.runUntil(() => isWhole([first, second]), seconds(10)),
    'in 10 s',
  );
  assert.equal(statuses(first), { a: 'alive', b: 'alive' });
  assert.equal(statuses(second), { a: 'alive', b: 'alive' });
  assert.is(memberOn(first, 'b')?.addresses[0], memberOn(second, 'b')?.addresses[0]);
});

/** `count` hosts in one network, joined one after the other by lines of the first. */
function meshOf(scene: MeshScene, count: number): MeshHost[] {
  const first = scene.found('h1');
  scene.run(seconds(1));
  const hosts = [first];
  for (let i = 2; i <= count; i++) {
    const host = scene.join(`h${i}`, scene.invite(first));
    hosts.push(host);
    assert.ok(
      scene.runUntil(() => isWhole(hosts), seconds(10)),
      `h${i} is in`,
    );
  }
  return hosts;
}

function at(hosts: readonly MeshHost[], index: number): MeshHost {
  const host = hosts[index];
  if (!host) throw new Error(`There is no host ${index}`);
  return host;
}

function haveEach(hosts: readonly MeshHost[]): void {
  const addresses = hosts.flatMap((host) => host.addresses);
  assert.is(new Set(addresses).size, addresses.length, 'nobody has the address of another');
}

test('mesh: eight hosts have an address each and agree on everything', () => {
  const scene = new MeshScene('eight');
  const hosts = meshOf(scene, 8);
  haveEach(hosts);
  for (const host of hosts) {
    const names = Array.from(host.peers.values(), ({ name }) => name);
    const members = names.filter((name) => !name.startsWith('invitation-'));
    assert.is(members.length, 7, `${host.name} has all others as peers`);
  }
});

test('mesh: a line of eight uses brings in eight hosts, and no ninth', () => {
  const scene = new MeshScene('uses');
  const first = scene.found('a');
  scene.run(seconds(1));
  const line = scene.invite(first, { uses: 8 });
  const joined = Array.from({ length: 8 }, (_, i) => scene.join(`j${i}`, line));
  assert.ok(
    scene.runUntil(() => isWhole([first, ...joined]), seconds(30)),
    'all are in',
  );
  const ninth = scene.join('late', line);
  scene.run(seconds(60));
  assert.is(ninth.mesh?.snapshot().phase, 'joining');
  assert.match(ninth.mesh?.snapshot().waiting ?? '', 'used');
});

test('mesh: a host joins through a member that is no admin', () => {
  const scene = new MeshScene('introducer');
  const [first, second] = meshOf(scene, 2);
  if (!first || !second) return assert.unreachable();
  const line = scene.invite(first);
  scene.run(seconds(2));
  scene.isOpen = (from, to) => ![from.name, to.name].every((n) => n === 'h1' || n === 'late');
  const late = scene.join('late', line);
  const isIn = (): boolean => late.mesh?.snapshot().phase === 'member' && late.addresses.length > 1;
  assert.ok(scene.runUntil(isIn, seconds(20)), late.mesh?.snapshot().waiting ?? '');
});

test('mesh: who joins is told what it waits for while the admin is away', () => {
  const scene = new MeshScene('waiting');
  const [first, second] = meshOf(scene, 2);
  if (!first || !second) return assert.unreachable();
  const line = scene.invite(first);
  scene.run(seconds(2));
  scene.kill(first);
  const late = scene.join('late', line);
  scene.run(seconds(20));
  assert.match(late.mesh?.snapshot().waiting ?? '', 'admin');
  scene.start(first);
  const isIn = (): boolean => isWhole([first, second, late]);
  assert.ok(scene.runUntil(isIn, seconds(60)), 'it comes in when the admin is back');
});

test('mesh: a host that dies is failed, and is alive again within 2 s of its start', () => {
  const scene = new MeshScene('kill');
  const hosts = meshOf(scene, 4);
  const [first, second] = hosts;
  if (!first || !second) return assert.unreachable();
  scene.run(seconds(5));
  scene.kill(second);
  const isFailed = (): boolean => memberOn(first, 'h2')?.status === 'failed';
  assert.ok(scene.runUntil(isFailed, seconds(60)), 'it is found out');
  scene.start(second);
  assert.ok(
    scene.runUntil(() => isWhole(hosts), seconds(2)),
    'and heard again',
  );
  haveEach(hosts);
});

test('mesh: a host that loses its power when the only other one just joined is not alone', () => {
  const scene = new MeshScene('newcomer');
  const [first, second] = meshOf(scene, 2);
  if (!first || !second) return assert.unreachable();
  scene.run(millis(250));
  scene.kill(first);
  scene.start(first);
  assert.ok(
    scene.runUntil(() => isWhole([first, second]), seconds(5)),
    'it still has the key of the other',
  );
});

test('mesh: all die at once, start again, and are whole with the addresses they had', () => {
  const scene = new MeshScene('all');
  const hosts = meshOf(scene, 6);
  scene.run(seconds(15));
  const before = hosts.map((host) => host.addresses);
  for (const host of hosts) scene.kill(host);
  scene.run(seconds(5));
  for (const host of hosts) scene.start(host);
  assert.ok(
    scene.runUntil(() => isWhole(hosts), seconds(10)),
    'in 10 s',
  );
  assert.equal(
    hosts.map((host) => host.addresses),
    before,
  );
});

test('mesh: a host whose members file is lost finds the others by what it kept', () => {
  const scene = new MeshScene('lost');
  const hosts = meshOf(scene, 3);
  scene.run(seconds(15));
  scene.kill(at(hosts, 2));
  at(hosts, 2).files.delete('members');
  scene.start(at(hosts, 2));
  assert.ok(scene.runUntil(() => isWhole(hosts), seconds(10)));
});

test('mesh: what a partition parted is one again, with nobody dead', () => {
  const scene = new MeshScene('partition');
  const hosts = meshOf(scene, 6);
  const left = new Set(hosts.slice(0, 3));
  scene.isOpen = (from, to) => left.has(from) === left.has(to);
  scene.run(seconds(120));
  assert.is(memberOn(at(hosts, 0), 'h6')?.status, 'failed');
  assert.is(memberOn(at(hosts, 0), 'h2')?.status, 'alive');
  scene.isOpen = () => true;
  assert.ok(
    scene.runUntil(() => isWhole(hosts), seconds(60)),
    'healed in 60 s',
  );
});

test('mesh: two meshes that grew apart under one root are one when they meet', () => {
  const scene = new MeshScene('apart');
  const [first, left] = meshOf(scene, 2);
  if (!first || !left) return assert.unreachable();
  const second = scene.join('admin2', scene.invite(first, { isAdmin: true }));
  const right = scene.join('h4', scene.invite(first));
  const hosts = [first, left, second, right];
  assert.ok(scene.runUntil(() => isWhole(hosts), seconds(10)));
  const west = new Set([first, left]);
  scene.isOpen = (from, to) => west.has(from) === west.has(to);
  scene.run(seconds(60));
  for (const name of ['w1', 'w2']) {
    const host = scene.join(name, scene.invite(first));
    west.add(host);
    hosts.push(host);
  }
  for (const name of ['e1', 'e2']) hosts.push(scene.join(name, scene.invite(second)));
  scene.run(seconds(60));
  const sides = [true, false].map((isWest) => hosts.filter((host) => west.has(host) === isWest));
  for (const side of sides) {
    const names = side.map(({ name }) => name);
    for (const host of side) for (const name of names) assert.is(statuses(host)[name], 'alive');
  }
  assert.is(memberOn(first, 'e1'), undefined, 'nobody told the other side');
  scene.isOpen = () => true;
  assert.ok(
    scene.runUntil(() => isWhole(hosts), seconds(60)),
    'one mesh of eight in 60 s',
  );
  haveEach(hosts);
});

test('mesh: a revoked member is cut off everywhere within 5 s, and knows it', () => {
  const scene = new MeshScene('revoke');
  const hosts = meshOf(scene, 5);
  const gone = at(hosts, 3);
  const answer = scene.ask(at(hosts, 0), { kind: 'revoke', member: 'h4' });
  assert.ok(answer.ok);
  const rest = hosts.filter((host) => host !== gone);
  const isCut = (): boolean =>
    rest.every((host) => gone.ownKeys.every((key) => host.peerWith(key) === undefined));
  assert.ok(scene.runUntil(isCut, seconds(5)), 'no host talks to it');
  scene.kill(gone);
  scene.start(gone);
  scene.run(seconds(30));
  assert.ok(isCut(), 'a restart does not bring it back');
  assert.is(memberOn(at(hosts, 0), 'h4')?.status, 'revoked');
  assert.not.ok(scene.ask(at(hosts, 0), { kind: 'revoke', member: 'nobody' }).ok);
  assert.not.ok(scene.ask(at(hosts, 1), { kind: 'revoke', member: 'h3' }).ok, 'only admins can');
});

test('mesh: who leaves says so, and forgets the network', () => {
  const scene = new MeshScene('leave');
  const hosts = meshOf(scene, 4);
  const gone = at(hosts, 1);
  assert.ok(scene.ask(gone, { kind: 'leave' }).ok);
  scene.run(seconds(5));
  assert.ok(gone.isForgotten);
  assert.is(memberOn(at(hosts, 0), 'h2')?.status, 'left');
  assert.is(memberOn(at(hosts, 2), 'h2')?.status, 'left');
});

test('mesh: the static key is changed, and every host takes the new one', () => {
  const scene = new MeshScene('rotate');
  const hosts = meshOf(scene, 4);
  const host = at(hosts, 2);
  const [before] = host.ownKeys;
  assert.ok(scene.ask(host, { kind: 'rotate', what: 'key' }).ok);
  assert.is(host.mesh?.snapshot().progress.length, 1);
  scene.run(seconds(10));
  const [after] = host.ownKeys;
  assert.is.not(after, before);
  assert.ok(host.ownKeys.includes(before ?? ''), 'the old one still answers');
  scene.run(seconds(200));
  assert.equal(host.ownKeys, [after]);
  for (const other of hosts) {
    if (other !== host) assert.ok(other.peers.has(after ?? ''), `${other.name} has the new key`);
  }
  assert.ok(isWhole(hosts));
  assert.equal(host.mesh?.snapshot().progress, []);
});

test('mesh: admin key and root key are changed, and the mesh lives on and grows', () => {
  const scene = new MeshScene('roots');
  const hosts = meshOf(scene, 3);
  const first = at(hosts, 0);
  for (const what of ['admin', 'root', 'admin', 'root'] as const) {
    const answer = scene.ask(first, { kind: 'rotate', what });
    assert.ok(answer.ok, JSON.stringify(answer));
    assert.ok(
      scene.runUntil(() => isWhole(hosts), seconds(10)),
      `${what} spread`,
    );
  }
  const late = scene.join('late', scene.invite(first));
  assert.ok(
    scene.runUntil(() => isWhole([...hosts, late]), seconds(10)),
    'a host joins by it',
  );
  scene.run(seconds(5));
  for (const host of [...hosts, late]) scene.kill(host);
  late.files.delete('members');
  for (const host of [...hosts, late]) scene.start(host);
  assert.ok(
    scene.runUntil(() => isWhole([...hosts, late]), seconds(20)),
    'and it is kept',
  );
});

test('mesh: of two hosts with one identity both are told, and the later one yields', () => {
  const scene = new MeshScene('clone');
  const hosts = meshOf(scene, 3);
  const original = at(hosts, 1);
  scene.run(seconds(15));
  const copy = scene.add('copy');
  for (const [file, content] of original.files) copy.files.set(file, content);
  scene.start(copy);
  const hasYielded = (): boolean => copy.mesh?.snapshot().phase === 'left';
  assert.ok(scene.runUntil(hasYielded, seconds(30)), 'the copy yields');
  assert.match(copy.mesh?.snapshot().waiting ?? '', '--new-identity');
  assert.ok(
    original.told.some(({ message }) => message.includes('copy')),
    'the first is told',
  );
  scene.kill(copy);
  assert.ok(
    scene.runUntil(() => isWhole(hosts), seconds(30)),
    'and is there as before',
  );
});

test('mesh: a host whose clock is ten years ahead is a member, and keeps the others', () => {
  const scene = new MeshScene('clock');
  const hosts = meshOf(scene, 3);
  scene.run(seconds(15));
  const wrong = at(hosts, 1);
  scene.kill(wrong);
  wrong.ahead = 10 * 365 * 86_400 * 1_000_000;
  scene.start(wrong);
  assert.ok(scene.runUntil(() => isWhole(hosts), seconds(10)));
  assert.ok(wrong.mesh?.snapshot().warnings.some((text) => text.includes('clock')));
  const late = scene.add('late');
  late.ahead = wrong.ahead;
  const line = scene.invite(at(hosts, 0));
  scene.hosts.pop();
  const joined = scene.join('late', line);
  assert.ok(scene.runUntil(() => isWhole([...hosts, joined]), seconds(20)));
});

test('mesh: a full disk is told, costs no membership, and is made up for', () => {
  const scene = new MeshScene('disk');
  const hosts = meshOf(scene, 3);
  const first = at(hosts, 0);
  first.isDiskFull = true;
  const ttl = seconds(60);
  const command = { kind: 'invite', ttl, uses: 1, name: undefined, groups: [] } as const;
  const answer = scene.ask(first, { ...command, isAdmin: false, prefixes: [] });
  assert.not.ok(answer.ok, 'nothing is promised that is not kept');
  scene.run(seconds(30));
  assert.ok(isWhole(hosts));
  assert.ok(first.mesh?.snapshot().warnings.some((text) => text.includes('disk')));
  first.isDiskFull = false;
  scene.run(seconds(10));
  assert.equal(first.mesh?.snapshot().warnings, []);
  assert.ok(scene.invite(first).length > 0);
});

test('mesh: a prefix that two announce moves to the one that lives', () => {
  const scene = new MeshScene('failover');
  const first = scene.found('h1');
  scene.run(seconds(1));
  const announce = ['10.20.0.0/16'];
  const one = scene.join('one', scene.invite(first, { prefixes: announce }), { announce });
  scene.run(seconds(5));
  const two = scene.join('two', scene.invite(first, { prefixes: announce }), { announce });
  assert.ok(scene.runUntil(() => isWhole([first, one, two]), seconds(10)));
  const holders = (): string[] =>
    [...first.peers.values()]
      .filter(({ allowedIps }) => allowedIps.some(({ text }) => text === '10.20.0.0/16'))
      .map(({ name }) => name);
  assert.ok(scene.runUntil(() => holders().length === 1, seconds(5)));
  assert.ok(first.prefixes.includes('10.20.0.0/16'), 'the host routes it to the mesh');
  const [holder] = holders();
  const other = holder === 'one' ? 'two' : 'one';
  scene.kill(holder === 'one' ? one : two);
  assert.ok(
    scene.runUntil(() => holders()[0] === other, seconds(30)),
    'it moved',
  );
});

test('mesh: what a certificate does not allow is announced in vain', () => {
  const scene = new MeshScene('unasked');
  const first = scene.found('h1');
  scene.run(seconds(1));
  const announce = ['10.20.0.0/16', '0.0.0.0/0'];
  const other = scene.join('other', scene.invite(first), { announce });
  assert.ok(scene.runUntil(() => isWhole([first, other]), seconds(10)));
  assert.equal(first.prefixes, []);
});

test.run();
