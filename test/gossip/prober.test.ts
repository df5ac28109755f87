import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { after, type Instant, instant, millis, NEVER, seconds } from '../../src/base/time.js';
import type { GossipMessage } from '../../src/wire/gossip.js';
import type { NodeId } from '../../src/base/identifiers.js';
import { member, partsScene, type PartsScene, SELF } from './parts_scene.js';

const test = suite('gossip/prober');
const START = instant(seconds(100));
const DIGEST = new Uint8Array(8);

interface Sent {
  readonly to: NodeId;
  readonly message: GossipMessage;
}

function sent(scene: PartsScene): Sent[] {
  return scene.take().flatMap((action) => (action.kind === 'send' ? [action] : []));
}

function accused(scene: PartsScene): number[] {
  return scene.take().flatMap((action) => (action.kind === 'accuse' ? [Number(action.id)] : []));
}

/** The first ping, and when it went out. */
function firstPing(scene: PartsScene): { readonly ping: Sent; readonly now: Instant } {
  scene.prober.wake(START);
  const now = scene.prober.deadline();
  assert.ok(now <= after(START, seconds(1)), 'within an interval');
  scene.prober.advance(now);
  const [ping] = sent(scene);
  if (!ping) throw new Error('there is a ping');
  return { ping, now };
}

function sequenceOf({ message }: Sent): number {
  return 'sequence' in message ? message.sequence : -1;
}

test('prober: one after the other is asked, and an answer lowers the health score', () => {
  const scene = partsScene(5);
  scene.awareness.apply(3);
  const { ping, now } = firstPing(scene);
  scene.prober.acked(ping.to, sequenceOf(ping), after(now, millis(20)));
  assert.is(scene.awareness.score, 2);
  assert.is(scene.counters.get('probes_answered'), 1);
  const slot = scene.table.slotOf(ping.to) ?? -1;
  assert.is(scene.table.tripOf(slot), millis(20));
});

test('prober: who does not answer is asked again, by three others too, and accused', () => {
  const scene = partsScene(6);
  const { ping, now } = firstPing(scene);
  let asked: Sent[] = [];
  let accusations: number[] = [];
  let at = now;
  while (accusations.length === 0 && at < after(now, seconds(3))) {
    at = scene.prober.deadline();
    scene.prober.advance(at);
    const actions = scene.take();
    asked = [...asked, ...actions.flatMap((each) => (each.kind === 'send' ? [each] : []))];
    accusations = actions.flatMap((each) => (each.kind === 'accuse' ? [Number(each.id)] : []));
  }
  assert.equal(accusations, [Number(ping.to)]);
  const requests = asked.filter(({ message }) => message.kind === 'pingRequest');
  assert.is(requests.length, 3);
  assert.ok(requests.every(({ to }) => to !== ping.to));
  assert.ok(
    asked.some(({ to, message }) => to === ping.to && message.kind === 'ping'),
    'again',
  );
  assert.is(scene.awareness.score, 3, 'three relays said nothing at all');
});

test('prober: an answer by way of another clears it, and measures nothing', () => {
  const scene = partsScene(6);
  const { ping } = firstPing(scene);
  scene.prober.advance(scene.prober.deadline());
  const request = sent(scene).find(({ message }) => message.kind === 'pingRequest');
  if (!request) return assert.unreachable();
  scene.prober.acked(request.to, sequenceOf(request), scene.prober.deadline());
  assert.is(scene.counters.get('probes_relayed'), 1);
  assert.is(scene.table.tripOf(scene.table.slotOf(ping.to) ?? -1), undefined);
});

test('prober: pings to us are answered, those to others are not', () => {
  const scene = partsScene(3);
  const ping = { kind: 'ping', sequence: 4, target: SELF, digest: DIGEST, records: [] } as const;
  scene.prober.answer(member(1), ping, START);
  scene.prober.answer(member(1), { ...ping, target: member(2) }, START);
  const answers = sent(scene);
  assert.equal(
    answers.map(({ to, message }) => [to, message.kind]),
    [[member(1), 'ack']],
  );
  assert.is(scene.counters.get('drop_wrong_target'), 1);
});

test('prober: we ping for others, and say no in time where nobody answers', () => {
  const scene = partsScene(3);
  const request = { kind: 'pingRequest', sequence: 4, target: member(2), records: [] } as const;
  scene.prober.relay(member(1), request, START);
  const [ping] = sent(scene);
  assert.is(ping?.to, member(2));
  scene.prober.advance(scene.prober.deadline());
  const [again] = sent(scene);
  assert.is(again?.to, member(2), 'once more: it may have been lost');
  assert.equal(again?.message, ping?.message);
  scene.prober.advance(scene.prober.deadline());
  const [nack] = sent(scene);
  assert.equal([nack?.to, nack?.message.kind], [member(1), 'nack']);
  scene.prober.relay(member(1), { ...request, target: member(77) }, START);
  assert.is(sent(scene)[0]?.message.kind, 'nack', 'of whom nobody knows');
});

test('prober: an answer that we wait for on behalf of another goes to it', () => {
  const scene = partsScene(3);
  const request = { kind: 'pingRequest', sequence: 4, target: member(2), records: [] } as const;
  scene.prober.relay(member(1), request, START);
  const [ping] = sent(scene);
  if (!ping) return assert.unreachable();
  scene.prober.acked(member(2), sequenceOf(ping), START);
  const [ack] = sent(scene);
  assert.is(ack?.to, member(1));
  assert.is(ack && sequenceOf(ack), 4);
});

test('prober, row 27: what others make us answer is bounded a second', () => {
  const scene = partsScene(3);
  const ping = { kind: 'ping', sequence: 4, target: SELF, digest: DIGEST, records: [] } as const;
  for (let i = 0; i < 5_000; i++) scene.prober.answer(member(1), ping, START);
  assert.ok(sent(scene).length <= 2 * scene.config.answersPerSecond);
  assert.ok(scene.counters.get('drop_answers_limited') > 4_000);
});

test('prober: what the open probe did not hear while we were away accuses nobody', () => {
  const scene = partsScene(6);
  firstPing(scene);
  scene.prober.rest(after(START, seconds(60)));
  assert.is(scene.counters.get('probes_discarded'), 1);
  assert.equal(accused(scene), []);
  assert.ok(scene.prober.deadline() >= after(START, seconds(61)));
});

test('prober: where there is nobody there is nothing to do', () => {
  const scene = partsScene(0);
  scene.prober.wake(START);
  assert.is(scene.prober.deadline(), NEVER);
});

test.run();
