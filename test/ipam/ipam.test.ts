import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type NodeId, nodeId } from '../../src/base/identifiers.js';
import {
  after,
  type Duration,
  type Instant,
  instant,
  latest,
  millis,
  NEVER,
  seconds,
  wallTime,
} from '../../src/base/time.js';
import type { IpamAction } from '../../src/ipam/action.js';
import type { LeaseRecord, Standing } from '../../src/ipam/input.js';
import { Ipam, LEASE_KEYS } from '../../src/ipam/ipam.js';
import { emitLease, parseLease, type Reclaimed } from '../../src/ipam/lease_body.js';
import type { Slot } from '../../src/ipam/pool.js';
import { prefix } from '../support/parsed.js';

const test = suite('ipam/ipam');

const NETWORK = nodeId('feedfeedfeedfeed');
const CREATED = wallTime(1_000_000);
const WALL = wallTime(5_000_000_000);
const GRACE = seconds(100);
const DAYS = seconds(86_400);

function id(number: number): NodeId {
  return nodeId(number.toString(16).padStart(16, '0'));
}

interface Setting {
  readonly pool?: string;
  readonly subnetLength?: number;
  readonly own?: readonly LeaseRecord[];
}

function lease(by: number, text: string, at: number, reclaimed: Reclaimed[] = []): LeaseRecord {
  const leased = prefix(text);
  const key = LEASE_KEYS[leased.length === 32 ? 'address' : 'subnet'];
  const body = emitLease({ kind: 'held', prefix: leased, claimedAt: wallTime(at), reclaimed });
  return { author: id(by), key, version: 1, body };
}

/** Node 5 and what comes of what it is told. */
class Scene {
  readonly ipam = new Ipam({ grace: GRACE });
  now: Instant = instant(1_000);
  readonly actions: IpamAction[] = [];
  readonly self = id(5);

  constructor({ pool = '10.5.0.0/16', subnetLength, own = [] }: Setting = {}) {
    const { self } = this;
    const start = { network: NETWORK, self, createdAt: CREATED, wall: WALL, own, subnetLength };
    this.ipam.handle({ kind: 'start', pool: prefix(pool), ...start }, this.now);
  }

  pass(duration: Duration): void {
    const end = after(this.now, duration);
    while (this.ipam.deadline() <= end) {
      this.now = latest(this.ipam.deadline(), this.now);
      this.ipam.advance(this.now);
    }
    this.now = end;
    this.ipam.advance(this.now);
  }

  hear(record: LeaseRecord): void {
    this.ipam.handle({ kind: 'lease', ...record }, this.now);
  }

  stand(by: number, standing: Standing): void {
    this.ipam.handle({ kind: 'standing', id: id(by), standing, since: this.now }, this.now);
  }

  take(): IpamAction[] {
    const taken: IpamAction[] = [];
    this.ipam.drain(taken);
    return taken;
  }

  /** The claim it wants to make now; it is not made. */
  claim(slot: Slot = 'address'): { text: string; reclaimed: readonly Reclaimed[]; at: number } {
    for (const action of this.take()) {
      this.actions.push(action);
      if (action.kind !== 'claim' || action.key !== LEASE_KEYS[slot]) continue;
      const parsed = parseLease(action.body);
      if (parsed?.kind === 'released') return { text: 'released', reclaimed: [], at: 0 };
      const { prefix: wanted, reclaimed = [], claimedAt = 0 } = parsed ?? {};
      return { text: wanted?.text ?? 'malformed', reclaimed, at: claimedAt };
    }
    return { text: 'none', reclaimed: [], at: 0 };
  }

  claimed(slot: Slot = 'address'): void {
    this.ipam.handle({ kind: 'claimed', key: LEASE_KEYS[slot] }, this.now);
  }

  /** Claims what it wants; returns what it has then. */
  settle(slot: Slot = 'address'): string | undefined {
    this.pass(seconds(5));
    this.claim(slot);
    this.claimed(slot);
    return this.have(slot);
  }

