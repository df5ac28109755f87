/**
 * Two session cores through random weather: messages lost, doubled and late, either side rekeying,
 * starting again, or made another. The model of the walk fails where a key is installed twice or
 * what is gone is used; here the rest is asked: how much lives, and that calm brings lanes.
 */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { SeededRandom } from '../../src/base/random.js';
import { micros, millis, seconds } from '../../src/base/time.js';
import type { Features } from '../../src/session/features.js';
import { baseIndex, isLaneIndex } from '../../src/session/lane_keys.js';
import { emitControl } from '../../src/wire/control.js';
import { withSeed } from '../support/seed.js';
import { SessionNetwork, type Side } from '../support/session_network.js';

const test = suite('succession_random');

const RUNS = 40;
const STEPS = 120;
const CONFIRMS = ['before control', 'after control', 'by data alone'] as const;

function anyFeatures(random: SeededRandom): Features | undefined {
  if (random.below(8) === 0) return undefined;
  return {
    suites: random.below(3) === 0 ? ['chacha20-poly1305'] : ['aes-256-gcm', 'chacha20-poly1305'],
    lanes: 1 + random.below(8),
    trustsChecksums: random.below(2) === 0,
  };
}

/** Bad weather: each message has its own fate. */
function storm(network: SessionNetwork, random: SeededRandom): void {
  const loss = random.below(60);
  network.isLost = () => random.below(100) < loss;
  network.copies = ({ kind }) => (kind === 'data' ? 1 : 1 + random.below(2));
  network.latency = () => micros(random.below(random.below(4) === 0 ? 700_000 : 30_000));
}

function calm(network: SessionNetwork): void {
  network.isLost = () => false;
  network.copies = () => 1;
  network.latency = () => millis(10);
}

/** One thing that may happen to a side. */
function happen(network: SessionNetwork, side: Side, random: SeededRandom): void {
  const what = random.below(20);
  if (what < 6) side.begin();
  else if (what < 14) side.sendData(random.below(8));
  else if (what < 16) side.handle({ kind: 'sessionNeeded', reason: 'staged' });
  else if (what === 16) side.speak(anyFeatures(random));
  else if (what === 17) side.restart(anyFeatures(random));
  else if (what === 18) side.handle({ kind: 'underlayChanged' });
  else {
    const [localIndex] = [...side.keypairs.keys()].slice(random.below(4));
    const message = emitControl({ kind: 1 + random.below(2), body: random.bytes(random.below(9)) });
    if (localIndex !== undefined) side.handle({ kind: 'control', localIndex, message });
  }
  const most = [1, 30, 1000, 40_000][random.below(4)] ?? 1;
  network.run(millis(random.below(most)));
}

function assertBounds(side: Side): void {
  const bases = new Set([...side.keypairs.keys()].map(baseIndex));
  assert.ok(bases.size <= 3, `${bases.size} sessions live`);
  assert.ok(side.party.table.size <= 4, `${side.party.table.size} indices are taken`);
  for (const [index, { takesControl }] of side.keypairs) {
    assert.not(isLaneIndex(index) && takesControl === true, 'control comes by the base alone');
  }
}

test('succession: in any weather no key comes twice, three sessions live, and calm heals', () => {
  withSeed('succession', (random) => {
    for (let run = 0; run < RUNS; run++) {
      const features = [anyFeatures(random), anyFeatures(random)] as const;
      const network = new SessionNetwork(features, `weather ${run} ${random.u32()}`);
      network.confirms = CONFIRMS[run % 3] ?? 'before control';
      const sides = [network.left, network.right];
      for (let step = 0; step < STEPS; step++) {
        if (step % 20 === 0) storm(network, random);
        happen(network, sides[random.below(2)] ?? network.left, random);
        for (const side of sides) assertBounds(side);
      }
      calm(network);
      assertHealed(network, run);
    }
  });
});

/** Whatever came before: both come to lanes, or both to the base, and lose nothing by it. */
function assertHealed(network: SessionNetwork, run: number): void {
  const sides = [network.left, network.right];
  const ours: Features = { suites: ['chacha20-poly1305'], lanes: 3, trustsChecksums: true };
  const both = run % 4 === 0 ? undefined : ours;
  for (const side of sides) side.speak(both);
  // What is under way ends; then a handshake, and its hellos.
  network.run(seconds(20));
  network.left.begin();
  network.run(seconds(10));
  for (const side of sides) {
    side.received.length = 0;
    side.lost = 0;
  }
  for (let lane = 0; lane < 3; lane++) for (const side of sides) side.sendData(lane);
  network.run(seconds(1));
  for (const side of sides) {
    assert.is(side.received.length, 3, `run ${run}`);
    assert.is(side.lost, 0, `run ${run}`);
    assert.is(side.received.every(isLaneIndex), both !== undefined, `run ${run}`);
  }
}

test.run();
