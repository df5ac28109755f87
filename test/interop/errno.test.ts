/**
 * What really makes the calls of a packet path fail, as an operator causes it: each failure is
 * counted under its reason, and when its cause is over, traffic goes on by itself.
 */

import { readdirSync, readlinkSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ip, type LabHost, reaches, waitUntil } from '../support/netns.js';
import { FAR, growth, NEAR, PORT, processorMs, type Rig, startBoth, withRig } from './rig.js';
import type { HeddleEnd, LabPeer, LabTunnel } from './tunnels.js';

export const timeLimitSeconds = 120;

const errnos = suite('interop/errno');

/** Of one processor, while a failure lasts: more is a loop without a pause. */
const IDLE_SHARE = 0.4;
const RESUME_MS = 2_000;
const PINGS = 8;
const FAR_UNDER = `${FAR.under}/32`;

interface Cause {
  readonly errno: string;
  readonly what: string;
  readonly reason: string;
  readonly begin: (near: LabHost) => unknown;
  readonly end: (near: LabHost) => unknown;
}

/** A route of this kind to the far host, which is gone again at the end. */
function route(kind: string): Pick<Cause, 'begin' | 'end'> {
  return {
    begin: (near) => ip(near, 'route', 'add', kind, FAR_UNDER),
    end: (near) => ip(near, 'route', 'del', kind, FAR_UNDER),
  };
}

const CAUSES: readonly Cause[] = [
  {
    errno: 'EPERM',
    what: 'a firewall drops what we send',
    reason: 'send_refused',
    begin: async (near) => {
      await near.must([
        'nft',
        'add table ip t; add chain ip t o { type filter hook output priority 0; }',
      ]);
      await near.must(['nft', `add rule ip t o udp sport ${PORT} drop`]);
    },
    end: (near) => near.must(['nft', 'delete table ip t']),
  },
  { errno: 'EACCES', what: 'a prohibiting route', reason: 'send_refused', ...route('prohibit') },
  {
    errno: 'EHOSTUNREACH',
    what: 'an unreachable route',
    reason: 'send_unreachable',
    ...route('unreachable'),
  },
  { errno: 'EINVAL', what: 'a black hole', reason: 'send_unreachable', ...route('blackhole') },
  {
    errno: 'ENETUNREACH',
    what: 'no route at all',
    reason: 'send_unreachable',
    begin: (near) => {
      ip(near, 'route', 'del', 'default');
      ip(near, 'route', 'del', '192.0.2.0/24');
    },
    end: (near) => ip(near, 'route', 'add', '192.0.2.0/24', 'dev', 'under'),
  },
  {
    errno: 'ENETUNREACH',
    what: 'the link is down',
    reason: 'send_unreachable',
    begin: (near) => ip(near, 'link', 'set', 'under', 'down'),
    end: (near) => ip(near, 'link', 'set', 'under', 'up'),
  },
  {
    errno: 'ENETUNREACH',
    what: 'our address is gone',
    reason: 'send_unreachable',
    begin: (near) => ip(near, 'addr', 'del', `${NEAR.under}/24`, 'dev', 'under'),
    end: (near) => ip(near, 'addr', 'add', `${NEAR.under}/24`, 'dev', 'under'),
  },
];

/** Which sockets a process has, each by its number, which no other ever has. */
function socketsOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  const targets = readdirSync(folder).map((fd) => {
    try {
      return readlinkSync(`${folder}/${fd}`);
    } catch {
      return '';
    }
  });
  return targets.filter((target) => target.startsWith('socket:')).sort();
}

interface Observed {
  /** By reason, of all and of the first peer. */
  readonly drops: Record<string, number>;
  readonly peerDrops: Record<string, number>;
}

/** What the daemon drops while `use` goes on; it must neither spin nor talk. */
async function observe(end: HeddleEnd, use: () => Promise<unknown>): Promise<Observed> {
  const before = await end.status();
  const lines = end.said.split('\n').length;
  const [spent, started] = [processorMs(before.pid), performance.now()];
  await use();
  const took = performance.now() - started;
  const share = (processorMs(before.pid) - spent) / took;
  const after = await end.status();
  assert.ok(share < IDLE_SHARE, `${share} of a processor`);
  const said = end.said.split('\n').slice(lines - 1);
  assert.ok(said.length - 1 <= 1 + Math.ceil(took / 1_000), said.join('\n'));
  return {
    drops: growth(before.dropsByReason, after.dropsByReason),
    peerDrops: growth(before.peers[0]?.dropsByReason ?? {}, after.peers[0]?.dropsByReason ?? {}),
  };
}