  have(slot: Slot = 'address', by = 5): string | undefined {
    return this.ipam.leaseOf(id(by), slot)?.text;
  }
}

test('ipam: waits for others’ leases before it claims, and has nothing before it is safe', () => {
  const scene = new Scene();
  assert.is(scene.claim().text, 'none');
  scene.pass(millis(1_900));
  assert.is(scene.claim().text, 'none');
  scene.pass(millis(200));
  const { text, at } = scene.claim();
  assert.match(text, /^10\.5\.\d+\.\d+\/32$/);
  assert.is(at, WALL + 2_000_000);
  assert.is(scene.have(), undefined);
  assert.equal(scene.ipam.stateOf('address'), { phase: 'claiming', prefix: undefined });
  scene.claimed();
  assert.is(scene.have(), text);
  assert.equal(scene.take(), [{ kind: 'changed', ids: [scene.self] }]);
  assert.is(scene.ipam.deadline(), NEVER);
});

test('ipam: waits no longer than until what others hold is known', () => {
  const scene = new Scene();
  scene.ipam.handle({ kind: 'synced' }, scene.now);
  assert.is(scene.ipam.deadline(), scene.now);
  scene.pass(millis(0));
  assert.match(scene.claim().text, /^10\.5\./);
});

test('ipam: keeps what it had before a restart, and claims nothing', () => {
  const scene = new Scene({ own: [lease(5, '10.5.0.9', 4_000_000)] });
  assert.is(scene.have(), '10.5.0.9/32');
  scene.pass(seconds(60));
  assert.is(scene.claim().text, 'none');
});

test('ipam: takes back what others know that it had', () => {
  const scene = new Scene();
  scene.hear(lease(5, '10.5.0.9', 4_000_000));
  scene.pass(seconds(60));
  assert.is(scene.claim().text, 'none');
  assert.is(scene.have(), '10.5.0.9/32');
});

test('ipam: does not claim what others have', () => {
  const first = new Scene();
  const wanted = first.settle();
  const second = new Scene();
  second.hear(lease(6, wanted ?? '', 4_000_000));
  assert.is.not(second.settle(), wanted);
});

test('ipam: a claim’s stamp is later than every plausible one that is known', () => {
  const scene = new Scene();
  const ahead = WALL + seconds(299);
  scene.hear(lease(6, '10.5.0.1', ahead));
  scene.hear(lease(7, '10.5.0.2', Number.MAX_SAFE_INTEGER));
  scene.pass(seconds(3));
  assert.is(scene.claim().at, ahead + 1);
});

test('ipam: the loser has another address within a second, not the old one, and says so', () => {
  const scene = new Scene();
  const before = scene.settle() ?? '';
  scene.take();
  scene.hear(lease(3, before, 4_000_000));
  assert.is(scene.have(), undefined);
  assert.is(scene.have('address', 3), before);
  scene.pass(seconds(1));
  const { text } = scene.claim();
  assert.is.not(text, 'none');
  scene.claimed();
  assert.is(scene.have(), text);
  const told = scene.take().filter(({ kind }) => kind === 'readdressed');
  const [from, to] = [prefix(before), prefix(text)];
  assert.equal(told, [{ kind: 'readdressed', from, to, because: id(3) }]);
});

test('ipam: the winner keeps its address, and says nothing', () => {
  const scene = new Scene();
  const own = scene.settle() ?? '';
  scene.take();
  scene.hear(lease(6, own, Number(WALL) + 60_000_000));
  assert.is(scene.have(), own);
  scene.pass(seconds(60));
  assert.is(scene.claim().text, 'none');
  assert.is(scene.have('address', 6), undefined);
});

