/** What members have, and what the host is told of it. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parsePrefix } from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import { seconds, wallTime } from '../../src/base/time.js';
import { emitLease } from '../../src/ipam/lease_body.js';
import { parseOwnState } from '../../src/mesh/own_state.js';
import { parseRecord, type SignedRecord } from '../../src/wire/record.js';
import { crowdOf } from '../support/mesh_crowd.js';
import { signedBy, tell } from '../support/mesh_attack.js';
import { isWhole, type MeshHost, MeshScene, memberOn, WALL } from '../support/mesh_scene.js';

const test = suite('mesh/addresses');

function leasesOnDisk(host: MeshHost): number {
  const own = parseOwnState(host.files.get('own') ?? new Uint8Array(0));
  const kinds = own?.records.map((bytes) => parseRecord(bytes)?.kind) ?? [];
  return kinds.filter((kind) => kind === 'lease').length;
}

test('addresses: a host has one of the pool and one of its id, the same on every member', () => {
  const { hosts, host } = crowdOf('each', 4);
  const pool = new Set<string>();
  for (const each of hosts) {
    const [four = '', six = ''] = each.addresses;
    assert.match(four, /^10\.86\.\d+\.\d+\/16$/);
    assert.match(six, /^fd[0-9a-f]{2}:.*\/\d+$/);
    pool.add(four);
    const shown = hosts.map((other) => memberOn(other, each.name)?.addresses.join(' '));
    assert.is(new Set(shown).size, 1, shown.join(', '));
    assert.is(shown[0]?.split(' ')[0], four.replace('/16', ''));
  }
  assert.is(pool.size, 4);
  for (const peer of host(1).peers.values()) {
    if (!peer.name.startsWith('h')) continue;
    const shown = memberOn(host(1), peer.name)?.addresses ?? [];
    const routed = peer.allowedIps.map(({ text }) => text.replace(/\/\d+$/, ''));
    for (const address of shown) assert.ok(routed.includes(address), `${peer.name} ${address}`);
  }
});

test('addresses: a lease is on disk before anybody hears of it', () => {
  const scene = new MeshScene('before');
  const first = scene.found('h1');
  scene.run(seconds(2));
  const line = scene.invite(first);
  const late = scene.join('late', line);
  late.isDiskFull = true;
  scene.run(seconds(20));
  assert.is(late.mesh?.snapshot().phase, 'member');
  assert.is(leasesOnDisk(late), 0);
  assert.is(memberOn(first, 'late')?.addresses.length, 1, 'the one of its id');
  late.isDiskFull = false;
  assert.ok(scene.runUntil(() => isWhole([first, late]), seconds(20)));
  assert.is(leasesOnDisk(late), 1);
  assert.is(memberOn(first, 'late')?.addresses.length, 2);
});

test('addresses: after a restart a host has what it had', () => {
  const { scene, hosts, host } = crowdOf('kept', 3);
  scene.run(seconds(5));
  const before = host(3).addresses;
  scene.kill(host(3));
  host(3).files.delete('members');
  scene.start(host(3));
  assert.ok(scene.runUntil(() => isWhole(hosts), seconds(10)));
  assert.equal(host(3).addresses, before);
});

/** `by` claims what `from` has, as if at `claimedAt`. */
function steal(by: MeshHost, from: MeshHost, claimedAt: number): SignedRecord {
  const address = from.addresses[0]?.replace('/16', '/32') ?? '';
  const prefix = present(parsePrefix(address), address);
  const body = emitLease({
    kind: 'held',
    prefix,
    claimedAt: wallTime(claimedAt),
    reclaimed: [],
  });
  const version = WALL + seconds(3_600);
  return signedBy(by, { kind: 'lease', key: '0000000000000000', version, body });
}

function haveEach(hosts: readonly MeshHost[]): void {
  const all = hosts.flatMap(({ addresses }) => addresses);
  assert.is(new Set(all).size, all.length, all.join(' '));
  assert.is(all.length, 2 * hosts.length);
}

