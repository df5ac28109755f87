/**
 * What others change in a host while a tunnel runs there: what is heddle's is put right and
 * counted, and what the host's ways to the world become is followed.
 */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ip, type Lab, type LabHost, pings, pause, reaches, waitUntil } from '../support/netns.js';
import { at, FAR, NEAR, PORT, tunnels, withLab } from './pair.js';
import { processorMs } from './rig.js';
import { HeddleEnd } from './tunnels.js';

export const timeLimitSeconds = 120;

const changes = suite('changes of the host');

/** Of one processor, while somebody changes the host all the time. */
const BUSY_SHARE = 0.4;
/** While it tries for a thing that is taken. */
const IDLE_SHARE = 0.1;

interface World {
  readonly near: LabHost;
  readonly far: LabHost;
  readonly nearEnd: HeddleEnd;
  readonly farEnd: HeddleEnd;
}

const UPLINKS = [
  { name: 'up1', own: '198.51.100.2', router: '198.51.100.1' },
  { name: 'up2', own: '203.0.113.2', router: '203.0.113.1' },
] as const;
const FAR_UNDER = '192.0.2.2';

/**
 * A near host with two uplinks to a router, its default route by the first, and a far host behind
 * the router; a tunnel between them, through which near sends everything when `isDefault`.
 */
async function makeWorld(lab: Lab, isDefault: boolean): Promise<World> {
  const [near, router, far] = [lab.host('n'), lab.host('r'), lab.host('f')];
  for (const { name, own, router: gateway } of UPLINKS) {
    lab.link(name, [
      [near, [`${own}/24`]],
      [router, [`${gateway}/24`]],
    ]);
  }
  lab.link('under', [
    [router, ['192.0.2.1/24']],
    [far, [`${FAR_UNDER}/24`]],
  ]);
  await router.must(['sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward']);
  ip(far, 'route', 'add', 'default', 'via', '192.0.2.1');
  ip(near, 'route', 'add', 'default', 'via', UPLINKS[0].router);
  const everything = isDefault ? { allowedIps: ['0.0.0.0/0', '::/0'] } : {};
  const made = tunnels({ near: { endpoint: at(FAR_UNDER, PORT), ...everything } });
  const farEnd = await HeddleEnd.start(lab, far, made.far);
  const nearEnd = await HeddleEnd.start(lab, near, made.near);
  await pings(near, FAR.inner);
  return { near, far, nearEnd, farEnd };
}

/** Fails unless `isTrue` within `limitMs` of the call of `change`. */
async function within(
  what: string,
  limitMs: number,
  change: () => void,
  isTrue: () => boolean | Promise<boolean>,
): Promise<void> {
  change();
  await waitUntil(what, limitMs, isTrue);
}

async function repairsOf(end: HeddleEnd, kind: string): Promise<number> {
  return (await end.status()).repairs[kind] ?? 0;
}

/** How many rules there are that lead into or around the tunnel. */
function ourRules(host: LabHost): number {
  const shown = ip(host, 'rule') + ip(host, '-6', 'rule');
  return shown.split('\n').filter((line) => line.includes('proto 104')).length;
}

const ALIKE: readonly {
  readonly kind: string;
  readonly what: string;
  readonly change: (near: LabHost) => void;
  readonly isRight: (near: LabHost) => boolean;
}[] = [
  {
    kind: 'address',
    what: 'the addresses are flushed',
    change: (near) => ip(near, 'addr', 'flush', 'dev', 'hd0'),
    isRight: (near) =>
      /10\.77\.0\.1\/24.*fd77::1\/64/s.test(ip(near, 'addr', 'show', 'dev', 'hd0')),
  },
  {
    kind: 'route',
    what: 'the routes are deleted',
    change: (near) => {
      ip(near, 'route', 'flush', 'table', '51820');
      ip(near, '-6', 'route', 'flush', 'table', '51820');
    },
    isRight: (near) =>
      ['-4', '-6'].every((family) =>
        ip(near, family, 'route', 'show', 'table', '51820').includes('default dev hd0'),
      ),
  },
  {
    kind: 'rule',
    what: 'the rules are flushed, as by a reload of a firewall (row 55)',
    change: (near) => {
      for (const family of ['-4', '-6']) {
        ip(near, family, 'rule', 'flush');
        ip(near, family, 'rule', 'add', 'priority', '32766', 'table', 'main');
      }
    },
    isRight: (near) => ourRules(near) === 2 * 3 + UPLINKS.length,
  },
  {
    kind: 'mtu',
    what: 'the MTU is changed',
    change: (near) => ip(near, 'link', 'set', 'hd0', 'mtu', '1000'),
    isRight: (near) => / mtu 1400 /.test(ip(near, 'link', 'show', 'dev', 'hd0')),
  },
];

