/**
 * What a mesh costs and how fast it is, measured in simulations: gossip cores alone where only they
 * matter, whole nodes where handshakes, stores and disks do. All of it follows from seeds, but for
 * time and memory of this machine.
 */

import { present } from '../../src/base/assert.js';
import { type Duration, elapsed, millis, seconds, toSeconds } from '../../src/base/time.js';
import { GOSSIP_DEFAULTS } from '../../src/gossip/config.js';
import { parseRecord } from '../../src/wire/record.js';
import { MeshNetwork, PLAIN_SWIM } from '../../test/gossip/mesh_network.js';
import { World } from '../../test/sim/world.js';
import { collectGarbage } from '../../test/support/collect_garbage.js';

/** Each of 10 s: enough for plain SWIM to err some dozen times. */
const BURSTS = 60;

const MINUTE = seconds(60);

export interface Point {
  readonly nodes: number;
  readonly value: number;
}

/** Seconds from a record's first node to all, the mean of `rounds`. */
export function rumourSeconds(nodes: number, loss: number, rounds: number): number {
  const network = new MeshNetwork({ count: nodes, seed: `rumour ${nodes} ${loss}`, loss });
  network.run(seconds(5));
  let total = 0;
  for (let round = 0; round < rounds; round++) {
    const place = network.publish((round * 7) % nodes);
    const took = network.runUntil(seconds(60), () => network.holders(place) === nodes);
    total += toSeconds(present(took, 'it reaches all'));
    network.run(seconds(3));
  }
  return total / rounds;
}

/** Serf's convergence simulator's formula, with its defaults: fanout 3, a turn of 200 ms. */
export function serfSeconds(nodes: number, loss: number): number {
  return (Math.log((nodes + 1) * 9_999) / (1.5 * (1 - loss))) * 0.2;
}

/** Probe periods from a crash to the first accusation, the mean. */
export function detectionPeriods(nodes: number, rounds: number): number {
  let total = 0;
  for (let round = 0; round < rounds; round++) {
    const network = new MeshNetwork({ count: nodes, seed: `crash ${round}` });
    network.run((seconds(5) + millis(37 * round)) as Duration);
    const [victim, crashedAt] = [round % nodes, network.now];
    network.crash(victim);
    const isFound = ({ of }: { readonly of: number }): boolean => of === victim;
    network.runUntil(seconds(30), () => network.accusations.some(isFound));
    const found = present(network.accusations.find(isFound), 'an accusation');
    total += toSeconds(elapsed(crashedAt, found.at));
  }
  return total / rounds / toSeconds(GOSSIP_DEFAULTS.probeInterval);
}

/** How often healthy nodes of a hundred took healthy ones for dead, while some stall in bursts. */
export function healthyDeaths(stalling: number, by: 'heddle' | 'plain SWIM'): number {
  const isPlain = by === 'plain SWIM';
  const config = isPlain ? PLAIN_SWIM : {};
  const seed = `stalls ${stalling}`;
  const network = new MeshNetwork({ count: 100, seed, config, spreadsDeath: isPlain });
  network.run(seconds(5));
  const sick = new Set(Array.from({ length: stalling }, (_, i) => i * 3));
  for (let burst = 0; burst < BURSTS; burst++) {
    for (const index of sick) network.stall(index, seconds(10));
    network.run(millis(10_008));
  }
  network.run(seconds(30));
  const isHealthy = ({ by: who, of }: { readonly by: number; readonly of: number }): boolean =>
    !sick.has(who) && !sick.has(of);
  const found = network.changes.filter((each) => each.status === 'failed' && isHealthy(each));
  return found.length + network.deaths.filter(isHealthy).length;
}

/** Seconds until all see all again after a partition in two halves; undefined: not in 2 minutes. */
export function healSeconds(nodes: number, parted: Duration): number | undefined {
  const world = started(nodes, `heal ${nodes}`);
  world.links.part({ kind: 'whole', border: Math.floor(nodes / 2) });
  world.run(parted);
  world.links.heal(world.now);
  const took = world.runUntil(seconds(120), () => world.isWhole);
  return took === undefined ? undefined : toSeconds(took);
}

/** Seconds until all see all, where all lost their power at once. */
export function restartSeconds(nodes: number): number | undefined {
  const world = started(nodes, `restart ${nodes}`);
  for (const host of world.hosts) host.crash();
  world.run(seconds(5));
  for (const host of world.hosts) host.start();
  // What the disks said is no view: each must have been heard by each.
  const isFresh = (): boolean =>
    world.isWhole && world.hosts.every((host) => (host.snapshot()?.sentMessages ?? 0) > 0);
  world.run(seconds(0.5));
  const took = world.runUntil(seconds(120), isFresh);
  return took === undefined ? undefined : 0.5 + toSeconds(took);
}

export interface Minute {
  /** That a node sends in a second, headers and handshakes included. */
  readonly kilobits: number;
  /** Of this machine, for the minute. */
  readonly seconds: number;
  /** Of this machine, from the start of all nodes at once until all saw all. */
  readonly formingSeconds: number;
}

/** A minute of a mesh of so many nodes in which nothing happens. */
export function steadyMinute(nodes: number): Minute {
  const startedAt = performance.now();
  const world = started(nodes, `minute ${nodes}`);
  present(
    world.runUntil(seconds(300), () => world.isWhole),
    'all see all',
  );
  const formedAt = performance.now();
  const before = world.hosts.map(({ sentBytes }) => sentBytes);
  world.run(MINUTE);
  const bytes = world.hosts.reduce((sum, host, i) => sum + host.sentBytes - (before[i] ?? 0), 0);
  return {
    kilobits: (bytes * 8) / toSeconds(MINUTE) / nodes / 1_000,
    seconds: (performance.now() - formedAt) / 1_000,
    formingSeconds: (formedAt - startedAt) / 1_000,
  };
}

/**
 * KiB of heap and buffers that a node has for each of so many members that it knows. What lies
 * on its simulated disk is no memory. What a node has that knows one other is no member's.
 */
export function memberKibibytes(nodes: number): number {
  // Once for what the engine makes of code that runs for the first time.
  nodeBytes(nodes);
  const alone = nodeBytes(2);
  return (nodeBytes(nodes) - alone) / (nodes - 2) / 1_024;
}

function nodeBytes(nodes: number): number {
  const world = new World({ seed: 'memory', parse: parseRecord });
  world.addMembers(nodes);
  const [first] = world.hosts;
  const host = present(first, 'a host');
  const before = usedBytes();
  host.start();
  world.run(seconds(2));
  const onDisk = [...host.disk.files.values()].reduce((sum, { length }) => sum + length, 0);
  return usedBytes() - before - onDisk;
}

function started(nodes: number, seed: string): World {
  const world = new World({ seed });
  world.addMembers(nodes);
  for (const host of world.hosts) host.start();
  world.run(seconds(20));
  return world;
}

function usedBytes(): number {
  for (let i = 0; i < 4; i++) collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
