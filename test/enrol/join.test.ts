/** Joining as a whole: races, replays, lost messages, a disk that fails, an admin that is away. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { millis, seconds } from '../../src/base/time.js';
import { nodeIdOf } from '../../src/identity/node_id.js';
import type { JoinMessage } from '../../src/wire/join.js';
import { ADMIN_KEY, EnrolScene, identityKeyOf } from '../support/enrol_scene.js';
import { withSeed } from '../support/seed.js';

const test = suite('enrol/join');

function phases({ hosts }: EnrolScene): string[] {
  return hosts.map(({ joiner }) => joiner.phase);
}

test('join: a host is a member within a few round trips', () => {
  const scene = new EnrolScene(1, 3);
  const host = scene.addHost(0, 'a');
  scene.run(millis(250));
  assert.equal(phases(scene), ['joined']);
  const member = nodeIdOf(identityKeyOf(0));
  assert.equal(scene.certified, [{ member, name: 'host-0', groups: ['web'] }]);
  assert.is(host.said.at(-1)?.kind, 'joined');
  assert.is(scene.disk.length, 1, 'three introducers asked, one use is taken');
});

test('join: of two hosts that race for one use through several introducers one joins', () => {
  for (const seed of ['a', 'b', 'c']) {
    const scene = new EnrolScene(1, 2);
    scene.addHost(0, seed);
    scene.addHost(1, seed);
    scene.run(seconds(60));
    assert.equal(phases(scene).sort(), ['joined', 'refused']);
    assert.is(scene.certified.length, 1);
    const loser = scene.hosts.find(({ joiner }) => joiner.phase === 'refused');
    assert.equal(loser?.said.at(-1), { kind: 'refused', why: 'used' });
  }
});

test('join: as many hosts join by a line as it has uses, and not one more', () => {
  withSeed('enrol', (random) => {
    const scene = new EnrolScene(5, 2);
    for (let host = 0; host < 7; host++) scene.addHost(host, `${random.u32()}`);
    scene.run(seconds(120));
    const joined = phases(scene).filter((phase) => phase === 'joined');
    assert.is(joined.length, 5);
    assert.is(phases(scene).filter((phase) => phase === 'refused').length, 2);
    assert.is(scene.certified.length, 5);
    const uses = scene.disk.map(({ use }) => use).sort();
    assert.equal(uses, [0, 1, 2, 3, 4], 'each use once');
  });
});

test('join: a line that is used again by another host is refused, by the same one granted', () => {
  const scene = new EnrolScene(1, 1);
  scene.addHost(0, 'a');
  scene.run(seconds(5));
  scene.restartAdmin();
  scene.hosts.pop();
  scene.addHost(1, 'a');
  scene.run(seconds(20));
  assert.equal(phases(scene), ['refused'], 'the replay');
  scene.hosts.pop();
  scene.addHost(0, 'a');
  scene.run(seconds(20));
  assert.equal(phases(scene), ['joined'], 'the host whose answer was lost');
  assert.is(scene.certified.length, 1);
});

test('join: whatever message is lost once, asking again makes up for it', () => {
  for (const kind of ['request', 'forward', 'granted'] as const) {
    for (let lost = 0; lost < 6; lost++) {
      const scene = new EnrolScene(1, 1);
      let seen = 0;
      scene.loses = (message) => message.kind === kind && seen++ === lost;
      scene.addHost(0, 'a');
      scene.run(seconds(8));
      assert.equal(phases(scene), ['joined'], `${kind} ${lost}`);
      assert.is(scene.disk.length, 1);
    }
  }
});

test('join: with half of everything lost each host joins, and takes one use', () => {
  withSeed('enrol loss', (random) => {
    const scene = new EnrolScene(4, 2);
    scene.loses = () => random.below(2) === 0;
    for (let host = 0; host < 4; host++) scene.addHost(host, `${random.u32()}`);
    scene.run(seconds(300));
    assert.equal(new Set(phases(scene)), new Set(['joined']));
    assert.is(scene.certified.length, 4);
    assert.equal(scene.disk.map(({ use }) => use).sort(), [0, 1, 2, 3]);
  });
});

test('join: nothing is signed that the disk did not take; it goes on when the disk does', () => {
  const scene = new EnrolScene(1, 2);
  scene.isDiskBroken = true;
  scene.addHost(0, 'a');
  scene.run(seconds(20));
  assert.equal([phases(scene), scene.certified, scene.disk], [['asking'], [], []]);
  scene.isDiskBroken = false;
  scene.run(seconds(15));
  assert.equal(phases(scene), ['joined']);
});

test('join: an admin that is away is named, waited for, and answers when it is back', () => {
  const scene = new EnrolScene(1, 1);
  scene.isAdminUp = false;
  const host = scene.addHost(0, 'a');
  scene.run(seconds(4));
  assert.equal(
    host.said.filter(({ kind }) => kind === 'waiting'),
    [{ kind: 'waiting', admin: ADMIN_KEY }],
  );
  scene.run(seconds(600));
  assert.is(host.said.filter(({ kind }) => kind === 'waiting').length, 1, 'said once');
  scene.isAdminUp = true;
  scene.run(seconds(3));
  assert.equal(phases(scene), ['joined']);
});

test('join: an admin that dies between disk and answer grants the same host afterwards', () => {
  const scene = new EnrolScene(1, 1);
  scene.loses = (message: JoinMessage) => message.kind === 'granted';
  scene.addHost(0, 'a');
  scene.run(seconds(1));
  assert.is(scene.disk.length, 1);
  scene.restartAdmin();
  scene.loses = () => false;
  scene.addHost(1, 'a');
  scene.run(seconds(30));
  assert.equal(phases(scene), ['joined', 'refused']);
});

test.run();
