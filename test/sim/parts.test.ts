/** The parts of the simulator: what they promise to the runs that are made of them. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SeededRandom } from '../../src/base/random.js';
import { after, instant, millis, seconds } from '../../src/base/time.js';
import { withSeed } from '../support/seed.js';
import { EventQueue } from './event_queue.js';
import { CALM, Links } from './links.js';
import { ToyCrypto, ToySignatures } from './toy_suites.js';

const test = suite('sim/parts');
const START = instant(seconds(10));

test('event queue: by time, and at one time in the order of asking', () => {
  withSeed('event queue', (random) => {
    const queue = new EventQueue();
    const wanted: [number, number][] = [];
    const done: [number, number][] = [];
    for (let i = 0; i < 2_000; i++) {
      const at = random.below(100);
      wanted.push([at, i]);
      queue.add(instant(at), () => done.push([at, i]));
    }
    for (let event = queue.take(); event; event = queue.take()) event.run();
    wanted.sort(([a, i], [b, j]) => a - b || i - j);
    assert.equal(done, wanted);
    assert.is(queue.next, undefined);
  });
});

test('links: each fault does what it says, and nothing else', () => {
  const count = (settings: Partial<typeof CALM>): { arrived: number; late: number } => {
    const links = new Links({ ...CALM, ...settings }, new SeededRandom('links'));
    let [arrived, late] = [0, 0];
    for (let i = 0; i < 4_000; i++) {
      for (const at of links.arrivals(0, 1, START)) {
        arrived++;
        if (at > after(START, millis(100))) late++;
      }
    }
    return { arrived, late };
  };
  assert.equal(count({}), { arrived: 4_000, late: 0 });
  const { arrived } = count({ loss: 0.25 });
  assert.ok(arrived > 2_850 && arrived < 3_150, `${arrived} of 4,000 with a quarter lost`);
  assert.ok(count({ duplicate: 0.5 }).arrived > 5_800);
  const { late } = count({ reorder: 0.1 });
  assert.ok(late > 300 && late < 500, `${late} are late`);
  const bursts = count({ burstBegins: 0.02, burstEnds: 0.2 }).arrived;
  assert.ok(bursts > 3_400 && bursts < 3_900, `${bursts} with bursts`);
});

test('links: a clog lets out what it held when it ends', () => {
  const links = new Links(CALM, new SeededRandom('clog'));
  links.clog(0, seconds(5), START);
  const [held] = links.arrivals(0, 1, START);
  assert.is(held, after(START, seconds(5)));
  const [other] = links.arrivals(1, 0, START);
  assert.ok(other !== undefined && other < after(START, seconds(1)));
});

test('links: partitions part as they say', () => {
  const links = new Links(CALM, new SeededRandom('partition'));
  links.part({ kind: 'whole', border: 2 });
  assert.equal([links.isOpen(0, 1), links.isOpen(0, 2), links.isOpen(2, 0)], [true, false, false]);
  links.part({ kind: 'oneWay', border: 2 });
  assert.equal([links.isOpen(0, 2), links.isOpen(2, 0)], [true, false]);
  links.part({ kind: 'bridged', border: 2, bridges: 1 });
  assert.equal([links.isOpen(0, 3), links.isOpen(3, 0), links.isOpen(1, 3)], [true, true, false]);
});

test('toy suites: both ends come to one secret, and what was changed does not open', () => {
  withSeed('toys', (random) => {
    const crypto = new ToyCrypto();
    const empty = new Uint8Array(0);
    for (let i = 0; i < 100; i++) {
      const [ours, theirs] = [random.bytes(32), random.bytes(32)];
      const secret = crypto.dh(ours, crypto.publicKey(theirs));
      assert.equal(secret, crypto.dh(theirs, crypto.publicKey(ours)));
      const sealed = crypto.seal(secret, 3n, random.bytes(20), empty);
      assert.ok(crypto.open(secret, 3n, sealed, empty));
      assert.is(crypto.open(secret, 4n, sealed, empty), undefined);
      const at = random.below(sealed.length);
      sealed[at] = (sealed[at] ?? 0) ^ 1;
      assert.is(crypto.open(secret, 3n, sealed, empty), undefined);
    }
    const signatures = new ToySignatures();
    const seed = random.bytes(32);
    const [key, message] = [signatures.publicKeyOf(seed), random.bytes(50)];
    const signature = signatures.sign(seed, message);
    assert.ok(signatures.verify(key, message, signature));
    assert.not(signatures.verify(key, message.slice(1), signature));
    assert.not(signatures.verify(signatures.publicKeyOf(message), message, signature));
  });
});

test.run();
