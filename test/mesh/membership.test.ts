/** A node in its network against members that went wrong: what they say, and what comes of it. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fromBase64 } from '../../src/base/bytes.js';
import { nodeId } from '../../src/base/identifiers.js';
import { seconds, wallTime } from '../../src/base/time.js';
import { CONTROL_GOSSIP, CONTROL_SYNC } from '../../src/wire/control.js';
import { emitNodeRecord, type NodeStatement } from '../../src/wire/node_record.js';
import { NO_KEY } from '../../src/wire/record.js';
import { emitSync } from '../../src/wire/sync.js';
import { flipBit } from '../support/bytes.js';
import { dropsOf, idOf, sendRaw, signedBy, tell } from '../support/mesh_attack.js';
import { isWhole, type MeshHost, MeshScene, memberOn, statuses } from '../support/mesh_scene.js';

const test = suite('mesh/membership');

const HUGE = Number.MAX_SAFE_INTEGER;
const NOTHING = new Uint8Array(0);

function meshOf(seed: string, count = 3): { scene: MeshScene; hosts: MeshHost[] } {
  const scene = new MeshScene(seed);
  const first = scene.found('h1');
  scene.run(seconds(1));
  const hosts = [first];
  for (let i = 2; i <= count; i++) hosts.push(scene.join(`h${i}`, scene.invite(first)));
  assert.ok(scene.runUntil(() => isWhole(hosts), seconds(20)));
  return { scene, hosts };
}

function at(hosts: readonly MeshHost[], index: number): MeshHost {
  const host = hosts[index];
  if (!host) throw new Error(`There is no host ${index}`);
  return host;
}

function incarnation(on: MeshHost, name: string): number {
  return memberOn(on, name)?.incarnation ?? -1;
}

function statement(fields: Partial<NodeStatement> = {}): Uint8Array {
  return emitNodeRecord({
    status: 'left',
    instance: '00000000000000ff',
    startedAt: wallTime(1),
    staticKey: new Uint8Array(32).fill(9),
    nextStaticKey: undefined,
    endpoints: [],
    ...fields,
  });
}

test('membership: row 23: a suspicion of an incarnation nobody said is dropped', () => {
  const { scene, hosts } = meshOf('suspicion');
  const [one, two, wrong] = [at(hosts, 0), at(hosts, 1), at(hosts, 2)];
  const before = incarnation(two, 'h2');
  for (const version of [before + 1, 2 ** 32, 2 ** 52, HUGE]) {
    const record = signedBy(wrong, { kind: 'suspicion', key: idOf(two), version, body: NOTHING });
    for (const host of [one, two]) tell(scene, wrong, host, record);
  }
  scene.run(seconds(60));
  assert.is(dropsOf(one, 'unfounded'), 4);
  assert.is(dropsOf(two, 'unfounded'), 4, 'by whom it is about, too');
  assert.equal(statuses(one), { h1: 'alive', h2: 'alive', h3: 'alive' });
  assert.ok(incarnation(two, 'h2') <= before + 1, 'nobody raises it but itself');
});

test('membership: row 22: who is suspected refutes it, and is alive everywhere', () => {
  const { scene, hosts } = meshOf('refute');
  const [one, two, wrong] = [at(hosts, 0), at(hosts, 1), at(hosts, 2)];
  const version = incarnation(one, 'h2');
  const record = signedBy(wrong, { kind: 'suspicion', key: idOf(two), version, body: NOTHING });
  tell(scene, wrong, one, record);
  assert.is(memberOn(one, 'h2')?.status, 'suspect');
  const isRefuted = (): boolean => memberOn(one, 'h2')?.status === 'alive';
  assert.ok(scene.runUntil(isRefuted, seconds(5)));
  scene.run(seconds(60));
  assert.ok(hosts.every((host) => memberOn(host, 'h2')?.status === 'alive'));
});

test('membership: who brings an accusation that we have refuted is told so, each time', () => {
  const { scene, hosts } = meshOf('doubt');
  const [one, two, wrong] = [at(hosts, 0), at(hosts, 1), at(hosts, 2)];
  const sent = (): number => two.mesh?.snapshot().sentMessages ?? 0;
  const version = incarnation(two, 'h2');
  const record = signedBy(wrong, { kind: 'suspicion', key: idOf(two), version, body: NOTHING });
  tell(scene, wrong, two, record);
  assert.ok(scene.runUntil(() => incarnation(one, 'h2') > version, seconds(5)));
  for (let i = 0; i < 3; i++) {
    const before = sent();
    tell(scene, one, two, record);
    assert.is(sent(), before + 1);
  }
  const before = sent();
  tell(
    scene,
    one,
    two,
    signedBy(wrong, { kind: 'suspicion', key: idOf(one), version: 0, body: NOTHING }),
  );
  assert.is(sent(), before, 'it is about another');
});

test('membership: row 22: nobody says that another is alive, or has left', () => {
  const { scene, hosts } = meshOf('left');
  const [one, two, wrong] = [at(hosts, 0), at(hosts, 1), at(hosts, 2)];
  const version = incarnation(one, 'h2') + 1;
  const draft = { kind: 'node', key: NO_KEY, version, body: statement() } as const;
  tell(scene, wrong, one, signedBy(wrong, { ...draft, author: idOf(two) }));
  assert.is(dropsOf(one, 'forged'), 1);
  assert.is(memberOn(one, 'h2')?.status, 'alive');
  assert.is(incarnation(one, 'h2'), version - 1);
});

test('membership: row 23: an incarnation beyond the window is refused, and harms nobody', () => {
  const { scene, hosts } = meshOf('window');
  const [one, wrong] = [at(hosts, 0), at(hosts, 2)];
  const staticKey = fromBase64(memberOn(one, 'h3')?.publicKey ?? '') ?? NOTHING;
  const body = statement({ status: 'alive', staticKey });
  tell(scene, wrong, one, signedBy(wrong, { kind: 'node', key: NO_KEY, version: HUGE, body }));
  assert.is(dropsOf(one, 'malformed_body'), 1);
  tell(scene, wrong, one, signedBy(wrong, { kind: 'node', key: NO_KEY, version: 2 ** 52, body }));
  assert.ok(
    scene.runUntil(() => incarnation(wrong, 'h3') > 2 ** 52, seconds(30)),
    'it refutes',
  );
  scene.run(seconds(30));
  assert.is(one.mesh?.snapshot().phase, 'member');
  assert.is(wrong.mesh?.snapshot().phase, 'member', 'no number ends a daemon');
});

test('membership: row 21: another network’s record is forged, a replayed one nothing', () => {
  const { scene, hosts } = meshOf('replay');
  const [one, wrong] = [at(hosts, 0), at(hosts, 2)];
  const digest = one.mesh?.snapshot().digest;
  const draft = { kind: 'node', key: NO_KEY, version: 99, body: statement() } as const;
  tell(scene, wrong, one, signedBy(wrong, draft, nodeId('00000000000000aa')));
  assert.is(dropsOf(one, 'forged'), 1);
  const old = signedBy(wrong, { ...draft, version: 0 });
  for (let i = 0; i < 5; i++) tell(scene, wrong, one, old);
  assert.is(one.mesh?.snapshot().digest, digest, 'nothing changed');
  assert.is(memberOn(one, 'h3')?.status, 'alive');
});

test('membership: row 21: a record with one bit changed comes to nothing', () => {
  const { scene, hosts } = meshOf('bits', 2);
  const [one, wrong] = [at(hosts, 0), at(hosts, 1)];
  const digest = one.mesh?.snapshot().digest;
  const body = statement({ status: 'alive' });
  const { bytes } = signedBy(wrong, { kind: 'node', key: NO_KEY, version: 99, body });
  for (let bit = 0; bit < bytes.length * 8; bit += 7) {
    const message = new Uint8Array([...spreadOf(flipBit(bytes, bit))]);
    sendRaw(scene, wrong, one, { kind: CONTROL_GOSSIP, body: message });
  }
  assert.is(one.mesh?.snapshot().digest, digest);
});

/** A spread message of one record that may be none. */
function spreadOf(record: Uint8Array): Uint8Array {
  const SPREAD = 5;
  return Uint8Array.of(SPREAD, ...record);
}