changes('what is flushed, deleted or set otherwise is right again within 2 s, and counted', () =>
  withLab(async (lab) => {
    const { near, nearEnd } = await makeWorld(lab, true);
    for (const { kind, what, change, isRight } of ALIKE) {
      assert.ok(isRight(near), `before ${what}`);
      const before = await repairsOf(nearEnd, kind);
      change(near);
      await waitUntil(`it is right again after ${what}`, 2_000, () => isRight(near));
      await pings(near, FAR.inner);
      assert.ok((await repairsOf(nearEnd, kind)) > before, `${what}: counted as ${kind}`);
    }
    const rules = ourRules(near);
    await pause(1_000);
    assert.is(ourRules(near), rules, 'no rule is there twice');
  }),
);

changes('an interface that is down stays down, and carries traffic within 2 s of being up', () =>
  withLab(async (lab) => {
    const { near } = await makeWorld(lab, true);
    ip(near, 'link', 'set', 'hd0', 'down');
    await pause(1_500);
    assert.not.match(ip(near, 'link', 'show', 'dev', 'hd0'), /[<,]UP[,>]/);
    const isBack = (): Promise<boolean> => reaches(near, FAR.inner6);
    await within('IPv6 passes', 2_000, () => ip(near, 'link', 'set', 'hd0', 'up'), isBack);
    await pings(near, FAR.inner);
    await pings(near, '10.77.0.2', '-I', 'hd0');
  }),
);

changes('a renamed interface is followed', () =>
  withLab(async (lab) => {
    const { near, nearEnd } = await makeWorld(lab, true);
    ip(near, 'link', 'set', 'hd0', 'down');
    ip(near, 'link', 'set', 'hd0', 'name', 'other');
    const up = (): void => void ip(near, 'link', 'set', 'other', 'up');
    await within('IPv6 passes', 2_000, up, () => reaches(near, FAR.inner6));
    await pings(near, FAR.inner);
    assert.is((await nearEnd.status()).interface, 'other');
    ip(near, 'addr', 'flush', 'dev', 'other');
    await waitUntil('the addresses are back', 2_000, () =>
      ip(near, 'addr', 'show', 'dev', 'other').includes('10.77.0.1/24'),
    );
    assert.is((await nearEnd.stop()).code, 0);
    assert.is(ourRules(near), 0);
  }),
);

changes('a deleted interface is made again within 2 s, with all that was on it', () =>
  withLab(async (lab) => {
    const { near, far, nearEnd } = await makeWorld(lab, true);
    for (const times of [1, 2]) {
      const remove = (): void => void ip(near, 'link', 'del', 'hd0');
      await within('it carries traffic', 2_000, remove, () => reaches(near, FAR.inner6));
      await pings(near, FAR.inner);
      await pings(far, NEAR.inner);
      assert.is(await repairsOf(nearEnd, 'link'), times);
    }
    assert.match(ip(near, 'link', 'show', 'dev', 'hd0'), / mtu 1400 /);
    assert.is(ourRules(near), 2 * 3 + UPLINKS.length);
  }),
);

