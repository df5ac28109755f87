/**
 * The folder of a running daemon can no longer be written: full, read-only, or its disk fails.
 * Traffic and the host's settings must not depend on it.
 */

import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ip, type Lab, type LabHost, pings, reaches, waitUntil } from '../support/netns.js';
import { Fault } from './fault.js';
import { FAR, type Rig, startBoth, withRig } from './rig.js';
import type { HeddleEnd } from './tunnels.js';

export const timeLimitSeconds = 90;

const storage = suite('interop/storage');

const REPAIR_MS = 2_000;
/** The host is looked at every five seconds without a notice. */
const LATER_MS = 8_000;
const SECOND_ADDRESS = '192.0.2.77';

interface Broken {
  /** Makes the folder take what is written again. */
  readonly mend: () => Promise<unknown>;
}

interface Way {
  readonly what: string;
  readonly said: string;
  readonly breakIt: (lab: Lab, folder: string, pid: number) => Promise<Broken>;
}

const WAYS: readonly Way[] = [
  {
    what: 'a full disk',
    said: 'the disk is full',
    breakIt: async (_, folder) => {
      const filler = join(folder, 'filler');
      fillUp(filler);
      return { mend: async () => rmSync(filler) };
    },
  },
  {
    what: 'a read-only file system',
    said: 'the file system is read-only',
    breakIt: async (_, folder) => {
      execFileSync('mount', ['-o', 'remount,ro', folder]);
      return { mend: async () => execFileSync('mount', ['-o', 'remount,rw', folder]) };
    },
  },
  {
    what: 'a disk that fails',
    said: 'the disk reports an error',
    breakIt: async (lab, _, pid) => {
      const fault = await Fault.begin(lab, pid, { call: 'fsync', error: 'EIO' });
      return { mend: () => fault.end() };
    },
  },
];

/** To the last byte. */
function fillUp(file: string): void {
  const descriptor = openSync(file, 'w');
  for (let size = 4096; size > 0; ) {
    try {
      writeSync(descriptor, new Uint8Array(size));
    } catch {
      size = Math.floor(size / 2);
    }
  }
  closeSync(descriptor);
}

/** All that near's daemon writes is on a small disk of its own, and it has rules to write down. */
async function startOnSmallDisk(rig: Rig): Promise<{ nearEnd: HeddleEnd; folder: string }> {
  const folder = join(rig.lab.folder, rig.near.name);
  mkdirSync(folder, { mode: 0o700 });
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=700', 'tmpfs', folder]);
  rig.lab.onRemove(() => execFileSync('umount', [folder]));
  const [far, foe] = rig.nearTunnel.peers;
  if (!far || !foe) throw new Error('the rig has two peers');
  const peers = [far, { ...foe, allowedIps: [...foe.allowedIps, '0.0.0.0/0'] }];
  const { nearEnd } = await startBoth({ ...rig, nearTunnel: { ...rig.nearTunnel, peers } });
  return { nearEnd, folder };
}

function ruleCount(host: LabHost, text: string): number {
  return ip(host, 'rule').split(text).length - 1;
}

for (const { what, said, breakIt } of WAYS) {
  storage(`with ${what} the host is put right and followed all the same (row 45)`, () =>
    withRig(async (rig) => {
      const { lab, near } = rig;
      const { nearEnd, folder } = await startOnSmallDisk(rig);
      const { pid } = await nearEnd.status();
      const ours = ruleCount(near, 'proto 104');
      assert.ok(ours > 0, 'there are rules of ours');
      const lines = nearEnd.said.split('\n').length;
      const { mend } = await breakIt(lab, folder, pid);
      ip(near, 'addr', 'add', `${SECOND_ADDRESS}/24`, 'dev', 'under');
      await waitUntil('what it cannot do is said', REPAIR_MS, () => nearEnd.said.includes(said));
      await pings(near, FAR.inner);
      ip(near, 'rule', 'del', 'fwmark', '0', 'pref', priorityOf(near));
      await waitUntil('the rule is there again', REPAIR_MS, () => {
        return ruleCount(near, 'proto 104') === ours;
      });
      ip(near, 'link', 'del', 'hd0');
      await waitUntil('the interface is made again', REPAIR_MS, () => reaches(near, FAR.inner));
      assert.is(ruleCount(near, SECOND_ADDRESS), 0, 'what cannot be written down is not made');
      const since = nearEnd.said.split('\n').slice(lines - 1);
      assert.is(since.filter((line) => line.includes(said)).length, 1, since.join('\n'));

      await mend();
      await waitUntil('what was missing is made', LATER_MS, () => {
        return ruleCount(near, SECOND_ADDRESS) === 1;
      });
      assert.is((await nearEnd.stop()).code, 0);
      assert.is(ruleCount(near, 'proto 104'), 0);
    }),
  );

  storage(`with ${what} a daemon that ends takes back all that it made (row 45)`, () =>
    withRig(async (rig) => {
      const { lab, near } = rig;
      const { nearEnd, folder } = await startOnSmallDisk(rig);
      const { pid } = await nearEnd.status();
      const { mend } = await breakIt(lab, folder, pid);
      const ended = new Promise((done) => nearEnd.child.once('exit', done));
      process.kill(pid, 'SIGTERM');
      await ended;
      assert.is(ruleCount(near, 'proto 104'), 0);
      assert.not.match(ip(near, 'link'), 'hd0');
      await mend();
      assert.is((await nearEnd.run('cleanup')).code, 0);
    }),
  );
}

/** Of the rule that leads into the tunnel. */
function priorityOf(host: LabHost): string {
  const line = ip(host, 'rule')
    .split('\n')
    .find((each) => each.includes('not from all fwmark'));
  return line?.split(':')[0] ?? '';
}

storage.run();
