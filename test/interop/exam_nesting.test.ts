/**
 * WireGuard's own exam, group 7: a tunnel inside another works, and neither one whose datagrams are
 * routed into itself nor two that are routed into each other feed on themselves (WG-9).
 */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ip, type Lab, type LabHost, pings, reaches } from '../support/netns.js';
import { at, FAR, NEAR, neighbours, PORT, tunnels, withLab } from './pair.js';
import { growth, processorMs, readCounts } from './rig.js';
import { HeddleEnd, type LabTunnel } from './tunnels.js';

export const timeLimitSeconds = 60;

const exam = suite('exam: nesting');

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
  [4, 'native'],
  [6, 'native'],
  [4, 'reference'],
] as const) {
  exam(`datagrams over IPv${family} routed into their own tunnel end there, ${datapath}`, () =>
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

exam('handshakes routed into their own tunnel from the start do not multiply', () =>
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

exam('a tunnel inside a tunnel carries packets as large as its MTU of 1340, and bulk TCP', () =>
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

/** What two tunnels sent and dropped, and how busy their daemons were. */
async function readBoth(ends: readonly HeddleEnd[]) {
  const all = await Promise.all(ends.map((end) => end.status()));
  return {
    sent: all.map(({ peers }) => peers[0]?.txBytes ?? 0),
    loops: all.map(({ dropsByReason }) => dropsByReason.loop ?? 0),
    busyMs: all.map(({ pid }) => processorMs(pid)).reduce((a, b) => a + b),
  };
}

/** Ten pings into a ring of two tunnels. */
async function tenIntoRing(from: LabHost, ends: readonly HeddleEnd[], bytes: number, most: number) {
  const before = await readBoth(ends);
  const options = ['-q', '-c', '10', '-i', '0.05', '-W', '0.3', '-s', String(bytes)];
  const { stdout } = await from.run(['ping', ...options, FAR.inner]);
  assert.match(stdout, /10 packets transmitted, 0 received/);
  const after = await readBoth(ends);
  const told = JSON.stringify({ before, after });
  for (const [i, sent] of after.sent.entries()) {
    assert.ok(sent - (before.sent[i] ?? 0) < most, `${bytes} bytes: ${told}`);
  }
  assert.ok(after.busyMs - before.busyMs < MOST_PROCESSOR_MS, told);
  assert.not.equal(after.loops, before.loops);
}

/** Two tunnels with their far ends on one host; that lets each session come about. */
async function startRing(
  lab: Lab,
  hosts: { readonly near: readonly [LabHost, LabHost]; readonly far: LabHost },
  endpoints: readonly [string, string],
  datapath: 'native' | 'reference',
) {
  const outer = tunnels({ near: { endpoint: at(endpoints[0]), allowedIps: EVERYTHING } });
  const other = tunnels({
    near: { endpoint: at(endpoints[1], PORT + 1), allowedIps: EVERYTHING },
    far: { allowedIps: ['10.78.0.1/32'] },
  });
  const second = { interface: 'hd1', listenPort: PORT + 1 };
  await HeddleEnd.start(lab, hosts.far, outer.far);
  await HeddleEnd.start(lab, hosts.far, { ...other.far, ...second, addresses: ['10.78.0.2/24'] });
  const shared = { table: 'off', datapath };
  const [first, last] = hosts.near;
  return [
    await HeddleEnd.start(lab, first, { ...outer.near, ...shared }),
    await HeddleEnd.start(lab, last, {
      ...{ ...other.near, ...shared, ...second, addresses: ['10.78.0.1/24'] },
    }),
  ];
}

/** Each packet goes round until its hops are used up; a full one also goes in parts. */
const RING_SIZES = [
  [56, MOST_BYTES],
  [1372, 4 * MOST_BYTES],
] as const;

for (const [family, datapath] of [
  [4, 'native'],
  [6, 'native'],
  [6, 'reference'],
] as const) {
  exam(`two tunnels routed into each other over IPv${family} end, ${datapath}`, () =>
    withLab(async (lab) => {
      const [first, whole] = [UNDER[family][1], family === 4 ? 32 : 128];
      const second = `${first}2`;
      const { near, far } = link(lab);
      ip(far, 'addr', 'add', `${second}/${whole}`, 'dev', 'lo');
      ip(near, 'route', 'add', `${second}/${whole}`, 'via', first);
      const ends = await startRing(lab, { near: [near, near], far }, [first, second], datapath);
      await pings(near, FAR.inner);
      await pings(near, '10.78.0.2');
      ip(near, 'route', 'add', `${first}/${whole}`, 'dev', 'hd1');
      ip(near, 'route', 'replace', `${second}/${whole}`, 'dev', 'hd0');
      for (const [bytes, most] of RING_SIZES) await tenIntoRing(near, ends, bytes, most);
      ip(near, 'route', 'del', `${first}/${whole}`, 'dev', 'hd1');
      await pings(near, FAR.inner);
    }),
  );
}

/** The peer as one in the clear, which has no key, at an address and the port of both ends. */
function inTheClear(tunnel: LabTunnel, address: string, port: number): LabTunnel {
  const plaintextUntil = new Date(Date.now() + 3_600_000).toISOString();
  const clear = { encapsulation: 'udp', endpoint: at(address, port), plaintextUntil } as const;
  const peers = tunnel.peers.map(({ allowedIps }) => ({ name: 'other', ...clear, allowedIps }));
  return { ...tunnel, table: 'off', peers };
}

exam('two tunnels of bare packets in UDP routed into each other end', () =>
  withLab(async (lab) => {
    const { near, far } = link(lab);
    const [first, second] = [UNDER[4][1], `${UNDER[4][1]}2`];
    ip(far, 'addr', 'add', `${second}/32`, 'dev', 'lo');
    ip(near, 'route', 'add', `${second}/32`, 'via', first);
    const other = { interface: 'hd1', listenPort: PORT + 1 };
    const [one, two] = [tunnels({ near: { allowedIps: EVERYTHING } }), tunnels({})];
    const far2 = { ...two.far, ...other, addresses: ['10.78.0.2/24'] };
    const near2 = { ...two.near, ...other, addresses: ['10.78.0.1/24'] };
    const everything = { ...near2, peers: one.near.peers };
    await HeddleEnd.start(lab, far, inTheClear(one.far, UNDER[4][0], 8285));
    await HeddleEnd.start(lab, far, inTheClear(far2, UNDER[4][0], 8286));
    const ends = [
      await HeddleEnd.start(lab, near, inTheClear(one.near, first, 8285)),
      await HeddleEnd.start(lab, near, inTheClear(everything, second, 8286)),
    ];
    await pings(near, FAR.inner);
    ip(near, 'route', 'add', `${first}/32`, 'dev', 'hd1');
    ip(near, 'route', 'replace', `${second}/32`, 'dev', 'hd0');
    for (const [bytes, most] of RING_SIZES) await tenIntoRing(near, ends, bytes, most);
  }),
);

exam('two tunnels routed into each other across namespaces end', () =>
  withLab(async (lab) => {
    const [zero, one, far] = [lab.host('0'), lab.host('1'), lab.host('f')];
    lab.link('under', [
      [zero, ['192.0.2.1/24']],
      [far, ['192.0.2.2/24']],
    ]);
    lab.link('other', [
      [one, ['198.51.100.1/24']],
      [far, ['198.51.100.2/24']],
    ]);
    const endpoints = ['192.0.2.2', '198.51.100.2'] as const;
    const ends = await startRing(lab, { near: [zero, one], far }, endpoints, 'native');
    await pings(zero, FAR.inner);
    await pings(one, '10.78.0.2');
    // Each interface goes to where the other's datagrams come from.
    for (const [from, to, name, address, endpoint] of [
      [zero, one, 'hd0', `${NEAR.inner}/24`, endpoints[1]],
      [one, zero, 'hd1', '10.78.0.1/24', endpoints[0]],
    ] as const) {
      ip(from, 'link', 'set', name, 'netns', to.name);
      ip(to, 'addr', 'add', address, 'dev', name);
      ip(to, 'link', 'set', name, 'up');
      ip(to, 'route', 'add', `${endpoint}/32`, 'dev', name);
    }
    for (const [bytes, most] of RING_SIZES) await tenIntoRing(one, ends, bytes, most);
  }),
);

exam.run();
