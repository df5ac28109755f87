/** One run of a profile under one seed, from nothing to a verdict. */

import { parsePrefix } from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import { type Duration, elapsed, seconds, toSeconds } from '../../src/base/time.js';
import { SodiumSuite } from '../../src/io/sodium.js';
import { SodiumSignatures } from '../../src/io/sodium_signatures.js';
import { join, perform } from './acts.js';
import type { Profile } from './profile.js';
import { World } from './world.js';

/** In which a mesh is whole after its hosts started. */
const FIRST_WHOLE = seconds(60);

export interface SimulationOptions {
  readonly nodes: number;
  readonly profile: Profile;
  readonly seed: string;
  readonly suite: 'toy' | 'real';
  readonly tell?: (line: string) => void;
}

export interface Outcome {
  readonly faults: readonly string[];
  readonly hash: string;
  readonly delivered: number;
  /** Until the mesh was whole after the last act; undefined: it was not in time. */
  readonly healed: Duration | undefined;
  /** Mean of all hosts over the whole run, everything included. */
  readonly bitsPerSecond: number;
}

export function simulate(options: SimulationOptions): Outcome {
  const { profile, nodes, seed, suite, tell } = options;
  const real = suite === 'real' ? { crypto: new SodiumSuite(), suite: new SodiumSignatures() } : {};
  const world = new World({ seed, links: profile.links, ...real, ...(tell ? { tell } : {}) });
  const begin = world.now;
  if (profile.begin === 'join') joinAll(world, nodes);
  else startAll(world, nodes);
  becomeWhole(world, FIRST_WHOLE, 'after its start');
  for (let round = 0; round < profile.rounds; round++) {
    const act = profile.acts[world.random.below(profile.acts.length)];
    if (act) perform(world, act, seconds(profile.actSeconds));
    world.run(seconds(profile.gapSeconds));
  }
  if (profile.rounds === 0) world.run(seconds(profile.seconds));
  const healed = becomeWhole(world, seconds(profile.healSeconds), 'after the last act');
  judgeTheGone(world);
  const sent = world.hosts.reduce((sum, { sentBytes }) => sum + sentBytes, 0);
  const passed = toSeconds(elapsed(begin, world.now));
  return {
    faults: world.faults,
    hash: world.hash,
    delivered: world.delivered,
    healed,
    bitsPerSecond: (8 * sent) / passed / world.hosts.length,
  };
}

function becomeWhole(world: World, limit: Duration, when: string): Duration | undefined {
  const took = world.runUntil(limit, () => world.isWhole);
  if (took !== undefined) world.note(`whole ${toSeconds(took)} s ${when}`);
  else {
    for (const line of world.whyNotWhole()) world.note(line);
    world.fault(`the mesh was not whole in time ${when}`);
  }
  return took;
}

/** Nobody takes who was sent away for a member. */
function judgeTheGone(world: World): void {
  const gone = new Set(world.hosts.filter(({ isGone }) => isGone).map(({ name }) => name));
  for (const host of world.present) {
    for (const { name, status } of host.snapshot()?.members ?? []) {
      if (!gone.has(name) || status === 'left' || status === 'revoked') continue;
      world.fault(`${host.name} takes ${name} for ${status}, who is of the mesh no more`);
    }
  }
}

function startAll(world: World, nodes: number): void {
  world.addMembers(nodes);
  world.note(`${nodes} hosts start`);
  for (const host of world.hosts) host.start();
}

/** The first founds the network; each other joins by a line of it, two at a time. */
function joinAll(world: World, nodes: number): void {
  const first = world.add();
  world.note('a network is founded');
  const pool = present(parsePrefix('10.86.0.0/16'), 'a prefix');
  first.start({ kind: 'found', name: 'sim', pool });
  world.run(seconds(1));
  for (let i = 1; i < nodes; i++) {
    if (!join(world)) world.fault('the first host makes no join line');
    world.run(seconds(i % 2));
  }
}