test('ipam: a loser whose rival goes before it claimed anew keeps what it had', () => {
  const scene = new Scene();
  const own = scene.settle() ?? '';
  scene.hear(lease(3, own, 4_000_000));
  scene.hear(lease(3, '10.5.99.99', 4_000_001));
  assert.is(scene.have(), own);
  scene.pass(seconds(60));
  assert.is(scene.claim().text, 'none');
  assert.not.ok(scene.actions.some(({ kind }) => kind === 'readdressed'));
});

test('ipam: a claim that lost while it was made safe is made anew', () => {
  const scene = new Scene();
  scene.pass(seconds(3));
  const { text } = scene.claim();
  scene.hear(lease(3, text, 4_000_000));
  scene.claimed();
  assert.is(scene.have(), undefined);
  assert.is.not(scene.settle(), text);
  assert.ok(scene.have());
});

test('ipam: a claim under way is made, though what it is to replace came into force again', () => {
  const scene = new Scene();
  const own = scene.settle() ?? '';
  scene.hear(lease(3, own, 4_000_000));
  scene.pass(seconds(1));
  const { text } = scene.claim();
  scene.hear(lease(3, '10.5.99.99', 4_000_001));
  assert.is(scene.have(), own);
  scene.claimed();
  assert.is(scene.have(), text);
});

test('ipam: whoever loses twice is told each time to whom', () => {
  const scene = new Scene();
  for (const by of [3, 4]) {
    scene.hear(lease(by, scene.settle() ?? '', 4_000_000));
    scene.pass(seconds(1));
    scene.claim();
    scene.claimed();
    const told = scene.take().filter(({ kind }) => kind === 'readdressed');
    assert.equal(
      told.map((action) => action.kind === 'readdressed' && action.because),
      [id(by)],
    );
  }
});

test('ipam: what could not be made safe is claimed again later', () => {
  const scene = new Scene();
  scene.pass(seconds(3));
  const { text } = scene.claim();
  scene.ipam.handle({ kind: 'notClaimed', key: LEASE_KEYS.address }, scene.now);
  assert.is(scene.have(), undefined);
  scene.pass(seconds(3));
  assert.is(scene.claim().text, 'none');
  scene.pass(seconds(2));
  assert.is(scene.claim().text, text);
});

test('ipam: says once that nothing is free, and claims when something is', () => {
  const scene = new Scene({ pool: '10.5.0.0/31' });
  scene.hear(lease(1, '10.5.0.0', 4_000_000));
  scene.hear(lease(2, '10.5.0.1', 4_000_000));
  scene.pass(seconds(60));
  const told = scene.take().filter(({ kind }) => kind !== 'changed');
  assert.equal(told, [{ kind: 'exhausted', pool: prefix('10.5.0.0/31'), length: 32 }]);
  assert.is(scene.ipam.stateOf('address').phase, 'exhausted');
  scene.stand(2, 'revoked');
  scene.pass(seconds(5));
  assert.is(scene.claim().text, '10.5.0.1/32');
});

for (const standing of ['left', 'revoked'] as const) {
  test(`ipam: what a ${standing} member had is free at once, and it has it no more`, () => {
    const scene = new Scene({ pool: '10.5.0.0/32' });
    scene.hear(lease(1, '10.5.0.0', 4_000_000));
    assert.is(scene.have('address', 1), '10.5.0.0/32');
    scene.stand(1, standing);
    assert.is(scene.have('address', 1), undefined);
    assert.is(scene.settle(), '10.5.0.0/32');
  });
}

test('ipam: what a failed member had is kept for it, and taken after the grace time', () => {
  const scene = new Scene({ pool: '10.5.0.0/32' });
  scene.hear(lease(1, '10.5.0.0', 4_000_000));
  scene.stand(1, 'failed');
  scene.pass(seconds(99));
  assert.is(scene.ipam.stateOf('address').phase, 'exhausted');
  assert.is(scene.have('address', 1), '10.5.0.0/32');
  scene.take();
  scene.pass(seconds(5));
  const { text, reclaimed } = scene.claim();
  assert.is(text, '10.5.0.0/32');
  assert.equal(reclaimed, [{ holder: id(1), claimedAt: wallTime(4_000_000) }]);
  scene.claimed();
  assert.is(scene.have(), '10.5.0.0/32');
  scene.stand(1, 'alive');
  assert.is(scene.have(), '10.5.0.0/32');
  assert.is(scene.have('address', 1), undefined);
});