changes('a name that is taken meanwhile is tried for until it is free', () =>
  withLab(async (lab) => {
    const { near, nearEnd } = await makeWorld(lab, false);
    const script = 'ip link del hd0; ip link add hd0 type veth peer name taken';
    await near.must(['sh', '-ec', script]);
    const { pid } = await nearEnd.status();
    const before = { cpu: processorMs(pid), lines: nearEnd.said.split('\n').length };
    await pause(2_000);
    assert.ok((processorMs(pid) - before.cpu) / 2_000 < IDLE_SHARE, 'it waits between its tries');
    assert.ok(nearEnd.said.split('\n').length - before.lines <= 3, 'and does not repeat itself');
    const free = (): void => void ip(near, 'link', 'del', 'hd0');
    await within('it carries traffic', 2_000, free, () => reaches(near, FAR.inner));
  }),
);

/** From far to near: near must have said where it is now, without being asked. */
async function followedWithin(limitMs: number, world: World, change: () => void): Promise<void> {
  change();
  const started = performance.now();
  const ping = ['ping', '-c', '1', '-W', '0.2', NEAR.inner];
  let asked = started;
  while ((await world.far.run(ping)).code !== 0) {
    asked = performance.now();
    if (asked - started > 4 * limitMs) break;
  }
  const took = asked - started;
  assert.ok(took <= limitMs, `far reaches near ${Math.round(took)} ms after the change`);
}

for (const isDefault of [false, true]) {
  const what = isDefault ? 'a default route in the tunnel' : 'single routes';
  changes(`with ${what}: addresses, default routes and uplinks are followed within 1 s`, () =>
    withLab(async (lab) => {
      const world = await makeWorld(lab, isDefault);
      const { near, nearEnd } = world;
      const [first, second] = UPLINKS;
      await followedWithin(1_000, world, () => {
        ip(near, 'addr', 'add', '198.51.100.77/24', 'dev', first.name);
        ip(near, 'addr', 'del', `${first.own}/24`, 'dev', first.name);
        ip(near, 'addr', 'replace', '198.51.100.77/24', 'dev', first.name);
        ip(near, 'route', 'replace', 'default', 'via', first.router);
      });
      await pause(1_000);
      await followedWithin(1_000, world, () => {
        ip(near, 'route', 'replace', 'default', 'via', second.router);
      });
      await pause(1_000);
      ip(near, 'route', 'del', 'default');
      await waitUntil('there is no way', 2_000, async () => !(await reaches(near, FAR.inner)));
      await followedWithin(1_000, world, () => {
        ip(near, 'route', 'add', 'default', 'via', first.router);
      });
      await pause(1_000);
      await followedWithin(1_000, world, () => {
        ip(near, 'link', 'set', first.name, 'down');
        ip(near, 'route', 'add', 'default', 'via', second.router);
      });
      assert.is((await nearEnd.stop()).code, 0);
      assert.is(ourRules(near), 0);
    }),
  );
}

changes('somebody who changes the host all the time keeps neither processor nor log busy', () =>
  withLab(async (lab) => {
    const { near, nearEnd } = await makeWorld(lab, true);
    const { pid } = await nearEnd.status();
    const before = { cpu: processorMs(pid), lines: nearEnd.said.split('\n').length };
    const seconds = 4;
    const loop =
      'while :; do ip addr flush dev hd0; ip addr add 192.0.2.99/32 dev up2; ' +
      'ip link set hd0 mtu 1300; ip addr del 192.0.2.99/32 dev up2; done';
    const busy = near.start(['timeout', String(seconds), 'sh', '-c', loop]);
    await new Promise((done) => busy.once('exit', done));
    const share = (processorMs(pid) - before.cpu) / (seconds * 1_000);
    const lines = nearEnd.said.split('\n').length - before.lines;
    assert.ok(share < BUSY_SHARE, `${Math.round(share * 100)} % of a processor`);
    assert.ok(lines <= seconds + 2, `${lines} lines in ${seconds} s`);
    await waitUntil('all is right again', 2_000, () => reaches(near, FAR.inner));
  }),
);

changes.run();