async function causeAndEnd(rig: Rig, end: HeddleEnd, cause: Cause): Promise<void> {
  const { near } = rig;
  const what = `${cause.errno} (${cause.what})`;
  const ping = ['ping', '-q', '-i', '0.05', '-c', String(PINGS), '-W', '0.2', FAR.inner];
  await cause.begin(near);
  const { drops, peerDrops } = await observe(end, () => near.run(ping));
  await cause.end(near);
  for (const counts of [drops, peerDrops]) {
    assert.ok((counts[cause.reason] ?? 0) >= PINGS / 2, `${what}: ${JSON.stringify(counts)}`);
  }
  await waitUntil(`traffic resumes after ${what}`, RESUME_MS, () => reaches(near, FAR.inner));
}

errnos(
  'a send that fails is counted under its reason, and resumes with its cause gone (row 47)',
  () =>
    withRig(async (rig) => {
      const { nearEnd } = await startBoth(rig);
      const { pid } = await nearEnd.status();
      const sockets = socketsOf(pid);
      assert.ok(sockets.length > 2, 'the sockets can be seen');
      for (const cause of CAUSES) await causeAndEnd(rig, nearEnd, cause);
      assert.equal(socketsOf(pid), sockets, 'no socket was closed or opened');
    }),
);

errnos(
  'an answer that a port is closed changes nothing, however long it comes (ECONNREFUSED)',
  () =>
    withRig(async (rig) => {
      const { near, far } = rig;
      const { nearEnd } = await startBoth(rig);
      const { pid } = await nearEnd.status();
      const sockets = socketsOf(pid);
      await far.must([
        'nft',
        'add table ip t; add chain ip t i { type filter hook input priority 0; }',
      ]);
      await far.must(['nft', `add rule ip t i udp dport ${PORT} counter reject`]);
      const ping = ['ping', '-q', '-i', '0.05', '-c', '20', '-W', '0.2', FAR.inner];
      const { drops } = await observe(nearEnd, () => near.run(ping));
      assert.match(await far.must(['nft', 'list', 'table', 'ip', 't']), /counter packets [1-9]/);
      assert.equal(drops, {}, 'what was sent was sent');
      await far.must(['nft', 'delete table ip t']);
      assert.ok(await reaches(near, FAR.inner), 'traffic resumes');
      assert.equal(socketsOf(pid), sockets);
    }),
);

/** The rig with a far peer in clear VXLAN, whose frames are never fragmented. */
function inTheClear({ nearTunnel, farTunnel }: Rig): { near: LabTunnel; far: LabTunnel } {
  const peer = (other: typeof FAR, vtepMac: string): LabPeer => ({
    name: 'other',
    encapsulation: 'vxlan',
    vni: 7,
    vtepMac,
    endpoint: `${other.under}:4789`,
    allowedIps: [`${other.inner}/32`],
  });
  const [near, far] = ['02:00:5e:00:53:01', '02:00:5e:00:53:02'] as const;
  return {
    near: { ...nearTunnel, mtu: 1450, vtepMac: near, peers: [peer(FAR, far)] },
    far: { ...farTunnel, mtu: 1450, vtepMac: far, peers: [peer(NEAR, near)] },
  };
}

errnos('what DF keeps whole is too big for a smaller link, and small packets pass (EMSGSIZE)', () =>
  withRig(async (rig) => {
    const { near } = rig;
    const clear = inTheClear(rig);
    const { nearEnd } = await startBoth({ ...rig, nearTunnel: clear.near, farTunnel: clear.far });
    const { pid } = await nearEnd.status();
    const sockets = socketsOf(pid);
    const big = ['ping', '-q', '-i', '0.05', '-c', String(PINGS), '-W', '0.2', '-s', '1400'];
    assert.is((await near.run([...big, FAR.inner])).code, 0);
    ip(near, 'link', 'set', 'under', 'mtu', '1400');
    const { drops, peerDrops } = await observe(nearEnd, async () => {
      assert.is((await near.run([...big, FAR.inner])).code, 1);
      assert.ok(await reaches(near, FAR.inner), 'a small one passes');
    });
    assert.equal([drops.send_too_big, peerDrops.send_too_big], [PINGS, PINGS]);
    ip(near, 'link', 'set', 'under', 'mtu', '1500');
    assert.is((await near.run([...big, FAR.inner])).code, 0);
    assert.equal(socketsOf(pid), sockets);
  }),
);

errnos(
  'a TUN that is down refuses packets, each is counted, and they pass when it is up (EIO)',
  () =>
    withRig(async (rig) => {
      const { near, far } = rig;
      const { nearEnd } = await startBoth(rig);
      ip(near, 'link', 'set', 'hd0', 'down');
      const ping = ['ping', '-q', '-i', '0.05', '-c', String(PINGS), '-W', '0.2', NEAR.inner];
      const { drops } = await observe(nearEnd, () => far.run(ping));
      assert.is(drops.tun_write, PINGS, JSON.stringify(drops));
      ip(near, 'link', 'set', 'hd0', 'up');
      await waitUntil('traffic resumes', RESUME_MS, () => reaches(far, NEAR.inner));
      await waitUntil('both ways', RESUME_MS, () => reaches(near, FAR.inner));
    }),
);

errnos.run();