test('membership: row 24: what is no message is counted, and changes nothing', () => {
  const { scene, hosts } = meshOf('malformed');
  const [one, wrong] = [at(hosts, 0), at(hosts, 2)];
  const digest = one.mesh?.snapshot().digest;
  const bodies = [NOTHING, Uint8Array.of(0), new Uint8Array(1_020).fill(0xff)];
  for (const kind of [CONTROL_GOSSIP, CONTROL_SYNC, 77]) {
    for (const body of bodies) sendRaw(scene, wrong, one, { kind, body });
  }
  assert.is(dropsOf(one, 'malformed_message'), 9);
  assert.is(one.mesh?.snapshot().digest, digest);
});

test('membership: row 28: a revoked member is heard no more, whatever it says', () => {
  const { scene, hosts } = meshOf('revoked');
  const [one, wrong] = [at(hosts, 0), at(hosts, 2)];
  const id = idOf(wrong);
  const version = incarnation(one, 'h3') + 5;
  const record = signedBy(wrong, { kind: 'node', key: NO_KEY, version, body: statement() });
  assert.ok(scene.ask(one, { kind: 'revoke', member: 'h3' }).ok);
  const before = dropsOf(one, 'not_a_member');
  tell(scene, wrong, one, record);
  assert.is(dropsOf(one, 'not_a_member'), before + 1, 'it has no session that counts');
  scene.run(seconds(5));
  const refused = dropsOf(at(hosts, 1), 'revoked');
  tell(scene, one, at(hosts, 1), record);
  assert.is(dropsOf(at(hosts, 1), 'revoked'), refused + 1, 'nor by the mouth of another');
  assert.is(memberOn(one, 'h3')?.status, 'revoked');
  assert.ok(
    [...one.peers.values()].every(({ name }) => name !== 'h3'),
    id,
  );
});

test('membership: row 27: a member that says a million things is held to its quota', () => {
  const { scene, hosts } = meshOf('quota');
  const [one, wrong] = [at(hosts, 0), at(hosts, 2)];
  const version = 1;
  for (let i = 0; i < 200; i++) {
    const key = i.toString(16).padStart(16, '0');
    const body = NOTHING;
    tell(scene, wrong, one, signedBy(wrong, { kind: 'announcement', key, version, body }));
  }
  assert.is(dropsOf(one, 'malformed_body'), 200, 'what means nothing is not held');
  const message = { kind: 'records', records: [] } as const;
  sendRaw(scene, wrong, one, { kind: CONTROL_SYNC, body: emitSync(message) });
  assert.ok(isWhole(hosts));
});

test.run();
