/** A daemon with little: no space for its files, few descriptors, no processor for a while. */

import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EXIT } from '../../src/cli/exit.js';
import { ip, pause, pings, waitUntil } from '../support/netns.js';
import { FAR, NEAR, processorMs, startBoth, withRig } from './rig.js';

export const timeLimitSeconds = 120;

const limits = suite('interop/limits');

const FEW_DESCRIPTORS = 64;
const CONNECTIONS = 60;
const STOPPED_MS = Number(process.env.HEDDLE_STOPPED_SECONDS ?? '20') * 1_000;

limits('disk full: traffic goes on, a reload is refused as a whole and works later (row 45)', () =>
  withRig(async (rig) => {
    const { lab, near } = rig;
    const folder = join(lab.folder, near.name);
    fs.mkdirSync(folder, { mode: 0o700 });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=700', 'tmpfs', folder]);
    lab.onRemove(() => execFileSync('umount', [folder]));
    const { nearEnd } = await startBoth(rig);
    const filler = join(folder, 'filler');
    fillUp(filler);
    await pings(near, FAR.inner);
    const [far, foe] = rig.nearTunnel.peers;
    if (!far || !foe) throw new Error('the rig has two peers');
    const everything = { ...foe, allowedIps: [...foe.allowedIps, '0.0.0.0/0'] };
    const changed = { ...rig.nearTunnel, peers: [far, everything] };
    // The file itself lies elsewhere: only what the daemon writes finds no space.
    const rules = ip(near, 'rule');
    const file = nearEnd.file;
    fs.rmSync(filler);
    fs.writeFileSync(file, JSON.stringify(changed), { mode: 0o600 });
    fillUp(filler);
    const refused = await nearEnd.run('reload');
    assert.is(refused.code, EXIT.failed, refused.stdout);
    assert.match(refused.stderr, 'the disk is full');
    assert.is(ip(near, 'rule'), rules);
    await pings(near, FAR.inner);
    assert.match((await nearEnd.run('status')).stdout, 'the last reload was refused');
    fs.rmSync(filler);
    assert.is((await nearEnd.run('reload')).code, EXIT.ok);
    assert.match(ip(near, 'rule'), 'fwmark');
    assert.is((await nearEnd.stop()).code, EXIT.ok);
    assert.is(ip(near, 'rule'), rules);
  }),
);

/** To the last byte. */
function fillUp(file: string): void {
  const descriptor = fs.openSync(file, 'w');
  try {
    for (let size = 4096; size > 0; ) {
      try {
        fs.writeSync(descriptor, new Uint8Array(size));
      } catch {
        size = Math.floor(size / 2);
      }
    }
  } finally {
    fs.closeSync(descriptor);
  }
}

limits('64 descriptors: clients wait, traffic does not, and all is well after (row 51)', () =>
  withRig(async (rig) => {
    const { lab, near, far } = rig;
    const { nearEnd } = await startBoth(rig);
    const { pid } = await nearEnd.status();
    execFileSync('prlimit', ['--pid', String(pid), `--nofile=${FEW_DESCRIPTORS}`]);
    const socket = join(lab.folder, near.name, 'hd0', 'run', 'api.sock');
    const clients: Socket[] = [];
    for (let i = 0; i < CONNECTIONS; i++) {
      const client = connect(socket);
      client.on('error', () => {});
      clients.push(client);
    }
    await pings(near, FAR.inner);
    await pings(far, NEAR.inner);
    for (const client of clients) client.destroy();
    await waitUntil('the command is served again', 10_000, async () => {
      return (await nearEnd.run('status')).code === EXIT.ok;
    });
    assert.is((await nearEnd.stop()).code, EXIT.ok);
  }),
);

limits('a twentieth of a processor: slow, and right (row 51)', () =>
  withRig(async (rig) => {
    const { nearEnd } = await startBoth(rig);
    const { pid } = await nearEnd.status();
    const pinging = rig.near.run(['ping', '-q', '-i', '0.1', '-c', '20', '-W', '2', FAR.inner]);
    for (let turn = 0; turn < 30; turn++) {
      process.kill(pid, 'SIGSTOP');
      await pause(95);
      process.kill(pid, 'SIGCONT');
      await pause(5);
    }
    const { stdout } = await pinging;
    assert.match(stdout, / 0% packet loss/);
    await pings(rig.near, FAR.inner);
  }),
);

limits('stopped for a while: it goes on where it was, without a burst (row 52)', () =>
  withRig(async (rig) => {
    const { nearEnd } = await startBoth(rig);
    const { pid } = await nearEnd.status();
    const lines = nearEnd.said.split('\n').length;
    process.kill(pid, 'SIGSTOP');
    await pause(STOPPED_MS);
    process.kill(pid, 'SIGCONT');
    await waitUntil('it carries again', 5_000, async () => {
      return (await rig.near.run(['ping', '-c', '1', '-W', '1', FAR.inner])).code === 0;
    });
    await pings(rig.far, NEAR.inner);
    const spent = processorMs(pid);
    await pause(1_000);
    assert.ok(processorMs(pid) - spent < 200, 'it idles again');
    assert.ok(nearEnd.said.split('\n').length - lines < 10, nearEnd.said);
  }),
);

limits('keys: no core file, and their pages stay out of swap (row 43)', () =>
  withRig(async (rig) => {
    const { nearEnd } = await startBoth(rig);
    const { pid } = await nearEnd.status();
    assert.match(fs.readFileSync(`/proc/${pid}/limits`, 'utf8'), /Max core file size +0 +0 /);
    const locked = /^VmLck:\s+(\d+) kB/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    assert.ok(Number(locked) > 0, `${locked} kB are locked`);
    for (const name of ['cmdline', 'environ']) {
      const text = fs.readFileSync(`/proc/${pid}/${name}`, 'latin1');
      assert.not.match(text, rig.nearTunnel.privateKey.slice(0, 20));
    }
  }),
);

limits.run();
