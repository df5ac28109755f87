/** What the files `own` and `members` hold. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { seconds } from '../../src/base/time.js';
import { parseMembersFile } from '../../src/mesh/members_file.js';
import { type OwnState, parseOwnState } from '../../src/mesh/own_state.js';
import { parseRecord, type RecordKind } from '../../src/wire/record.js';
import { crowdOf } from '../support/mesh_crowd.js';
import { idOf } from '../support/mesh_attack.js';
import { isWhole, type MeshHost } from '../support/mesh_scene.js';

const test = suite('mesh/kept');

function ownOf(host: MeshHost): OwnState {
  const own = parseOwnState(host.files.get('own') ?? new Uint8Array(0));
  if (!own) throw new Error(`${host.name} keeps nothing`);
  return own;
}

function kinds(records: readonly Uint8Array[]): (RecordKind | undefined)[] {
  return records.map((bytes) => parseRecord(bytes)?.kind);
}

function count(records: readonly Uint8Array[], kind: RecordKind): number {
  return kinds(records).filter((each) => each === kind).length;
}

/** Each kind not before those that its verification needs. */
function inOrder(records: readonly Uint8Array[]): void {
  const order = ['rootChange', 'delegation', 'network', 'revocation', 'certificate'];
  const rest = ['invitation', 'node', 'lease', 'announcement'];
  const places = kinds(records).map((kind) => [...order, ...rest].indexOf(kind ?? ''));
  assert.equal(
    places,
    [...places].sort((a, b) => a - b),
  );
}

test('kept: the members file holds what the store holds, the chain of keys first', () => {
  const { scene, hosts } = crowdOf('members', 4);
  scene.run(seconds(10));
  for (const host of hosts) {
    const records = parseMembersFile(host.files.get('members') ?? new Uint8Array(0)) ?? [];
    assert.is(count(records, 'certificate'), 4);
    assert.is(count(records, 'node'), 4);
    assert.is(count(records, 'lease'), 4);
    assert.is(count(records, 'suspicion'), 0);
    inOrder(records);
  }
});

test('kept: `own` names the network and holds what we said, our certificate and the chain', () => {
  const { scene, host } = crowdOf('own', 2);
  scene.run(seconds(10));
  const { network, records, ceiling, stamp } = ownOf(host(2));
  assert.is(network?.id, host(2).mesh?.snapshot().network?.id);
  assert.ok(ceiling > 0 && stamp > 0);
  inOrder(records);
  const self = idOf(host(2));
  const parsed = records.map(parseRecord);
  assert.ok(parsed.some((each) => each?.kind === 'certificate' && each.key === self));
  assert.ok(parsed.some((each) => each?.kind === 'lease' && each.author === self));
  assert.is(count(records, 'network'), 1);
  assert.is(count(records, 'delegation'), 1);
});

test('kept: a host that is no member yet keeps no network, and begins anew', () => {
  const { scene, host } = crowdOf('joining', 1);
  const line = scene.invite(host(1));
  scene.isOpen = () => false;
  const late = scene.join('late', line);
  scene.run(seconds(5));
  assert.is(ownOf(late).network, undefined);
  assert.ok(ownOf(late).ceiling > 0, 'but no number is used twice');
});

test('kept: of the others eight are kept, admins first, to be found again by', () => {
  const { scene, hosts, host } = crowdOf('others', 12);
  scene.run(seconds(10));
  scene.ask(host(12), { kind: 'rotate', what: 'key' });
  scene.run(seconds(200));
  const { records } = ownOf(host(12));
  const others = records.map(parseRecord).filter((each) => each?.kind === 'node');
  assert.is(others.length, 8);
  assert.ok(
    others.some((each) => each?.author === idOf(host(1))),
    'the admin is among them',
  );
  scene.kill(host(12));
  host(12).files.delete('members');
  scene.start(host(12));
  assert.ok(scene.runUntil(() => isWhole(hosts), seconds(10)));
});

test('kept: who was revoked keeps that', () => {
  const { scene, host } = crowdOf('revoked', 3);
  assert.ok(scene.ask(host(1), { kind: 'revoke', member: 'h3' }).ok);
  scene.run(seconds(10));
  assert.is(count(ownOf(host(1)).records, 'revocation'), 1);
  scene.kill(host(3));
  scene.start(host(3));
  assert.is(host(3).mesh?.snapshot().phase, 'left', 'a restart does not make it a member');
});

test.run();
