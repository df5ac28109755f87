/** Many gossip cores together: what SWIM and Lifeguard promise, and what Serf publishes. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nodeId } from '../../src/base/identifiers.js';
import { type Duration, millis, seconds, toSeconds } from '../../src/base/time.js';
import type { GossipConfig } from '../../src/gossip/config.js';
import { MeshNetwork, PLAIN_SWIM } from './mesh_network.js';

const test = suite('gossip/gossip');

/**
 * Seconds until 99.99 % know a rumour, by the formula of Serf's convergence simulator with its
 * defaults: fanout 3, a turn of 200 ms.
 */
function serfSeconds(count: number, loss: number): number {
  const perTurn = 0.5 * 3 * (1 - loss);
  const turns = Math.log((count + 1) * 9_999) / perTurn;
  return turns * 0.2;
}

/** `count` hosts that know each other and have been at it for a while. */
function settled(count: number, seed: string, loss = 0): MeshNetwork {
  const network = new MeshNetwork({ count, seed, loss });
  network.run(seconds(5));
  return network;
}

function healthyDeaths(network: MeshNetwork, sick: ReadonlySet<number>): number {
  return network.changes.filter(
    ({ by, of, status }) => status === 'failed' && !sick.has(by) && !sick.has(of),
  ).length;
}

test('gossip: nobody is accused while nothing is wrong', () => {
  const network = settled(30, 'calm');
  network.run(seconds(120));
  assert.equal(network.accusations, []);
  assert.ok(network.isWhole);
});

test('gossip: a rumour reaches all in 1.2 of Serf’s time, with a quarter lost too', () => {
  for (const count of [10, 30, 100]) {
    for (const loss of [0, 0.25]) {
      const network = settled(count, `rumour ${count} ${loss}`, loss);
      let total = 0;
      const rounds = 10;
      for (let round = 0; round < rounds; round++) {
        const place = network.publish(round % count);
        const took = network.runUntil(seconds(30), () => network.holders(place) === count);
        assert.ok(took !== undefined, 'it reaches everybody');
        total += toSeconds((took ?? 0) as Duration);
        network.run(seconds(3));
      }
      const mean = total / rounds;
      const limit = 1.2 * serfSeconds(count, loss);
      assert.ok(mean <= limit, `${count} hosts, loss ${loss}: ${mean} s, limit ${limit} s`);
    }
  }
});

test('gossip: a crash is first found in 1.6 probe periods in the mean', () => {
  let total = 0;
  const rounds = 40;
  for (let round = 0; round < rounds; round++) {
    const network = settled(20, `crash ${round}`);
    network.run(millis(37 * round));
    const victim = round % 20;
    network.crash(victim);
    const took = network.runUntil(seconds(20), () =>
      network.accusations.some(({ of }) => of === victim),
    );
    assert.ok(took !== undefined, 'it is found');
    total += toSeconds((took ?? 0) as Duration);
  }
  // From the crash to the accusation there is the period of the probe that fails, too.
  const periods = total / rounds;
  assert.ok(periods <= 1.6 + 1, `${periods} periods`);
});

test('gossip: a crash is known to all, and a return as well', () => {
  const network = settled(30, 'complete');
  network.crash(7);
  const found = network.runUntil(seconds(60), () =>
    network.hosts.every(({ index }) => index === 7 || network.status(index, 7) === 'failed'),
  );
  assert.ok(found !== undefined, 'all take it for failed');
  network.run(seconds(120));
  network.revive(7);
  const back = network.runUntil(seconds(60), () => network.isWhole);
  assert.ok(back !== undefined, 'all take it for alive');
});

test('gossip: a false accusation is refuted by its subject, with a higher incarnation', () => {
  const network = settled(20, 'refute');
  const before = network.host(3).incarnation;
  network.accuse(5, 3);
  const cleared = network.runUntil(seconds(10), () => network.host(3).incarnation > before);
  assert.ok(cleared !== undefined);
  network.run(seconds(60));
  assert.ok(network.isWhole);
  assert.is(network.changes.filter(({ status }) => status === 'failed').length, 0);
  for (const host of network.hosts) {
    const known = host.core.members().find(({ id }) => id === network.host(3).id);
    if (host.index !== 3) assert.is(known?.incarnation, network.host(3).incarnation);
  }
});

