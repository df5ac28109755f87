/** A host that runs out of something: room for notices, tracked connections, memory. */

import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ip, type Lab, pause, pings, reaches, waitUntil } from '../support/netns.js';
import { skip } from '../support/skip.js';
import { flood } from './flood.js';
import {
  FAR,
  growth,
  NEAR,
  PORT,
  pingAlong,
  processorMs,
  type Rig,
  readCounts,
  startBoth,
  withRig,
} from './rig.js';
import { noiseInitiation } from './stranger.js';
import { HeddleEnd } from './tunnels.js';

export const timeLimitSeconds = 90;

const pressure = suite('interop/pressure');

const REPAIR_MS = 2_000;
const BURST = 20_000;

/** Adds and deletes so many routes of a table that is nobody's. */
const ROUTES = [
  'import subprocess, sys',
  'count = int(sys.argv[1])',
  'net = lambda i: f"172.{16 + (i >> 16)}.{i >> 8 & 255}.{i & 255}/32"',
  'lines = [f"route {verb} {net(i)} dev evil table 77"',
  '         for verb in ("add", "del") for i in range(count)]',
  'subprocess.run(["ip", "-batch", "-"], input="\\n".join(lines).encode(), check=True)',
].join('\n');

pressure('more notices than fit lead to a look at everything, and nothing is missed (row 50)', () =>
  withRig(async (rig) => {
    const { near } = rig;
    const { nearEnd } = await startBoth(rig);
    const { pid } = await nearEnd.status();
    // While it is stopped nobody takes the notices, so that they overrun whatever the machine.
    process.kill(pid, 'SIGSTOP');
    try {
      ip(near, 'addr', 'del', `${NEAR.inner}/24`, 'dev', 'hd0');
      await near.must(['python3', '-c', ROUTES, String(BURST)]);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await waitUntil('the address is there again', REPAIR_MS, () => {
      return ip(near, 'addr', 'show', 'dev', 'hd0').includes(NEAR.inner);
    });
    await pings(near, FAR.inner);
    const { repairs } = await nearEnd.status();
    assert.ok((repairs.resync ?? 0) >= 1, `the overrun is counted: ${JSON.stringify(repairs)}`);
    assert.ok((repairs.address ?? 0) >= 1);
    const before = processorMs(pid);
    ip(near, 'addr', 'del', `${NEAR.inner}/24`, 'dev', 'hd0');
    await waitUntil('it listens again', REPAIR_MS, () => {
      return ip(near, 'addr', 'show', 'dev', 'hd0').includes(NEAR.inner);
    });
    assert.ok(processorMs(pid) - before < 500, 'and is not busy');
  }),
);

const TIMEOUTS = '/proc/sys/net/netfilter/nf_conntrack_udp_timeout';

/**
 * The size of the kernel's table is one for all namespaces, so no test may touch it. A full one
 * drops the first packet of each connection, and so does this.
 */
const FULL = [
  'add table ip full',
  'add chain ip full o { type filter hook output priority 0; }',
  'add chain ip full i { type filter hook input priority 0; }',
  ...['o', 'i'].map((chain) => `add rule ip full ${chain} udp dport ${PORT} ct state new drop`),
].join('; ');

pressure('a full table of connections: what is tracked goes on, the rest is counted (row 55)', () =>
  withRig(async (rig) => {
    const { near } = rig;
    await near.must(['sh', '-c', `echo 1 >${TIMEOUTS}; echo 1 >${TIMEOUTS}_stream`]);
    await near.must(['nft', FULL.replaceAll('new drop', 'new accept')]);
    const { nearEnd } = await startBoth(rig);
    const { pid } = await nearEnd.status();
    await near.must(['nft', `flush table ip full; ${FULL}`]);
    assert.equal(await pingAlong(near, FAR.inner, 1), { sent: 100, lost: 0 });
    // Its entry ends with the silence.
    await pause(2_500);
    const [before, spent] = [await readCounts(nearEnd), processorMs(pid)];
    assert.is((await pingAlong(near, FAR.inner, 1)).lost, 100);
    const refused = growth(before, await readCounts(nearEnd)).send_refused ?? 0;
    assert.ok(refused >= 100, `${refused} sends were refused`);
    assert.ok(processorMs(pid) - spent < 1_000, 'it does not spin');
    await near.must(['nft', 'delete table ip full']);
    await waitUntil('traffic resumes', REPAIR_MS, () => reaches(near, FAR.inner));
  }),
);

const CGROUPS = '/sys/fs/cgroup';
/** Room for a daemon with few peers and for what the first seconds of a flood compile. */
const MEMORY_BYTES = 128 << 20;

/** Makes a group whose processes have no more memory than that; its folder, gone with the lab. */
function makeGroup(lab: Lab, bytes: number): string {
  const isOld = existsSync(join(CGROUPS, 'memory/cgroup.procs'));
  const parent = isOld ? join(CGROUPS, 'memory') : CGROUPS;
  const folder = join(parent, `heddle-${process.pid}`);
  try {
    if (!isOld) writeFileSync(join(parent, 'cgroup.subtree_control'), '+memory');
    mkdirSync(folder);
    lab.onRemove(() => removeGroup(folder));
    const file = isOld ? 'memory.limit_in_bytes' : 'memory.max';
    writeFileSync(join(folder, file), String(bytes));
    return folder;
  } catch {
    return skip('needs a memory cgroup that may be written');
  }
}

/** The kernel takes a moment to let go of a process that was killed. */
function removeGroup(folder: string): void {
  const end = Date.now() + 2_000;
  for (;;) {
    try {
      return rmdirSync(folder);
    } catch (error) {
      if (Date.now() > end) throw error;
    }
  }
}

/** Starts the near daemon in the group, which it is put into before it takes its first byte. */
async function startInGroup({ lab, near, nearTunnel }: Rig, group: string): Promise<HeddleEnd> {
  const [pid, go] = ['pid', 'go'].map((name) => join(lab.folder, name)) as [string, string];
  const wait = `echo $$ >${pid}; while ! [ -e ${go} ]; do sleep 0.02; done; exec "$@"`;
  const starting = HeddleEnd.start(lab, near, nearTunnel, undefined, ['sh', '-c', wait, 'sh']);
  const read = (): string => (existsSync(pid) ? readFileSync(pid, 'utf8').trim() : '');
  await waitUntil('the process is there', 5_000, () => read() !== '');
  writeFileSync(join(group, 'cgroup.procs'), read());
  writeFileSync(go, '');
  return starting;
}

pressure('a flood and many questions do not take more memory than there is (row 51)', () =>
  withRig(async (rig) => {
    const { lab, near, far, foe } = rig;
    const nearEnd = await startInGroup(rig, makeGroup(lab, MEMORY_BYTES));
    await HeddleEnd.start(lab, far, rig.farTunnel);
    await pings(near, FAR.inner);
    const { pid } = await nearEnd.status();
    assert.match(readFileSync(`/proc/${pid}/cgroup`, 'utf8'), `/heddle-${process.pid}`);
    const payloads = Array.from({ length: 500 }, () => noiseInitiation(rig.nearKey));
    const sources = { first: '100.64.0.0', count: 1 << 20 };
    const plan = { to: NEAR.evil, port: PORT, payloads, sources, perSecond: 40_000, seconds: 4 };
    const [sent] = await Promise.all([
      flood(lab, foe, plan),
      ...Array.from({ length: 8 }, () => nearEnd.run('status')),
    ]);
    assert.ok(sent > 10_000);
    assert.is((await nearEnd.status()).pid, pid);
    await pings(near, FAR.inner);
    await pings(far, NEAR.inner);
  }),
);

pressure.run();
