/**
 * Tunnels whose outer datagrams are routed into the tunnel itself must not feed on themselves; a
 * tunnel inside another is no such case (WG-9). IPv4 with the native hand stands in
 * own_tunnel.test.ts.
 */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ip, type Lab, type LabHost, pings, reaches } from '../support/netns.js';
import { at, FAR, NEAR, neighbours, PORT, tunnels, withLab } from './pair.js';
import { growth, processorMs, readCounts } from './rig.js';
import { HeddleEnd, type LabTunnel } from './tunnels.js';

export const timeLimitSeconds = 60;

const loop = suite('routing loop');

const UNDER = { 4: ['192.0.2.1', '192.0.2.2'], 6: ['2001:db8:9::1', '2001:db8:9::2'] } as const;
const MOST_BYTES = 70_000;
/** Ten pings and two questions cost some 20 ms; a daemon that spins takes all of this second. */
const MOST_PROCESSOR_MS = 300;
const EVERYTHING = ['0.0.0.0/0', '::/0'];

function link(lab: Lab): { near: LabHost; far: LabHost } {
  const on = (end: 0 | 1): string[] => [`${UNDER[4][end]}/24`, `${UNDER[6][end]}/64`];
  return neighbours(lab, on(0), on(1));
}

/** Ten pings of so many bytes that all get lost; what the daemon dropped meanwhile. */
async function tenLost(near: LabHost, end: HeddleEnd, bytes: number) {
  const before = await end.status();
  const busy = processorMs(before.pid);
  const options = ['-q', '-c', '10', '-i', '0.05', '-W', '0.3', '-s', String(bytes)];
  const { stdout } = await near.run(['ping', ...options, FAR.inner]);
  assert.match(stdout, /10 packets transmitted, 0 received/);
  const after = await end.status();
  const busyMs = processorMs(after.pid) - busy;
  const sentBytes = (after.peers[0]?.txBytes ?? 0) - (before.peers[0]?.txBytes ?? 0);
  const changed = growth(before.dropsByReason, after.dropsByReason);
  const told = `${sentBytes} B sent, ${busyMs} ms busy: ${JSON.stringify(changed)}`;
  assert.ok(sentBytes < MOST_BYTES, told);
  assert.ok(busyMs < MOST_PROCESSOR_MS, told);
  return { changed, told };
}

for (const [family, datapath] of [
  [6, 'native'],
  [4, 'reference'],
] as const) {
  loop(`datagrams over IPv${family} routed into their own tunnel end there, ${datapath}`, () =>
    withLab(async (lab) => {
      const { near, far } = link(lab);
      const endpoint = UNDER[family][1];
      const made = tunnels({ near: { endpoint: at(endpoint), allowedIps: EVERYTHING } });
      await HeddleEnd.start(lab, far, made.far);
      const end = await HeddleEnd.start(lab, near, { ...made.near, table: 'off', datapath });
      await pings(near, FAR.inner);
      ip(near, 'route', 'add', `${endpoint}/${family === 4 ? 32 : 128}`, 'dev', 'hd0');
      // 1372 bytes fill the tunnel, so their datagrams come back in fragments.
      for (const bytes of [56, 1372]) {
        const { changed, told } = await tenLost(near, end, bytes);
        assert.ok((changed.loop ?? 0) >= 10, told);
      }
      ip(near, 'route', 'del', `${endpoint}/${family === 4 ? 32 : 128}`, 'dev', 'hd0');
      await pings(near, FAR.inner);
    }),
  );
}

loop('handshakes routed into their own tunnel from the start do not multiply', () =>
  withLab(async (lab) => {
    const { near, far } = link(lab);
    const endpoint = UNDER[4][1];
    const allowedIps = [`${FAR.inner}/32`, `${endpoint}/32`];
    const made = tunnels({ near: { endpoint: at(endpoint), allowedIps } });
    await HeddleEnd.start(lab, far, made.far);
    const end = await HeddleEnd.start(lab, near, made.near);
    assert.match(ip(near, 'route', 'get', endpoint), / dev hd0 /);
    await tenLost(near, end, 56);
  }),
);

/** A second tunnel between the same hosts, whose outer datagrams go through the first. */
function inside(outer: { near: LabTunnel; far: LabTunnel }): { near: LabTunnel; far: LabTunnel } {
  const endpoint = at(FAR.inner, PORT + 1);
  const made = tunnels({
    near: { endpoint, allowedIps: ['10.78.0.2/32'] },
    far: { allowedIps: ['10.78.0.1/32'] },
  });
  const shared = { interface: 'hd1', listenPort: PORT + 1, mtu: (outer.near.mtu ?? 1420) - 80 };
  return {
    near: { ...made.near, ...shared, addresses: ['10.78.0.1/24'] },
    far: { ...made.far, ...shared, addresses: ['10.78.0.2/24'] },
  };
}

loop('a tunnel inside a tunnel carries packets as large as its MTU of 1340, and bulk TCP', () =>
  withLab(async (lab) => {
    const { near, far } = link(lab);
    const made = tunnels({ near: { endpoint: at(UNDER[4][1]) } });
    const outer = { near: { ...made.near, mtu: 1420 }, far: { ...made.far, mtu: 1420 } };
    const inner = inside(outer);
    await Promise.all([outer, inner].map(({ far: tunnel }) => HeddleEnd.start(lab, far, tunnel)));
    const outerEnd = await HeddleEnd.start(lab, near, outer.near);
    const innerEnd = await HeddleEnd.start(lab, near, inner.near);
    await pings(near, '10.78.0.2');
    await pings(near, '10.78.0.2', '-M', 'do', '-s', '1312');
    await pings(far, '10.78.0.1', '-M', 'do', '-s', '1312');
    assert.not(await reaches(near, '10.78.0.2', '-M', 'do', '-s', '1313'));
    await pings(near, FAR.inner);
    await pings(far, NEAR.inner);
    const server = far.start(['iperf3', '-s', '--forceflush', '-B', '10.78.0.2']);
    await new Promise((isListening) => server.stdout?.once('data', isListening));
    const report = await near.must(['iperf3', '-J', '-t', '1', '-c', '10.78.0.2']);
    const { end } = JSON.parse(report) as { end: { sum_received: { bytes: number } } };
    assert.ok(end.sum_received.bytes > 1 << 20, `only ${end.sum_received.bytes} B`);
    for (const each of [outerEnd, innerEnd]) {
      const { loop: looped, inner_too_big } = await readCounts(each);
      assert.equal([looped, inner_too_big], [0, 0]);
    }
  }),
);

loop.run();