test('addresses: row 31: what another has already is claimed in vain', () => {
  const { scene, hosts, host } = crowdOf('late claim', 4);
  const before = host(2).addresses;
  const record = steal(host(3), host(2), WALL + seconds(1_800));
  for (const each of hosts) tell(scene, host(3), each, record);
  scene.run(seconds(10));
  assert.equal(host(2).addresses, before);
  const peer = [...host(1).peers.values()].find(({ name }) => name === 'h2');
  assert.ok(peer?.allowedIps.some(({ text }) => text === before[0]?.replace('/16', '/32')));
  haveEach(hosts);
});

test('addresses: row 31: of two claims the earlier is in force; the loser moves', () => {
  const { scene, hosts, host } = crowdOf('early claim', 4);
  const before = host(2).addresses;
  const record = steal(host(3), host(2), WALL + seconds(1.5));
  for (const each of [host(1), host(2), host(4)]) tell(scene, host(3), each, record);
  const hasMoved = (): boolean =>
    host(2).addresses.length === 2 && host(2).addresses[0] !== before[0];
  assert.ok(scene.runUntil(hasMoved, seconds(10)), 'in 10 s');
  assert.ok(host(2).told.some(({ message }) => message.includes('another address')));
  scene.run(seconds(10));
  const shown = hosts.map((each) => memberOn(each, 'h2')?.addresses.join(' '));
  assert.is(new Set(shown).size, 1, shown.join(', '));
  assert.is(shown[0]?.split(' ')[0], host(2).addresses[0]?.replace('/16', ''));
  haveEach(hosts.filter((each) => each !== host(3)));
});

test('addresses: a subnet is leased where it is asked for, and routed to its member', () => {
  const scene = new MeshScene('subnet');
  const first = scene.found('h1');
  scene.run(seconds(2));
  const other = scene.join('other', scene.invite(first), { subnetLength: 24 });
  const hasOne = (): boolean => memberOn(first, 'other')?.subnet !== undefined;
  assert.ok(scene.runUntil(hasOne, seconds(20)));
  const subnet = memberOn(first, 'other')?.subnet ?? '';
  assert.match(subnet, /^10\.86\.\d+\.0\/24$/);
  const peer = [...first.peers.values()].find(({ name }) => name === 'other');
  assert.ok(peer?.allowedIps.some(({ text }) => text === subnet));
  assert.is(memberOn(other, 'h1')?.subnet, undefined);
});

test('addresses: what a member announces is routed, and gone when it is revoked', () => {
  const scene = new MeshScene('announce');
  const first = scene.found('h1');
  scene.run(seconds(2));
  const prefixes = ['10.20.0.0/16'];
  const options = { announce: prefixes };
  const other = scene.join('other', scene.invite(first, { prefixes }), options);
  assert.ok(scene.runUntil(() => first.prefixes.includes('10.20.0.0/16'), seconds(20)));
  assert.equal(memberOn(first, 'other')?.announces, prefixes);
  assert.equal(other.prefixes, [], 'nobody routes to the mesh what lies behind itself');
  assert.ok(scene.ask(first, { kind: 'revoke', member: 'other' }).ok);
  assert.equal(first.prefixes, []);
});

test('addresses: row 27: a default route is accepted by consent alone', () => {
  for (const acceptsDefaultRoutes of [false, true]) {
    const scene = new MeshScene('default');
    const first = scene.found('h1');
    scene.run(seconds(2));
    const prefixes = ['0.0.0.0/0'];
    const options = { announce: prefixes };
    const exit = scene.join('exit', scene.invite(first, { prefixes }), options);
    const other = scene.join('other', scene.invite(first), { acceptsDefaultRoutes });
    assert.ok(scene.runUntil(() => isWhole([first, exit, other]), seconds(20)));
    scene.run(seconds(5));
    assert.equal(first.prefixes, []);
    assert.equal(other.prefixes, acceptsDefaultRoutes ? prefixes : []);
  }
});

test.run();
