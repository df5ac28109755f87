import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { after, instant, seconds } from '../../src/base/time.js';
import { member, partsScene, type PartsScene, SELF } from './parts_scene.js';

const test = suite('gossip/standing');
const START = instant(seconds(100));
const at = (count: number) => after(START, seconds(count));

function slot({ table }: PartsScene, number: number): number {
  return table.slotOf(member(number)) ?? -1;
}

function changes(scene: PartsScene): string[] {
  return scene.take().flatMap((action) => {
    return action.kind === 'changed' ? [`${Number(action.id)} ${action.status}`] : [];
  });
}

/** To the end of all suspicions. */
function runOut(scene: PartsScene, pinged: number[] = []): void {
  for (let second = 0; second < 200; second++) {
    scene.standing.advance(at(second), (each) => pinged.push(each));
  }
}

test('standing: who is accused and says nothing has failed; it is asked once more before', () => {
  const scene = partsScene(5);
  scene.standing.suspect(slot(scene, 1), SELF, START);
  assert.equal(changes(scene), ['1 suspect']);
  const pinged: number[] = [];
  runOut(scene, pinged);
  assert.equal(changes(scene), ['1 failed']);
  assert.is(pinged[0], slot(scene, 1));
});

test('standing: an answer of its own clears it here', () => {
  const scene = partsScene(5);
  scene.standing.suspect(slot(scene, 1), SELF, START);
  scene.standing.answered(slot(scene, 1), at(2));
  assert.equal(changes(scene), ['1 suspect', '1 alive']);
  runOut(scene);
  assert.equal(changes(scene), []);
});

test('standing: whoever was heard of meanwhile has not failed when its time is over', () => {
  const scene = partsScene(5);
  scene.standing.suspect(slot(scene, 1), SELF, START);
  scene.standing.heard(slot(scene, 1), at(3));
  runOut(scene);
  assert.equal(changes(scene), ['1 suspect', '1 alive']);
  assert.is(scene.counters.get('acquittals'), 1);
});

test('standing: a higher incarnation refutes, one that is known does not', () => {
  const scene = partsScene(5);
  scene.standing.suspect(slot(scene, 1), SELF, START);
  const news = { kind: 'member', id: member(1), status: 'alive', isFresh: true } as const;
  scene.standing.hearNews({ ...news, incarnation: 1 }, at(1));
  assert.equal(changes(scene), ['1 suspect']);
  scene.standing.hearNews({ ...news, incarnation: 2 }, at(1));
  assert.equal(changes(scene), ['1 alive']);
});

test('standing: who failed is alive again by anything that comes from it, and is retried', () => {
  const scene = partsScene(5);
  scene.standing.suspect(slot(scene, 1), SELF, START);
  const pinged: number[] = [];
  runOut(scene, pinged);
  assert.ok(pinged.length > 3, 'it is tried again');
  changes(scene);
  assert.ok(scene.standing.heard(slot(scene, 1), at(300)));
  assert.equal(changes(scene), ['1 alive']);
});

test('standing: what our own disk knew is no sign of life', () => {
  const scene = partsScene(5);
  scene.standing.suspect(slot(scene, 1), SELF, START);
  runOut(scene);
  changes(scene);
  const news = { kind: 'member', id: member(1), status: 'alive', incarnation: 9 } as const;
  scene.standing.hearNews({ ...news, isFresh: false }, at(300));
  assert.equal(changes(scene), []);
});

test('standing: left, failed and forgotten are three things', () => {
  const scene = partsScene(5);
  const left = { kind: 'member', id: member(2), status: 'left', incarnation: 9 } as const;
  scene.standing.hearNews({ ...left, isFresh: true }, START);
  assert.is(scene.table.statusOf(slot(scene, 2)), 'left');
  scene.standing.suspect(slot(scene, 2), SELF, START);
  assert.is(scene.table.statusOf(slot(scene, 2)), 'left', 'who left is not accused');
  const pinged: number[] = [];
  runOut(scene, pinged);
  assert.equal(pinged, [], 'and not tried');
  scene.standing.forget(slot(scene, 3));
  assert.is(scene.table.slotOf(member(3)), undefined);
});

test('standing: pings out of turn are bounded a second', () => {
  const scene = partsScene(400);
  for (let i = 1; i <= 400; i++) scene.standing.suspect(slot(scene, i), SELF, START);
  for (let second = 0; second < 70; second++) scene.standing.advance(at(second), () => {});
  let pings = 0;
  for (let second = 70; second < 80; second++) scene.standing.advance(at(second), () => pings++);
  assert.ok(pings <= 11 * scene.config.retriesPerSecond, `${pings} pings in ten seconds`);
  assert.ok(pings > 0);
});

test.run();