test('gossip, row 24: an accusation of an incarnation that is long past means nothing', () => {
  const network = settled(5, 'stale');
  const id = network.host(3).id;
  network.feed(1, { kind: 'member', id, incarnation: 50, status: 'alive', isFresh: true });
  const accuser = network.host(2).id;
  network.feed(1, { kind: 'suspicion', id, incarnation: 7, accuser });
  assert.is(network.status(1, 3), 'alive');
  assert.is(network.host(1).core.counters().drop_stale_suspicion, 1);
});

test('gossip: what strangers say is counted, and changes nobody', () => {
  const network = settled(5, 'stranger');
  const from = nodeId('ffffffffffffffff');
  network.feed(1, { kind: 'suspicion', id: from, incarnation: 1, accuser: network.host(2).id });
  network.feed(1, { kind: 'message', from, message: { kind: 'nack', sequence: 1 } });
  network.feed(1, { kind: 'heard', from });
  const { drop_unknown_member: unknown, drop_unexpected_nack: nack } = network
    .host(1)
    .core.counters();
  assert.equal([unknown, nack], [2, 1]);
  assert.is(network.host(1).core.statusOf(from), undefined);
});

test('gossip: one to four that stall in bursts make no healthy host dead for another', () => {
  for (const stalling of [1, 4]) {
    const network = settled(100, `stall ${stalling}`);
    const sick = new Set(Array.from({ length: stalling }, (_, i) => i * 7));
    for (let burst = 0; burst < 4; burst++) {
      for (const index of sick) network.stall(index, seconds(16));
      network.run(seconds(30));
    }
    assert.is(healthyDeaths(network, sick), 0, `${stalling} stall`);
  }
});

test('gossip: where many stall nobody healthy is dead for another, and fewer are accused', () => {
  const run = (config: Partial<GossipConfig>, spreadsDeath: boolean) => {
    const network = new MeshNetwork({ count: 100, seed: 'many stall', config, spreadsDeath });
    network.run(seconds(5));
    const sick = new Set(Array.from({ length: 32 }, (_, i) => i * 3));
    // Awake for a moment only: long enough to accuse, hardly to hear the answer (Lifeguard §V).
    for (let burst = 0; burst < 6; burst++) {
      for (const index of sick) network.stall(index, seconds(10));
      network.run(millis(10_008));
    }
    network.run(seconds(30));
    const told = network.deaths.filter(({ by, of }) => !sick.has(by) && !sick.has(of)).length;
    return { deaths: healthyDeaths(network, sick) + told, accusations: network.accusations.length };
  };
  const [ours, plain] = [run({}, false), run(PLAIN_SWIM, true)];
  assert.is(ours.deaths, 0);
  assert.ok(plain.deaths > 0, 'by which plain SWIM can be told from it');
  assert.ok(ours.accusations < 0.75 * plain.accusations, `${ours.accusations} of ours`);
});

test('gossip: what was parted heals in a minute, after half of one and after ten', () => {
  for (const parted of [30, 600]) {
    const network = settled(100, `partition ${parted}`);
    network.isOpen = (from, to) => from < 50 === to < 50;
    network.run(seconds(parted));
    const failed = network.hosts.filter((_, index) => network.status(0, index) === 'failed');
    assert.ok(failed.length > 25, `${failed.length} of 50 that are gone are known to be`);
    assert.is(network.status(0, 49), 'alive');
    network.isOpen = () => true;
    const took = network.runUntil(seconds(60), () => network.isWhole);
    assert.ok(took !== undefined, `after ${parted} s`);
  }
});

test('gossip: in steady state a host says 4 kbit/s at most, of a hundred', () => {
  const network = settled(100, 'traffic');
  const before = network.hosts.map(({ sentBytes }) => sentBytes);
  network.run(seconds(60));
  const rates = network.hosts.map(
    ({ sentBytes }, i) => ((sentBytes - (before[i] ?? 0)) * 8) / 60 / 1_000,
  );
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
  assert.ok(mean <= 4, `${mean} kbit/s`);
});

test('gossip: an event loop that runs late makes a host distrust itself', () => {
  const network = settled(10, 'lag');
  network.feed(2, { kind: 'lag', lag: millis(900) });
  assert.is(network.host(2).core.health(), 1);
  network.run(seconds(20));
  assert.is(network.host(2).core.health(), 0, 'until it does well again');
});

test('gossip: one seed run twice does the same', () => {
  const run = (): string => {
    const network = new MeshNetwork({ count: 20, seed: 'twice', loss: 0.2 });
    network.run(seconds(10));
    network.crash(3);
    network.run(seconds(60));
    const counters = network.hosts.map(({ core }) => core.counters());
    return JSON.stringify([network.changes, network.accusations, counters]);
  };
  assert.is(run(), run());
});

test.run();
