/** How a mesh looks to the API, the command and metrics. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { toHex } from '../../src/base/bytes.js';
import { nodeId } from '../../src/base/identifiers.js';
import { seconds } from '../../src/base/time.js';
import { parseKeys } from '../../src/mesh/keys.js';
import { MESH_DROPS } from '../../src/mesh/drop.js';
import { emptyPicture } from '../../src/mesh/picture.js';
import type { MeshSnapshot } from '../../src/mesh/snapshot.js';
import { idOf } from '../support/mesh_attack.js';
import { crowdOf, errorOf } from '../support/mesh_crowd.js';
import { type MeshHost, MeshScene, memberOn } from '../support/mesh_scene.js';

const test = suite('mesh/picture');

function picture(host: MeshHost): MeshSnapshot {
  const snapshot = host.mesh?.snapshot();
  if (!snapshot) throw new Error(`${host.name} does not run`);
  return snapshot;
}

test('picture: of a host in no network it is empty, and says what to do', () => {
  const self = nodeId('0102030405060708');
  const { phase, members, drops, digest, network } = emptyPicture(self, 'this');
  assert.equal([phase, members, digest, network], ['none', [], '0'.repeat(16), undefined]);
  assert.equal(Object.keys(drops).sort(), [...new Set(MESH_DROPS)].sort());
  const scene = new MeshScene('none');
  const host = scene.add('alone');
  scene.start(host);
  assert.is(picture(host).phase, 'none');
  assert.match(picture(host).waiting ?? '', 'heddle up');
  assert.match(errorOf(scene.ask(host, { kind: 'leave' })), /in no network/);
});

test('picture: it shows every member as the member shows itself', () => {
  const { scene, hosts, host } = crowdOf('members', 3);
  scene.run(seconds(5));
  for (const each of hosts) {
    const own = memberOn(each, each.name);
    assert.is(own?.id, idOf(each));
    assert.is(own?.isSelf, true);
    assert.is(own?.endpoint, `192.0.2.${each.index}:51820`);
    for (const other of hosts) {
      if (other === each) continue;
      const seen = memberOn(other, each.name);
      const same = { ...seen, isSelf: true, isRoot: own?.isRoot };
      assert.equal(same, own);
      assert.is(seen?.isSelf, false);
    }
  }
  assert.equal(
    picture(host(2)).members.map(({ isAdmin }) => isAdmin),
    picture(host(2)).members.map(({ name }) => name === 'h1'),
  );
});

test('picture: a revoked member is shown by its name, as revoked', () => {
  const { scene, host } = crowdOf('revoked', 3);
  scene.ask(host(1), { kind: 'revoke', member: 'h3' });
  scene.run(seconds(5));
  for (const each of [host(1), host(2)]) {
    assert.is(memberOn(each, 'h3')?.status, 'revoked');
    assert.is(picture(each).members.length, 3);
  }
});

test('picture: an invitation is open, used, revoked or expired', () => {
  const { scene, host } = crowdOf('states', 1);
  const states = (): string[] => picture(host(1)).invitations.map(({ state }) => state);
  const line = scene.invite(host(1), { ttl: seconds(60), name: 'x', groups: ['web'] });
  assert.equal(states(), ['open']);
  const [shown] = picture(host(1)).invitations;
  assert.equal([shown?.name, shown?.groups, shown?.isAdmin], ['x', ['web'], false]);
  scene.join('x', line);
  assert.ok(scene.runUntil(() => states()[0] === 'used', seconds(10)));
  scene.invite(host(1), { ttl: seconds(60) });
  const last = picture(host(1)).invitations.find(({ state }) => state === 'open')?.id ?? '';
  scene.ask(host(1), { kind: 'revokeInvitation', invitation: last });
  assert.equal(states().sort(), ['revoked', 'used']);
  scene.invite(host(1), { ttl: seconds(5) });
  assert.ok(states().includes('open'));
  scene.run(seconds(6));
  assert.ok(states().includes('expired'));
});

test('picture: how often another admin’s invitation was used is not known', () => {
  const { scene, host } = crowdOf('others', 2);
  scene.invite(host(1), { uses: 4 });
  scene.run(seconds(5));
  const four = picture(host(2)).invitations.find(({ uses }) => uses === 4);
  assert.equal([four?.used, four?.state], [undefined, 'open']);
});

test('picture: what was sent is counted', () => {
  const { scene, host } = crowdOf('sent', 2);
  const before = picture(host(1));
  scene.run(seconds(10));
  const { sentMessages, sentBytes } = picture(host(1));
  const messages = sentMessages - before.sentMessages;
  assert.ok(messages >= 10, `${messages} messages in 10 s`);
  assert.ok(sentBytes - before.sentBytes >= messages);
});

test('picture: no secret is in it', () => {
  const { scene, host } = crowdOf('secrets', 2);
  scene.invite(host(1));
  scene.ask(host(1), { kind: 'rotate', what: 'key' });
  scene.run(seconds(1));
  const text = JSON.stringify(picture(host(1)), (_, value: unknown) =>
    value instanceof Uint8Array ? toHex(value) : value,
  );
  const keys = parseKeys(host(1).files.get('keys') ?? new Uint8Array(0));
  if (!keys) return assert.unreachable();
  const { identity, staticKey, nextStaticKey, admin, root } = keys;
  for (const secret of [identity, staticKey, nextStaticKey, admin, root]) {
    if (!secret) return assert.unreachable();
    assert.not(text.includes(toHex(secret)));
    assert.not(text.includes(Buffer.from(secret).toString('base64')));
  }
  assert.not(text.includes('heddle1'));
});

test.run();
