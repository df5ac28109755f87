/** How hosts become members, from all three sides, and who does not. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { toHex } from '../../src/base/bytes.js';
import { seconds } from '../../src/base/time.js';
import { invitationKey } from '../../src/identity/invitation_key.js';
import { type JoinLine, parseJoinLine } from '../../src/identity/join_line.js';
import { SodiumSuite } from '../../src/io/sodium.js';
import { parseOwnState } from '../../src/mesh/own_state.js';
import { CONTROL_GOSSIP, CONTROL_JOIN, CONTROL_SYNC } from '../../src/wire/control.js';
import { emitJoin } from '../../src/wire/join.js';
import { dropsOf, sendRaw } from '../support/mesh_attack.js';
import { crowdOf } from '../support/mesh_crowd.js';
import { isWhole, type MeshHost, statuses } from '../support/mesh_scene.js';

const test = suite('mesh/enrolment');

const crypto = new SodiumSuite();

function parsed(line: string): JoinLine {
  const result = parseJoinLine(line);
  if (result.kind === 'fault') throw new Error(result.message);
  return result.line;
}

/** The public key that the first session of this use is made by. */
function keyOf({ seed }: JoinLine, use = 0): string {
  return toHex(crypto.publicKey(invitationKey(seed, use)));
}

function phase(host: MeshHost): string | undefined {
  return host.mesh?.snapshot().phase;
}

function waiting(host: MeshHost): string {
  return host.mesh?.snapshot().waiting ?? '';
}

test('enrolment: members take sessions by an invitation’s keys, and route nothing there', () => {
  const { scene, hosts, host } = crowdOf('keys', 3);
  const line = parsed(scene.invite(host(1), { uses: 2, ttl: seconds(60) }));
  scene.run(seconds(5));
  for (const each of hosts) {
    for (const use of [0, 1]) {
      const peer = each.peers.get(keyOf(line, use));
      assert.ok(peer, `${each.name} knows use ${use}`);
      assert.equal(peer?.allowedIps, []);
    }
    assert.not(each.peers.has(keyOf(line, 2)));
  }
  scene.run(seconds(80));
  for (const each of hosts) assert.not(each.peers.has(keyOf(line)), 'it has expired');
});

test('enrolment: who comes by an invitation’s key may ask to join, and say nothing else', () => {
  const { scene, host } = crowdOf('restricted', 2);
  const line = parsed(scene.invite(host(1)));
  scene.run(seconds(2));
  const guest = scene.add('guest');
  guest.ownKeys = [keyOf(line)];
  const before = host(2).mesh?.snapshot().digest;
  const refusedBefore = dropsOf(host(2), 'not_a_member');
  for (const kind of [CONTROL_GOSSIP, CONTROL_SYNC]) {
    sendRaw(scene, guest, host(2), { kind, body: Uint8Array.of(1) });
  }
  const refused = { kind: 'refused', number: 1, why: 'used' } as const;
  sendRaw(scene, guest, host(2), { kind: CONTROL_JOIN, body: emitJoin(refused) });
  assert.is(dropsOf(host(2), 'not_a_member'), refusedBefore + 3);
  sendRaw(scene, guest, host(2), { kind: CONTROL_JOIN, body: Uint8Array.of(9, 9) });
  assert.is(dropsOf(host(2), 'malformed_message'), 1);
  assert.is(host(2).mesh?.snapshot().digest, before);
});

test('enrolment: who has no invitation’s key is nobody', () => {
  const { scene, host } = crowdOf('stranger', 2);
  const stranger = scene.add('stranger');
  stranger.ownKeys = ['77'.repeat(32)];
  const count = (): number =>
    dropsOf(host(1), 'not_a_member') + dropsOf(host(1), 'malformed_message');
  const before = count();
  for (const kind of [CONTROL_JOIN, CONTROL_GOSSIP, CONTROL_SYNC]) {
    sendRaw(scene, stranger, host(1), { kind, body: Uint8Array.of(1) });
  }
  assert.is(count(), before + 3);
});

test('enrolment: row 29: of two hosts that race for one use through two members, one wins', () => {
  for (const seed of ['race 1', 'race 2', 'race 3', 'race 4']) {
    const { scene, hosts, host } = crowdOf(seed, 3);
    const line = scene.invite(host(1));
    scene.run(seconds(2));
    scene.isOpen = (from, to) => {
      const names = [from.name, to.name];
      if (names.includes('x')) return names.includes('h2');
      return names.includes('y') ? names.includes('h3') : true;
    };
    const racers = [scene.join('x', line), scene.join('y', line)];
    scene.run(seconds(40));
    const certified = Object.keys(statuses(host(1))).filter((name) => !name.startsWith('h'));
    assert.is(certified.length, 1, `${seed}: ${certified.join(' ')}`);
    const loser = racers.find(({ name }) => name !== certified[0]);
    assert.is(loser && phase(loser), 'joining');
    assert.match((loser && waiting(loser)) ?? '', 'used');
    assert.ok(isWhole(hosts));
  }
});