test('ipam: a failed member that comes back in time keeps what it had', () => {
  const scene = new Scene({ pool: '10.5.0.0/32' });
  scene.hear(lease(1, '10.5.0.0', 4_000_000));
  scene.stand(1, 'failed');
  scene.pass(seconds(90));
  scene.stand(1, 'alive');
  scene.stand(1, 'failed');
  scene.pass(seconds(90));
  assert.is(scene.have('address', 1), '10.5.0.0/32');
  assert.is(scene.ipam.stateOf('address').phase, 'exhausted');
});

test('ipam: whose lease was taken while it was away is the loser, and told so', () => {
  const own = lease(5, '10.5.0.9', 4_000_000);
  const scene = new Scene({ own: [own] });
  const ended = { holder: scene.self, claimedAt: wallTime(4_000_000) };
  scene.hear(lease(6, '10.5.0.9', Number(WALL), [ended]));
  assert.is(scene.have(), undefined);
  assert.is.not(scene.settle(), '10.5.0.9/32');
  const told = scene.take().find(({ kind }) => kind === 'readdressed');
  assert.ok(told?.kind === 'readdressed' && told.because === id(6));
});

test('ipam: has a subnet beside its address where it asked for one', () => {
  const scene = new Scene({ subnetLength: 24 });
  scene.pass(seconds(3));
  const bodies = scene.take().flatMap((action) => (action.kind === 'claim' ? [action.key] : []));
  assert.equal(bodies, [LEASE_KEYS.address, LEASE_KEYS.subnet]);
  scene.claimed('address');
  scene.claimed('subnet');
  const texts = scene.ipam.prefixesOf(scene.self).map(({ text }) => text);
  assert.is(texts.length, 3);
  assert.match(texts[0] ?? '', /^fd[0-9a-f:]+:0:0:0:5\/128$|^fd[0-9a-f:]+::5\/128$/);
  assert.match(texts[1] ?? '', /^10\.5\.\d+\.\d+\/32$/);
  assert.match(texts[2] ?? '', /^10\.5\.(12[89]|1[3-9]\d|2\d\d)\.0\/24$/);
});

test('ipam: a subnet of another length is claimed anew, and one not wanted is given back', () => {
  const had = lease(5, '10.5.200.0/24', 4_000_000);
  const other = new Scene({ subnetLength: 26, own: [had] });
  assert.match(other.settle('subnet') ?? '', /\/26$/);
  const none = new Scene({ own: [had] });
  none.pass(seconds(3));
  assert.is(none.claim('subnet').text, 'released');
  none.claimed('subnet');
  assert.is(none.have('subnet'), undefined);
  none.pass(seconds(60));
  assert.is(none.claim('subnet').text, 'none');
});

test('ipam: a subnet that the pool cannot have is exhausted, and nothing worse', () => {
  const scene = new Scene({ subnetLength: 17 });
  scene.pass(seconds(60));
  assert.is(scene.ipam.stateOf('subnet').phase, 'exhausted');
});

test('ipam: a lease that was given back is free', () => {
  const scene = new Scene({ pool: '10.5.0.0/32' });
  const had = lease(1, '10.5.0.0', 4_000_000);
  scene.hear(had);
  scene.hear({ ...had, body: emitLease({ kind: 'released' }) });
  assert.is(scene.settle(), '10.5.0.0/32');
});

