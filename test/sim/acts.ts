/** What can be done to a simulated mesh, each thing with how it is taken back. */

import { present } from '../../src/base/assert.js';
import { after, type Duration, seconds } from '../../src/base/time.js';
import { parseJoinLine } from '../../src/identity/join_line.js';
import type { Act } from './profile.js';
import type { SimHost } from './sim_host.js';
import type { World } from './world.js';

const YEARS = 10 * 365 * 86_400 * 1_000_000;
/** After a start or a pause: until a host has told others that it is well. */
const RECOVERY = seconds(5);
/** Fewer are no mesh: nobody is sent away. */
const LEAST_HOSTS = 4;

type Undo = () => void;

const NOTHING: Undo = () => {};

/** Does it, lets it last, and takes it back. */
export function perform(world: World, act: Act, duration: Duration): void {
  const undo = begin(world, act, duration);
  world.run(duration);
  world.note(`${act} ends`);
  undo();
}

/** One more host comes by a join line of the first's. False where that could not make one. */
export function join(world: World): boolean {
  const [first] = world.hosts;
  if (!first?.isRunning) return false;
  const rest = { uses: 1, name: undefined, groups: [], isAdmin: false, prefixes: [] };
  const result = world.ask(first, { kind: 'invite', ttl: seconds(3_600), ...rest });
  if (result?.kind !== 'invited') return false;
  const line = parseJoinLine(result.line);
  if (line.kind !== 'line') throw new Error(line.message);
  const host = world.add();
  world.note(`${host.name} joins`);
  host.start({ kind: 'join', line: line.line });
  return true;
}

function begin(world: World, act: Act, duration: Duration): Undo {
  const { random } = world;
  const hosts = world.hosts.filter(({ isGone }) => !isGone);
  const one = present(hosts[random.below(hosts.length)], 'a host');
  const border = 1 + random.below(hosts.length - 1);
  world.note(`${act}, of ${one.name} or at ${border}`);
  switch (act) {
    case 'crash':
      return crash([one]);
    case 'crashHalf':
      return crash(hosts.filter(() => random.below(2) === 0));
    case 'crashAll':
      return crash(hosts);
    case 'pause':
      return pause(world, [one], duration);
    case 'pauseSome':
      return pause(world, hosts.slice(0, Math.ceil(hosts.length / 4)), duration);
    case 'clog':
      one.excuse((duration + RECOVERY) as Duration);
      world.links.clog(one.index, duration, world.now);
      return NOTHING;
    case 'clock':
      one.jumpClock(random.below(2) === 0 ? YEARS : -YEARS);
      return () => one.jumpClock(0);
    case 'diskFull':
      one.disk.isFull = true;
      return () => {
        one.disk.isFull = false;
      };
    case 'join':
      join(world);
      return NOTHING;
    case 'leave':
    case 'revoke':
      if (hosts.length > LEAST_HOSTS && one.index > 0) sendAway(world, one, act);
      return NOTHING;
    case 'rotateKey':
      if (one.isRunning) world.ask(one, { kind: 'rotate', what: 'key' });
      return NOTHING;
    case 'rotateAdmin':
    case 'rotateRoot':
      rotate(world, act === 'rotateAdmin' ? 'admin' : 'root');
      return NOTHING;
    default:
      return part(world, act, { one, border });
  }
}

type Parting = 'partition' | 'isolate' | 'oneWay' | 'bridged' | 'ring' | 'pair';

function part(world: World, act: Parting, at: { one: SimHost; border: number }): Undo {
  const { links, hosts } = world;
  const { border } = at;
  const { index } = at.one;
  if (act === 'partition') links.part({ kind: 'whole', border });
  else if (act === 'oneWay') links.part({ kind: 'oneWay', border });
  else if (act === 'bridged') links.part({ kind: 'bridged', border, bridges: 1 });
  else if (act === 'ring') links.part({ kind: 'ring', count: hosts.length });
  else if (act === 'isolate') links.part({ kind: 'alone', host: index });
  else links.part({ kind: 'pair', hosts: [index, (index + border) % hosts.length] });
  return () => links.heal(world.now);
}

function crash(hosts: readonly SimHost[]): Undo {
  for (const host of hosts) host.crash();
  return () => {
    for (const host of hosts) {
      host.start();
      host.excuse(RECOVERY);
    }
  };
}

function pause(world: World, hosts: readonly SimHost[], duration: Duration): Undo {
  for (const host of hosts) {
    host.excuse((duration + RECOVERY) as Duration);
    host.pause(after(world.now, duration));
  }
  return NOTHING;
}

function sendAway(world: World, one: SimHost, how: 'leave' | 'revoke'): void {
  const [first] = world.hosts;
  if (!first?.isRunning || !one.isRunning) return;
  const done =
    how === 'leave'
      ? world.ask(one, { kind: 'leave' })
      : world.ask(first, { kind: 'revoke', member: one.name });
  if (done) world.dismiss(one);
}

function rotate(world: World, what: 'admin' | 'root'): void {
  const [first] = world.hosts;
  if (first?.isRunning) world.ask(first, { kind: 'rotate', what });
}