test('enrolment: row 29: a use that was redeemed is used after the admin’s restart, too', () => {
  const { scene, host } = crowdOf('again', 2);
  const line = scene.invite(host(1));
  const first = scene.join('first', line);
  assert.ok(scene.runUntil(() => phase(first) === 'member', seconds(10)));
  const own = parseOwnState(host(1).files.get('own') ?? new Uint8Array(0));
  const redeemed = own?.redeemed.filter(({ invitation }) => invitation === parsed(line).invitation);
  assert.is(redeemed?.length, 1, 'it is on disk');
  scene.kill(host(1));
  scene.start(host(1));
  const second = scene.join('second', line);
  scene.run(seconds(30));
  assert.is(phase(second), 'joining');
  assert.ok(second.mesh?.snapshot().isRefused);
});

test('enrolment: row 29: with a full disk nobody is certified, later the same host', () => {
  const { scene, host } = crowdOf('full', 2);
  const line = scene.invite(host(1));
  scene.run(seconds(2));
  host(1).isDiskFull = true;
  const late = scene.join('late', line);
  scene.run(seconds(20));
  assert.is(phase(late), 'joining');
  assert.not('late' in statuses(host(1)), 'no signature before the disk has the use');
  host(1).isDiskFull = false;
  assert.ok(
    scene.runUntil(() => phase(late) === 'member', seconds(60)),
    waiting(late),
  );
});

test('enrolment: who asks again, because the answer was lost, gets the same certificate', () => {
  const { scene, host } = crowdOf('lost', 1);
  const line = scene.invite(host(1));
  let isCut = false;
  scene.isOpen = () => !isCut;
  const joined = scene.join('late', line);
  assert.ok(scene.runUntil(() => 'late' in statuses(host(1)), seconds(10)));
  isCut = true;
  scene.run(seconds(10));
  isCut = false;
  assert.ok(
    scene.runUntil(() => phase(joined) === 'member', seconds(60)),
    waiting(joined),
  );
  const shown = host(1).mesh?.snapshot().invitations[0];
  assert.equal([shown?.used, shown?.state], [1, 'used']);
  assert.equal(Object.keys(statuses(host(1))).sort(), ['h1', 'late']);
});

test('enrolment: row 28: who was revoked does not come back by a new line', () => {
  const { scene, host } = crowdOf('revoked', 3);
  assert.ok(scene.ask(host(1), { kind: 'revoke', member: 'h3' }).ok);
  scene.run(seconds(5));
  const line = parsed(scene.invite(host(1)));
  scene.kill(host(3));
  for (const file of ['own', 'members'] as const) host(3).files.delete(file);
  scene.start(host(3), { entry: { kind: 'join', line } });
  scene.run(seconds(30));
  assert.is(phase(host(3)), 'joining');
  assert.is(host(3).addresses.length, 0);
  assert.not(Object.values(statuses(host(1))).includes('unknown'));
});

test('enrolment: a line that has expired lets nobody in, and says so', () => {
  const { scene, host } = crowdOf('expired', 1);
  const line = scene.invite(host(1), { ttl: seconds(30) });
  scene.run(seconds(60));
  const late = scene.join('late', line);
  scene.run(seconds(60));
  assert.is(phase(late), 'joining');
  assert.match(waiting(late), 'expired');
});

test('enrolment: a host that is in a network keeps it, whatever line it is given', () => {
  const one = crowdOf('first net', 2);
  const other = crowdOf('second net', 1);
  const line = parsed(other.scene.invite(other.host(1)));
  const host = one.host(2);
  const before = host.mesh?.snapshot().network?.id;
  one.scene.run(seconds(5));
  one.scene.kill(host);
  one.scene.start(host, { entry: { kind: 'join', line } });
  one.scene.run(seconds(5));
  assert.is(host.mesh?.snapshot().network?.id, before);
  assert.ok(host.told.some(({ message }) => message.includes('in a network already')));
});

test('enrolment: a host invited as an admin invites others', () => {
  const { scene, host } = crowdOf('admin', 1);
  const second = scene.join('second', scene.invite(host(1), { isAdmin: true }));
  assert.ok(scene.runUntil(() => isWhole([host(1), second]), seconds(10)));
  const third = scene.join('third', scene.invite(second));
  assert.ok(
    scene.runUntil(() => isWhole([host(1), second, third]), seconds(20)),
    waiting(third),
  );
  scene.kill(host(1));
  const fourth = scene.join('fourth', scene.invite(second));
  const isIn = (): boolean => phase(fourth) === 'member' && fourth.addresses.length === 2;
  assert.ok(scene.runUntil(isIn, seconds(20)), 'without the first, too');
});

test.run();
