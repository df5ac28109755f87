import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { instant, seconds } from '../../src/base/time.js';
import { member, partsScene, SELF } from './parts_scene.js';

const test = suite('gossip/courier');
const START = instant(seconds(100));

test('courier: every message carries news, and the digest of our store', () => {
  const scene = partsScene(5);
  const digest = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  scene.courier.setDigest(digest);
  digest.fill(9);
  scene.spreader.push('p', new Uint8Array(50));
  scene.courier.ping(member(1), 7, START);
  scene.courier.ack(member(2), 8, START);
  const [ping, ack] = scene.take();
  if (ping?.kind !== 'send' || ack?.kind !== 'send') return assert.unreachable();
  if (ping.message.kind !== 'ping' || ack.message.kind !== 'ack') return assert.unreachable();
  assert.is(ping.message.target, member(1));
  for (const { digest: sent, records } of [ping.message, ack.message]) {
    assert.equal([...sent], [1, 2, 3, 4, 5, 6, 7, 8]);
    assert.is(records.length, 1);
  }
});

test('courier: who is accused is told first (Lifeguard’s buddy system)', () => {
  const scene = partsScene(5);
  const slot = scene.table.slotOf(member(1)) ?? -1;
  const accusation = new Uint8Array(92).fill(0xac);
  scene.standing.suspect(slot, SELF, START);
  scene.standing.keepAccusation(slot, accusation);
  for (let i = 0; i < 20; i++) scene.spreader.push(`p${i}`, new Uint8Array(300));
  scene.courier.ping(member(1), 7, START);
  scene.courier.ping(member(2), 8, START);
  const sent = scene.take().flatMap((action) => {
    return action.kind === 'send' && action.message.kind === 'ping' ? [action.message] : [];
  });
  assert.is(sent[0]?.records[0], accusation);
  assert.not(sent[1]?.records.includes(accusation));
});

test('courier: sequence numbers rise and come round', () => {
  const { courier } = partsScene(1);
  const first = courier.nextSequence();
  assert.is(courier.nextSequence(), (first + 1) >>> 0);
  assert.ok(Number.isInteger(first) && first >= 0 && first < 2 ** 32);
});

test.run();
