/**
 * Offloads switched on and off, and failing: the same traffic flows, in super-packets where it may
 * and packet by packet where it must.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AUTO_OFFLOADS, NO_OFFLOADS, type OffloadSwitches } from '../../src/node/offloads.js';
import { requireTools, waitUntil } from '../support/netns.js';
import { movesBulk } from './bulk.js';
import { Fault } from './fault.js';
import { FAR, growth, type Rig, readCounts, startBoth, withRig } from './rig.js';
import { HEDDLE, type HeddleEnd, type LabTunnel, prepareHeddle } from './tunnels.js';

export const timeLimitSeconds = 120;

const test = suite('interop/offloads');

const LEAST_BITS = 1_000_000;
const TUN = '/dev/net/tun';
/** What only offloads make grow. */
const CARRIED_TOGETHER = [
  'udp_gso_segments',
  'udp_gro_segments',
  'tun_super_in',
  'tun_super_out',
] as const;

const withSwitches = (tunnel: LabTunnel, offloads: OffloadSwitches): LabTunnel => ({
  ...tunnel,
  offloads,
});

function bothWith(rig: Rig, offloads: OffloadSwitches): Rig {
  const nearTunnel = withSwitches(rig.nearTunnel, offloads);
  return { ...rig, nearTunnel, farTunnel: withSwitches(rig.farTunnel, offloads) };
}

async function bulkCounts(rig: Rig, end: HeddleEnd): Promise<Record<string, number>> {
  const before = await readCounts(end);
  await movesBulk(rig.near, rig.far, FAR.inner, LEAST_BITS);
  return growth(before, await readCounts(end));
}

test('all off: traffic flows, none of it together; reloaded to auto, and back, as it says', () =>
  withRig(async (given) => {
    requireTools({ iperf3: 'iperf3' });
    const rig = bothWith(given, NO_OFFLOADS);
    const { nearEnd, farEnd } = await startBoth(rig);
    const none = await bulkCounts(rig, nearEnd);
    for (const name of CARRIED_TOGETHER) assert.is(none[name] ?? 0, 0, name);

    for (const [end, tunnel] of [
      [nearEnd, rig.nearTunnel],
      [farEnd, rig.farTunnel],
    ] as const) {
      writeFileSync(end.file, JSON.stringify(withSwitches(tunnel, AUTO_OFFLOADS)));
      const { code, stdout } = await end.run('reload');
      assert.is(code, 0, stdout);
      assert.match(stdout, 'offloads.udpGso: off -> auto');
    }
    const together = await bulkCounts(rig, nearEnd);
    for (const name of CARRIED_TOGETHER) assert.ok((together[name] ?? 0) > 0, name);
    assert.is(together.udp_gso_fallback, undefined);
    const { stdout } = await nearEnd.run('status', '--verbose');
    assert.match(stdout, /^tunTcp +on \(auto\) self-test passed$/m);
    assert.match(stdout, /^super-packets +45 segments, /m);
    assert.match(stdout, /^transmit queue +1000 packets$/m);

    writeFileSync(nearEnd.file, JSON.stringify(rig.nearTunnel));
    assert.is((await nearEnd.run('reload')).code, 0);
    const again = await bulkCounts(rig, nearEnd);
    for (const name of CARRIED_TOGETHER) assert.is(again[name] ?? 0, 0, name);
  }));

test('GSO that fails rests for the one destination, is told, and costs no packet but its own', () =>
  withRig(async (rig) => {
    const { nearEnd } = await startBoth(rig);
    const { pid } = await nearEnd.status();
    const before = await readCounts(nearEnd);
    const fault = await Fault.begin(rig.lab, pid, { call: 'sendmsg', error: 'EIO', when: '40+40' });
    await movesBulk(rig.near, rig.far, FAR.inner, LEAST_BITS);
    const failed = await fault.end();
    const changed = growth(before, await readCounts(nearEnd));
    assert.is(changed.udp_gso_fallback, 1, JSON.stringify(changed));
    // Each but the batch's was of one datagram, on whichever thread.
    assert.ok((changed.send_failed ?? 0) < failed, JSON.stringify({ changed, failed }));
    const { stdout } = await nearEnd.run('status', '--verbose');
    assert.match(stdout, /^udpGso +on \(auto\) self-test passed; failed at 1 place \d+ s ago, /m);
    const rested = await bulkCounts(rig, nearEnd);
    assert.is(rested.udp_gso_segments, undefined, 'not tried again within the minute');
  }));

test('a super-packet that the TUN refuses is written one by one, and later none is made', () =>
  withRig(async (rig) => {
    const { nearEnd } = await startBoth(rig);
    const { pid } = await nearEnd.status();
    const before = await readCounts(nearEnd);
    const failing = { call: 'write', on: TUN, error: 'EINVAL', when: '20+20' };
    const fault = await Fault.begin(rig.lab, pid, failing);
    await movesBulk(rig.near, rig.far, FAR.inner, LEAST_BITS);
    await fault.end();
    const changed = growth(before, await readCounts(nearEnd));
    assert.ok((changed.tun_gso_fallback ?? 0) > 0, JSON.stringify(changed));
    await movesBulk(rig.near, rig.far, FAR.inner, LEAST_BITS);
  }));

test('an offload that is switched on and fails its self-test refuses the start, and says why', () =>
  withRig(async (rig) => {
    const tunnel = withSwitches(rig.nearTunnel, { ...AUTO_OFFLOADS, tunTcp: 'on' });
    const { file, env } = prepareHeddle(rig.lab, rig.near, tunnel);
    // The first call names the device, the second reads the length of its header.
    const strace = ['strace', '-f', '-o', join(rig.lab.folder, 'start'), '-e', 'trace=ioctl'];
    const inject = ['-P', TUN, '-e', 'inject=ioctl:error=EINVAL:when=3'];
    const { code, stderr } = await rig.near.run([...strace, ...inject, HEDDLE, 'up', '-c', file], {
      env,
    });
    assert.match(readFileSync(join(rig.lab.folder, 'start'), 'utf8'), /TUNSETOFFLOAD.*INJECTED/);
    assert.is.not(code, 0);
    assert.match(
      stderr,
      'Use the offload tunTcp: self-test failed: TUNSETOFFLOAD refuses TSO: EINVAL; ' +
        'set `offloads: {tunTcp: auto}` to run without it here',
    );
  }));

/** Sends one super-packet of `COUNT` datagrams with UDP_SEGMENT (linux/udp.h). */
const SEND_TOGETHER = `
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_UDP, 103, 500)
s.sendto(bytes(500 * 12), (sys.argv[1], int(sys.argv[2])))
`;

test('datagrams of tunnels inside the tunnel are read together and written one by one', () =>
  withRig(async (rig) => {
    const { nearEnd, farEnd } = await startBoth(rig);
    for (const [port, together] of [
      [4789, 0],
      [8472, 0],
      [6081, 0],
      [4790, 1],
    ] as const) {
      const [near, far] = [await readCounts(nearEnd), await readCounts(farEnd)];
      await rig.near.must(['python3', '-c', SEND_TOGETHER, FAR.inner, String(port)]);
      const gone = async (): Promise<Record<string, number>> =>
        growth(near, await readCounts(nearEnd));
      const come = async (): Promise<Record<string, number>> =>
        growth(far, await readCounts(farEnd));
      await waitUntil(`12 datagrams to ${port} arrive`, 5_000, async () => {
        return ((await come()).inner_out ?? 0) >= 12;
      });
      assert.is((await gone()).tun_super_in, 1, `${port}`);
      assert.is((await come()).tun_super_out ?? 0, together, `${port}`);
    }
  }));

test.run();
