import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { reaches, waitUntil } from '../support/netns.js';
import { type Failing, Fault } from './fault.js';
import {
  FAR,
  growth,
  NEAR,
  PORT,
  processorMs,
  type Rig,
  readCounts,
  startBoth,
  withRig,
} from './rig.js';
import { HEDDLE, HeddleEnd, type LabTunnel, prepareHeddle } from './tunnels.js';

export const timeLimitSeconds = 90;

const faults = suite('faults');

/** Of one processor, in the time that a fault lasts: more is a loop without a pause. */
const IDLE_SHARE = 0.4;
/** Calls that fail in a second or less: 100 a second on each of two sockets, and some to spare. */
const MOST_CALLS = 400;

/** What sendmsg fails with, and the reason that it must be counted under. */
const SEND_FAULTS: readonly (readonly [string, string])[] = [
  ['ENOBUFS', 'send_no_buffer'],
  ['EAGAIN', 'send_no_buffer'],
  ['ENETUNREACH', 'send_unreachable'],
  ['EPERM', 'send_refused'],
  ['ECONNREFUSED', 'send_refused'],
  ['EMSGSIZE', 'send_too_big'],
  ['EIO', 'send_failed'],
];

/** What the near heddle counts while a system call of it fails; it must neither spin nor talk. */
async function underFault(
  rig: Rig,
  end: HeddleEnd,
  failing: Failing,
  use: () => Promise<unknown>,
): Promise<Record<string, number>> {
  const [before, said] = [await readCounts(end), end.said.length];
  const { pid } = await end.status();
  const fault = await Fault.begin(rig.lab, pid, failing);
  const [spent, started] = [processorMs(pid), performance.now()];
  await use();
  const share = (processorMs(pid) - spent) / (performance.now() - started);
  const calls = await fault.end();
  const { error } = failing;
  assert.ok(calls > 0 && calls < MOST_CALLS, `${error}: ${calls} calls`);
  assert.ok(share < IDLE_SHARE, `${error}: ${share} of a processor`);
  assert.is(end.said.length, said, `${error}: ${end.said.slice(said)}`);
  return growth(before, await readCounts(end));
}

faults('a failing sendmsg is counted, no spin, no noise, and on it goes (row 47)', () =>
  withRig(async (rig) => {
    const { nearEnd } = await startBoth(rig);
    const ping = ['ping', '-q', '-i', '0.05', '-c', '5', '-W', '0.2', FAR.inner];
    for (const [error, reason] of SEND_FAULTS) {
      const changed = await underFault(rig, nearEnd, { call: 'sendmsg', error }, () =>
        rig.near.run(ping),
      );
      assert.ok((changed[reason] ?? 0) >= 5, `${error}: ${reason} of ${JSON.stringify(changed)}`);
      assert.ok(await reaches(rig.near, FAR.inner), `traffic goes on after ${error}`);
    }
  }),
);

faults('a failing recvmsg makes no spin and no noise, and on it goes (row 47)', () =>
  withRig(async (rig) => {
    const { nearEnd } = await startBoth(rig);
    for (const error of ['ENOBUFS', 'ECONNREFUSED', 'EIO']) {
      await underFault(rig, nearEnd, { call: 'recvmsg', error }, async () => {
        assert.not(await reaches(rig.far, NEAR.inner), `${error} is there`);
      });
      assert.ok(await reaches(rig.far, NEAR.inner), `traffic goes on after ${error}`);
    }
  }),
);

const TUN = '/dev/net/tun';

faults('a failing read of the TUN makes no spin and no noise, and on it goes (row 47)', () =>
  withRig(async (rig) => {
    const { nearEnd } = await startBoth(rig);
    for (const error of ['EIO', 'EINVAL', 'ENOMEM']) {
      await underFault(rig, nearEnd, { call: 'read', on: TUN, error }, async () => {
        assert.not(await reaches(rig.near, FAR.inner), `${error} is there`);
      });
      assert.ok(await reaches(rig.near, FAR.inner), `traffic goes on after ${error}`);
    }
  }),
);

faults('a failing write to the TUN is counted, no spin, no noise, and on it goes (row 47)', () =>
  withRig(async (rig) => {
    const { nearEnd } = await startBoth(rig);
    const ping = ['ping', '-q', '-i', '0.05', '-c', '5', '-W', '0.2', NEAR.inner];
    for (const error of ['EIO', 'EINVAL', 'EBADFD', 'EAGAIN', 'ENOMEM']) {
      const failing = { call: 'write', on: TUN, error };
      const changed = await underFault(rig, nearEnd, failing, () => rig.far.run(ping));
      assert.is(changed.tun_write, 5, `${error}: ${JSON.stringify(changed)}`);
      assert.ok(await reaches(rig.far, NEAR.inner), `traffic goes on after ${error}`);
    }
  }),
);

/** Starts a second daemon beside the near one, with folders of its own; how it ends. */
async function startSecond(rig: Rig, changes: Partial<LabTunnel>) {
  const tunnel = { ...rig.nearTunnel, addresses: [], peers: [], ...changes };
  const { file, env } = prepareHeddle(rig.lab, rig.foe, tunnel);
  return await rig.near.run([HEDDLE, 'up', '-c', file], { env });
}

for (const [what, changes] of [
  ['the UDP port', { interface: 'hd1', listenPort: PORT }],
  ['the interface', { interface: 'hd0', listenPort: PORT + 1 }],
] as const) {
  faults(`a second daemon that wants ${what} of the first exits and names it (row 53)`, () =>
    withRig(async (rig) => {
      const { nearEnd } = await startBoth(rig);
      const { pid } = await nearEnd.status();
      const { code, stderr } = await startSecond(rig, changes);
      assert.is(code, 1, stderr);
      assert.match(stderr, new RegExp(`\\bprocess ${pid}\\b`));
      assert.ok(await reaches(rig.near, FAR.inner), 'the first is as it was');
    }),
  );
}

faults(
  'a peer killed and started without state is found again by who goes on sending (WG-24)',
  () =>
    withRig(async (rig) => {
      const peers = rig.farTunnel.peers.map(({ endpoint: _, ...peer }) => peer);
      const farTunnel = { ...rig.farTunnel, peers };
      const { farEnd } = await startBoth({ ...rig, farTunnel });
      process.kill((await farEnd.status()).pid, 'SIGKILL');
      await waitUntil('it is dead', 2_000, () => farEnd.child.signalCode !== null);
      await HeddleEnd.start(rig.lab, rig.far, farTunnel);
      // Keepalive-Timeout and Rekey-Timeout without an answer, jitter, and a second for the ping.
      await waitUntil('the tunnel carries again', 17_000, () => reaches(rig.near, FAR.inner));
    }),
);

faults.run();