test('ipam: another pool readdresses, and says that nobody took it', () => {
  const scene = new Scene();
  const before = scene.settle() ?? '';
  scene.take();
  scene.ipam.handle({ kind: 'pool', pool: prefix('10.9.0.0/16'), createdAt: CREATED }, scene.now);
  assert.is(scene.have(), undefined);
  const text = scene.settle() ?? '';
  assert.match(text, /^10\.9\./);
  const told = scene.take().filter(({ kind }) => kind === 'readdressed');
  const [from, to] = [prefix(before), prefix(text)];
  assert.equal(told, [{ kind: 'readdressed', from, to, because: undefined }]);
  scene.ipam.handle({ kind: 'pool', pool: prefix('10.9.0.0/16'), createdAt: CREATED }, scene.now);
  assert.is(scene.have(), text);
});

test('ipam: what a member that is gone had is free', () => {
  const scene = new Scene({ pool: '10.5.0.0/32' });
  scene.hear(lease(1, '10.5.0.0', 4_000_000));
  scene.ipam.handle({ kind: 'gone', id: id(1) }, scene.now);
  assert.is(scene.settle(), '10.5.0.0/32');
});

for (const [record, why] of [
  [lease(1, '0.0.0.0/0', 2_000_000), 'everything'],
  [lease(1, '10.5.0.0/16', 2_000_000), 'the pool'],
  [lease(1, '10.5.0.0/17', 2_000_000), 'all addresses'],
  [lease(1, '10.5.128.0/17', 2_000_000), 'all subnets'],
  [lease(1, '192.168.0.1', 2_000_000), 'an address of no pool'],
  [lease(1, 'fd00::1/128', 2_000_000), 'an address of IPv6'],
  [{ ...lease(1, '10.5.0.9', 2_000_000), key: LEASE_KEYS.subnet }, 'an address as a subnet'],
  [{ ...lease(1, '10.5.0.9', 2_000_000), key: '0000000000000002' }, 'a third lease'],
  [{ ...lease(1, '10.5.0.9', 2_000_000), body: new Uint8Array(3) }, 'a malformed one'],
  [lease(1, '10.5.0.9', 999_999), 'one from before there was a network'],
] as const) {
  test(`ipam: a lease of ${why} takes nothing from anybody`, () => {
    const own = [lease(5, '10.5.0.9', 4_000_000), lease(5, '10.5.200.0/24', 4_000_000)];
    const scene = new Scene({ own, subnetLength: 24 });
    scene.hear(record);
    assert.is(scene.have('address'), '10.5.0.9/32');
    assert.is(scene.have('subnet'), '10.5.200.0/24');
    assert.is(scene.have('address', 1), undefined);
    assert.is(scene.have('subnet', 1), undefined);
  });
}

test('ipam: a million keys of one member take no place', () => {
  const scene = new Scene({ own: [lease(5, '10.5.0.9', 4_000_000)] });
  const record = lease(1, '10.5.0.1', 4_000_000);
  for (let i = 0; i < 1_000_000; i++) {
    const key = i.toString(16).padStart(16, '0');
    scene.hear({ ...record, key });
  }
  const held = [...scene.ipam.leases()].filter(({ author }) => author === id(1));
  assert.is(held.length, 2);
});

test('ipam: keeps leases of failed members for a week unless told otherwise', () => {
  const ipam = new Ipam();
  const now = instant(0);
  const rest = { network: NETWORK, self: id(5), createdAt: CREATED, wall: WALL, own: [] };
  const pool = prefix('10.5.0.0/32');
  ipam.handle({ kind: 'start', pool, ...rest, subnetLength: undefined }, now);
  ipam.handle({ kind: 'lease', ...lease(1, '10.5.0.0', 4_000_000) }, now);
  ipam.handle({ kind: 'standing', id: id(1), standing: 'failed', since: now }, now);
  ipam.advance(instant(7 * DAYS - 1));
  assert.is(ipam.stateOf('address').phase, 'exhausted');
  ipam.advance(instant(7 * DAYS + seconds(5)));
  assert.is(ipam.stateOf('address').phase, 'claiming');
});

test.run();
