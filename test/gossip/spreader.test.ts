import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { after, type Instant, instant, millis, NEVER, seconds } from '../../src/base/time.js';
import { gossipRoom } from '../../src/wire/gossip.js';
import { partsScene } from './parts_scene.js';

const test = suite('gossip/spreader');
const START = instant(seconds(100));

test('spreader: news goes to a few at once, and then in turns until it is done', () => {
  const { spreader, config } = partsScene(20);
  spreader.push('p', new Uint8Array(200));
  const first = spreader.takeNews(START);
  assert.is(first.length, config.fanout);
  assert.is(new Set(first.map(({ slot }) => slot)).size, config.fanout);
  assert.equal(spreader.takeNews(START), []);
  let sent = first.length;
  let now: Instant = START;
  while (spreader.deadline() !== NEVER) {
    now = spreader.deadline();
    sent += spreader.takeTurn(now).length;
  }
  assert.is(spreader.waiting, 0);
  assert.is(sent, 4 * 2, 'four times the digits of twenty and one');
});

test('spreader: news upon news waits for the end of the pause, and then goes together', () => {
  const { spreader, config } = partsScene(20);
  spreader.push('first', new Uint8Array(200));
  assert.is(spreader.takeNews(START).length, config.fanout);
  const soon = after(START, millis(1));
  for (const place of ['second', 'third']) spreader.push(place, new Uint8Array(200));
  assert.equal(spreader.takeNews(soon), []);
  const end = after(START, config.newsPause);
  assert.is(spreader.deadline(), end);
  const pushes = spreader.takeNews(end);
  assert.is(pushes.length, config.fanout);
  for (const { records } of pushes) assert.ok(records.length >= 2, 'all that came meanwhile');
});

test('spreader: where there is nobody it waits for somebody', () => {
  const scene = partsScene(0);
  scene.spreader.push('p', new Uint8Array(200));
  assert.equal(scene.spreader.takeNews(START), []);
  assert.is(scene.spreader.deadline(), NEVER);
  scene.table.insert('0000000000000001' as never, 1);
  scene.spreader.wake(START);
  assert.is(scene.spreader.deadline(), after(START, millis(200)));
});

test('spreader: what goes out anyway takes what there is room for', () => {
  const { spreader } = partsScene(20);
  for (let i = 0; i < 10; i++) spreader.push(`p${i}`, new Uint8Array(300).fill(i));
  const first = new Uint8Array(100).fill(0xff);
  const records = spreader.fill(gossipRoom('ping'), first, START);
  assert.is(records[0], first);
  const bytes = records.reduce((sum, { length }) => sum + length, 0);
  assert.ok(bytes <= gossipRoom('ping') && bytes > gossipRoom('ping') - 300);
});

test('spreader: bytes and messages of a second are bounded, whatever is to be said', () => {
  const { spreader, counters, config } = partsScene(50);
  let bytes = 0;
  let messages = 0;
  const count = (pushes: ReturnType<typeof spreader.takeTurn>): void => {
    for (const { records } of pushes) {
      messages++;
      for (const { length } of records) bytes += length;
    }
  };
  for (let ms = 0; ms < 10_000; ms += 20) {
    const now = after(START, millis(ms));
    for (let i = 0; i < 20; i++) spreader.push(`p${ms} ${i}`, new Uint8Array(900));
    count(spreader.takeNews(now));
    count(spreader.takeTurn(now));
  }
  assert.ok(bytes <= config.spreadBurstBytes + 10 * config.spreadBytesPerSecond, `${bytes} bytes`);
  assert.ok(messages <= 11 * config.spreadMessagesPerSecond, `${messages} messages`);
  assert.ok(spreader.waiting <= config.queueLimit);
  assert.ok(counters.get('drop_queue_full') > 0);
  assert.ok(counters.get('drop_spread_limited') > 0);
});

test('spreader: what fits no message is dropped, and what is withdrawn is not sent', () => {
  const { spreader, counters } = partsScene(5);
  spreader.push('large', new Uint8Array(2_000));
  assert.is(counters.get('drop_oversized_record'), 1);
  spreader.push('p', new Uint8Array(10));
  spreader.withdraw('p');
  assert.equal(spreader.takeNews(START), []);
});

test('spreader: what several members in a row hold is no news, but for suspicions', () => {
  const { spreader, config } = partsScene(20);
  const fill = (): void => {
    for (const place of ['node a', 'lease a', 'suspicion a b']) {
      spreader.push(place, new Uint8Array(10));
    }
  };
  fill();
  for (let i = 0; i < config.agreements; i++) spreader.agreed(7);
  assert.is(spreader.waiting, 3, 'one member is not several');
  for (let i = 1; i < config.agreements; i++) spreader.agreed(i);
  assert.is(spreader.waiting, 1, 'what is in no store cannot be held');
  fill();
  for (let i = 0; i < 2 * config.agreements; i++) {
    spreader.agreed(i);
    if (i % 2 === 1) spreader.disagreed();
  }
  assert.is(spreader.waiting, 3, 'not in a row');
});

test.run();
