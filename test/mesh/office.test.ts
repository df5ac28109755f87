/** What an admin does, and what nobody else can. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fromBase64 } from '../../src/base/bytes.js';
import { seconds, wallTime } from '../../src/base/time.js';
import { parseJoinLine } from '../../src/identity/join_line.js';
import { emitNodeRecord } from '../../src/wire/node_record.js';
import { NO_KEY } from '../../src/wire/record.js';
import { signedBy, tell } from '../support/mesh_attack.js';
import { crowdOf, errorOf, invite, pass, textOf } from '../support/mesh_crowd.js';
import { isWhole, type MeshHost, memberOn, statuses } from '../support/mesh_scene.js';

const test = suite('mesh/office');

const DAY = seconds(86_400);

test('office: a join line says who is asked, for how many uses, and until when', () => {
  const { scene, host } = crowdOf('line', 4);
  const answer = scene.ask(host(1), invite({ uses: 3, ttl: seconds(90) }));
  if (!answer.ok || answer.result.kind !== 'invited') return assert.unreachable();
  const parsed = parseJoinLine(answer.result.line);
  if (parsed.kind !== 'line') return assert.unreachable();
  const { line } = parsed;
  assert.is(line.uses, 3);
  assert.is(line.invitation, answer.result.id);
  assert.is(line.expires, answer.result.expires * 1e6);
  assert.is(line.introducers.length, 3);
  assert.is(line.introducers[0]?.endpoint.text, '192.0.2.1:51820', 'ourselves first');
  const [shown] =
    host(1)
      .mesh?.snapshot()
      .invitations.filter(({ id }) => id === line.invitation) ?? [];
  assert.equal([shown?.uses, shown?.used, shown?.state], [3, 0, 'open']);
  assert.is(
    scene.runUntil(() => invitationOn(host(3), line.invitation) === 'open', seconds(5)),
    true,
  );
});

function invitationOn(host: MeshHost, id: string): string | undefined {
  return host.mesh?.snapshot().invitations.find((each) => each.id === id)?.state;
}

test('office: row 29: the line’s secret stands in no file of any member', () => {
  const { scene, hosts, host } = crowdOf('secret', 2);
  const parsed = parseJoinLine(scene.invite(host(1)));
  if (parsed.kind !== 'line') return assert.unreachable();
  scene.run(seconds(10));
  const { seed } = parsed.line;
  for (const each of hosts) {
    for (const [file, content] of each.files) {
      assert.is(Buffer.from(content).indexOf(seed), -1, `${each.name} ${file}`);
    }
    for (const { message, fields } of each.told) {
      assert.not.match(JSON.stringify([message, fields]), /heddle1/);
    }
  }
});

test('office: who is no admin is told who is', () => {
  const { scene, host } = crowdOf('noadmin', 2);
  assert.match(errorOf(scene.ask(host(2), invite())), /not an admin.*an admin can: h1/);
  assert.match(errorOf(scene.ask(host(2), { kind: 'revoke', member: 'h1' })), /not an admin/);
});

test('office: what cannot be invited is refused with the reason', () => {
  const { scene, host } = crowdOf('refuse', 1);
  const groups = Array.from({ length: 16 }, (_, i) => `group-${i}-${'x'.repeat(50)}`);
  for (const [fields, why] of [
    [{ prefixes: ['10.0.0.0/33'] }, /A prefix is not one/],
    [{ prefixes: ['everything'] }, /A prefix is not one/],
    [{ groups: ['a\u001b[2Jb'] }, /small letters/],
    [{ groups: Array.from({ length: 17 }, (_, i) => `g${i}`) }, /at most 16/],
    [{ groups }, /too many/],
  ] as const) {
    assert.match(errorOf(scene.ask(host(1), invite(fields))), why);
  }
  assert.is(host(1).mesh?.snapshot().invitations.length, 0);
});

test('office: row 27: an admin has 64 invitations open, and more when some are over', () => {
  const { scene, host } = crowdOf('many', 1);
  for (let i = 0; i < 64; i++) scene.invite(host(1), { ttl: seconds(600) });
  assert.match(errorOf(scene.ask(host(1), invite())), /64 invitations are open/);
  scene.run(seconds(700));
  assert.ok(scene.ask(host(1), invite()).ok);
});

test('office: an invitation is revoked by its id, and nobody comes in by it', () => {
  const { scene, host } = crowdOf('revoked', 2);
  const line = scene.invite(host(1));
  const parsed = parseJoinLine(line);
  if (parsed.kind !== 'line') return assert.unreachable();
  const id = parsed.line.invitation;
  const revoke = (invitation: string, by = host(1)): string =>
    textOf(scene.ask(by, { kind: 'revokeInvitation', invitation }));
  assert.match(revoke(''), /No invitation/);
  assert.match(revoke('zz'), /No invitation/);
  scene.run(seconds(2));
  assert.match(revoke(id, host(2)), /Another admin/);
  assert.match(revoke(id.slice(0, 8).toUpperCase()), /is revoked/);
  assert.is(invitationOn(host(1), id), 'revoked');
  const late = scene.join('late', line);
  scene.run(seconds(60));
  assert.is(late.mesh?.snapshot().phase, 'joining');
  assert.equal(Object.keys(statuses(host(1))).sort(), ['h1', 'h2']);
});

test('office: who asks for a name that another has gets a number behind it', () => {
  const { scene, host } = crowdOf('names', 1);
  for (const name of ['x', 'y']) scene.join(name, scene.invite(host(1), { name: 'h1' }));
  const names = (): string[] => Object.keys(statuses(host(1))).sort();
  assert.ok(scene.runUntil(() => names().length === 3, seconds(20)));
  assert.equal(names(), ['h1', 'h1-2', 'h1-3']);
});

test('office: name and groups of an invitation are the member’s', () => {
  const { scene, host } = crowdOf('named', 1);
  const line = scene.invite(host(1), { name: 'gate', groups: ['edge', 'web'] });
  const joined = scene.join('something', line);
  assert.ok(scene.runUntil(() => isWhole([host(1), joined]), seconds(10)));
  assert.equal(memberOn(host(1), 'gate')?.groups, ['edge', 'web']);
});

test('office: revoking names its member by name, id or key, and never ends the host itself', () => {
  const { scene, host } = crowdOf('who', 4);
  const { id } = memberOn(host(1), 'h2') ?? {};
  const { publicKey } = memberOn(host(1), 'h3') ?? {};
  const revoke = (member: string): string => textOf(scene.ask(host(1), { kind: 'revoke', member }));
  assert.match(revoke('nobody\u001b[2J'), /No member is called "nobody\?\[2J"/);
  assert.match(revoke('h1'), /the host itself/);
  assert.match(revoke(id ?? ''), /h2 is revoked/);
  assert.match(revoke(publicKey ?? ''), /h3 is revoked/);
  assert.match(revoke('h4'), /h4 is revoked/);
  assert.match(revoke('h4'), /No member is called "h4"/, 'once');
});

test('office: row 28: who claims another’s key and is revoked takes nobody along', () => {
  const { scene, hosts, host } = crowdOf('along', 4);
  const staticKey = fromBase64(memberOn(host(1), 'h2')?.publicKey ?? '');
  if (!staticKey) return assert.unreachable();
  const body = emitNodeRecord({
    status: 'alive',
    instance: '00000000000000ff',
    startedAt: wallTime(1),
    staticKey,
    nextStaticKey: undefined,
    endpoints: [],
  });
  const record = signedBy(host(4), { kind: 'node', key: NO_KEY, version: 500, body });
  for (const each of hosts.slice(0, 3)) tell(scene, host(4), each, record);
  assert.ok(scene.ask(host(1), { kind: 'revoke', member: 'h4' }).ok);
  scene.run(seconds(5));
  scene.kill(host(2));
  scene.start(host(2));
  scene.run(seconds(30));
  assert.equal(statuses(host(1)), { h1: 'alive', h2: 'alive', h3: 'alive', h4: 'revoked' });
  assert.ok(isWhole(hosts.slice(0, 3)));
});

function expiry(on: MeshHost, name: string): number {
  return memberOn(on, name)?.certificateExpires ?? 0;
}

test('office: a certificate is signed anew after a third of its time, and not before', () => {
  const { scene, hosts, host } = crowdOf('renew', 3);
  const before = expiry(host(2), 'h3');
  pass(scene, hosts, 29);
  assert.is(expiry(host(2), 'h3'), before);
  pass(scene, hosts, 2);
  assert.ok(expiry(host(2), 'h3') > before + 30 * DAY, 'for another 90 days');
  assert.ok(isWhole(hosts));
});

test('office: eleven months pass with nobody’s help; then the admin key is due', () => {
  const { scene, hosts, host } = crowdOf('year', 3);
  const warnings = (): readonly string[] => host(1).mesh?.snapshot().warnings ?? [];
  for (let i = 0; i < 10; i++) {
    pass(scene, hosts, 31);
    assert.equal(warnings(), [], `after ${31 * (i + 1)} days`);
  }
  pass(scene, hosts, 25);
  assert.match(warnings()[0] ?? '', /admin key of this host expires in 24 days.*rotate admin/);
  assert.ok(scene.ask(host(1), { kind: 'rotate', what: 'admin' }).ok);
  for (let i = 0; i < 6; i++) pass(scene, hosts, 31);
  assert.equal(warnings(), []);
  assert.ok(isWhole(hosts));
});

test('office: who has left is not certified anew, and is forgotten when its time is over', () => {
  const { scene, hosts, host } = crowdOf('left', 3);
  assert.ok(scene.ask(host(3), { kind: 'leave' }).ok);
  scene.run(seconds(5));
  const rest = hosts.slice(0, 2);
  assert.is(memberOn(host(2), 'h3')?.status, 'left');
  for (let i = 0; i < 5; i++) pass(scene, rest, 31);
  assert.is(memberOn(host(2), 'h3'), undefined);
  assert.ok(isWhole(rest));
});

test('office: an admin whose clock runs far ahead signs nothing that others would refuse', () => {
  const { scene, hosts, host } = crowdOf('ahead', 3);
  const before = host(2).mesh?.snapshot().digest;
  pass(scene, [host(1)], 3_650);
  scene.run(seconds(200));
  assert.match(
    errorOf(scene.ask(host(1), invite())),
    /wall clock of this host is more than 40 days/,
  );
  assert.is(host(2).mesh?.snapshot().digest, before);
  assert.ok(isWhole(hosts));
});

test.run();
