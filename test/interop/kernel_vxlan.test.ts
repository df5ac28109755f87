/**
 * Clear VXLAN with the kernel's own driver (RFC 7348): alone, as Flannel sets it up, and behind a
 * bridge with another host; both ways, both families inside and outside.
 */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadBe16, toHex } from '../../src/base/bytes.js';
import { ip, Lab, type LabHost, pings, requireTools } from '../support/netns.js';
import { movesBulk } from './bulk.js';
import { Capture } from './capture.js';
import { datagramsIn, fragmentFieldsOf } from './pcap.js';
import { HeddleEnd, type LabPeer, type LabTunnel, makeKeyPair } from './tunnels.js';

const test = suite('interop/kernel_vxlan');

const UNDER = {
  4: { heddle: '192.0.2.1', kernel: '192.0.2.2' },
  6: { heddle: '2001:db8::1', kernel: '2001:db8::2' },
} as const;
const HEDDLE = { inner4: '10.9.0.1', inner6: 'fd09::1', mac: '02:00:00:00:09:01' };
const KERNEL = { inner4: '10.9.0.2', inner6: 'fd09::2', mac: '02:00:00:00:09:02' };
const BEHIND = { inner4: '10.9.0.3', inner6: 'fd09::3', mac: '02:00:00:00:09:03' };
export const timeLimitSeconds = 120;

const DONT_FRAGMENT = 0x4000;
const LEAST_BITS_PER_SECOND = 50e6;

interface Way {
  readonly outer: 4 | 6;
  readonly vni: number;
  readonly port: number;
}

interface Ends {
  readonly lab: Lab;
  readonly heddle: LabHost;
  readonly kernel: LabHost;
}

async function withEnds(use: (ends: Ends) => Promise<void>): Promise<void> {
  requireTools({ ping: 'iputils-ping', iperf3: 'iperf3', tcpdump: 'tcpdump' });
  const lab = new Lab();
  try {
    const [heddle, kernel] = [lab.host('h'), lab.host('k')];
    lab.link('under', [
      [heddle, [`${UNDER[4].heddle}/24`, `${UNDER[6].heddle}/64`]],
      [kernel, [`${UNDER[4].kernel}/24`, `${UNDER[6].kernel}/64`]],
    ]);
    await use({ lab, heddle, kernel });
  } finally {
    lab.remove();
  }
}

function place({ outer, port }: Way): string {
  const address = UNDER[outer].kernel;
  return outer === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

function vtep(way: Way, mac: string, allowedIps: readonly string[]): LabPeer {
  const { vni } = way;
  return {
    name: 'vtep',
    encapsulation: 'vxlan',
    vni,
    vtepMac: mac,
    endpoint: place(way),
    allowedIps,
  };
}

function tunnel(addresses: readonly string[], ...peers: LabPeer[]): LabTunnel {
  return {
    interface: 'hd0',
    privateKey: makeKeyPair().privateKey,
    listenPort: 51820,
    vtepMac: HEDDLE.mac,
    addresses,
    peers,
  };
}

const OWN = [`${HEDDLE.inner4}/24`, `${HEDDLE.inner6}/64`];

function addVxlan(host: LabHost, name: string, { outer, vni, port }: Way): void {
  const { heddle: remote, kernel: local } = UNDER[outer];
  const words = ['type', 'vxlan', 'id', String(vni), 'remote', remote, 'local', local];
  ip(host, 'link', 'add', name, ...words, 'dstport', String(port));
}

function addAddresses(host: LabHost, name: string, ...addresses: readonly string[]): void {
  for (const address of addresses) {
    const quick = address.includes(':') ? ['nodad'] : [];
    ip(host, 'addr', 'add', address, 'dev', name, ...quick);
  }
}

for (const outer of [4, 6] as const) {
  for (const vni of [1, 4096]) {
    for (const port of [4789, 8472]) {
      test(`vxlan: the kernel's device, VNI ${vni}, port ${port}, over IPv${outer}`, () =>
        withEnds(async ({ lab, heddle, kernel }) => {
          const way = { outer, vni, port };
          addVxlan(kernel, 'vx0', way);
          ip(kernel, 'link', 'set', 'vx0', 'address', KERNEL.mac, 'up');
          addAddresses(kernel, 'vx0', `${KERNEL.inner4}/24`, `${KERNEL.inner6}/64`);
          const theirs = [`${KERNEL.inner4}/32`, `${KERNEL.inner6}/128`];
          const end = await HeddleEnd.start(
            lab,
            heddle,
            tunnel(OWN, vtep(way, KERNEL.mac, theirs)),
          );
          // The kernel asks first: who has our address?
          await pings(kernel, HEDDLE.inner4);
          await pings(kernel, HEDDLE.inner6);
          await pings(heddle, KERNEL.inner4);
          await pings(heddle, KERNEL.inner6);
          await movesBulk(heddle, kernel, KERNEL.inner4, LEAST_BITS_PER_SECOND);
          const { counters, dropsByReason } = await end.status();
          assert.ok((counters.neighbour_answers ?? 0) >= 2, 'ARP and ND were answered');
          assert.ok((counters.plaintext_out_bytes ?? 0) > 1e6, 'plaintext out was counted');
          assert.ok((counters.plaintext_in_bytes ?? 0) > 1e6, 'plaintext in was counted');
          assert.is(counters.packet_to_javascript, 0);
          assert.is(dropsByReason.clear_header, 0);
        }));
    }
  }
}

test('vxlan: behind a bridge, a second host is reached by its own MAC', () =>
  withEnds(async ({ lab, heddle, kernel }) => {
    const way: Way = { outer: 4, vni: 1, port: 4789 };
    const behind = lab.host('b');
    lab.link('lan', [
      [kernel, []],
      [behind, []],
    ]);
    addVxlan(kernel, 'vx0', way);
    ip(kernel, 'link', 'add', 'br0', 'type', 'bridge');
    for (const port of ['vx0', 'lan']) ip(kernel, 'link', 'set', port, 'master', 'br0', 'up');
    ip(kernel, 'link', 'set', 'br0', 'up');
    ip(behind, 'link', 'set', 'lan', 'address', BEHIND.mac, 'mtu', '1450', 'up');
    addAddresses(behind, 'lan', `${BEHIND.inner4}/24`, `${BEHIND.inner6}/64`);
    const theirs = [`${BEHIND.inner4}/32`, `${BEHIND.inner6}/128`];
    await HeddleEnd.start(lab, heddle, tunnel(OWN, vtep(way, BEHIND.mac, theirs)));
    await pings(behind, HEDDLE.inner4);
    await pings(heddle, BEHIND.inner4);
    await pings(behind, HEDDLE.inner6);
    await pings(heddle, BEHIND.inner6);
    await movesBulk(heddle, behind, BEHIND.inner4, LEAST_BITS_PER_SECOND);
  }));

test('vxlan: a node as Flannel sets it up, with permanent neighbours and no ARP', () =>
  withEnds(async ({ lab, heddle, kernel }) => {
    const way: Way = { outer: 4, vni: 1, port: 8472 };
    const words = ['type', 'vxlan', 'id', '1', 'local', UNDER[4].kernel, 'dstport', '8472'];
    ip(kernel, 'link', 'add', 'flannel.1', ...words, 'nolearning');
    ip(kernel, 'link', 'set', 'flannel.1', 'address', KERNEL.mac, 'up');
    ip(kernel, 'addr', 'add', '10.244.2.0/32', 'dev', 'flannel.1');
    const peer = ['dev', 'flannel.1', 'lladdr', HEDDLE.mac, 'nud', 'permanent'];
    ip(kernel, 'neigh', 'add', '10.244.1.0', ...peer);
    await kernel.must([
      ...['bridge', 'fdb', 'add', HEDDLE.mac, 'dev', 'flannel.1'],
      ...['dst', UNDER[4].heddle, 'self', 'permanent'],
    ]);
    const via = ['via', '10.244.1.0', 'dev', 'flannel.1', 'onlink'];
    ip(kernel, 'route', 'add', '10.244.1.0/24', ...via);
    const peerHere = vtep(way, KERNEL.mac, ['10.244.2.0/24']);
    const end = await HeddleEnd.start(lab, heddle, tunnel(['10.244.1.0/32'], peerHere));
    await pings(heddle, '10.244.2.0');
    await pings(kernel, '10.244.1.0', '-I', '10.244.2.0');
    assert.is((await end.status()).counters.neighbour_answers, 0);
  }));

test('vxlan: on the wire DF is set, source ports are spread, the payload is in the clear', () =>
  withEnds(async ({ lab, heddle, kernel }) => {
    const way: Way = { outer: 4, vni: 4096, port: 4789 };
    addVxlan(kernel, 'vx0', way);
    ip(kernel, 'link', 'set', 'vx0', 'address', KERNEL.mac, 'up');
    addAddresses(kernel, 'vx0', `${KERNEL.inner4}/24`);
    await HeddleEnd.start(lab, heddle, tunnel(OWN, vtep(way, KERNEL.mac, [`${KERNEL.inner4}/32`])));
    await pings(heddle, KERNEL.inner4);
    const capture = await Capture.start(lab, kernel, 'under');
    await pings(heddle, KERNEL.inner4, '-p', 'feedbeef', '-s', '64');
    const send =
      'import socket,sys\nfor port in range(20000, 20032):\n s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n s.bind(("", port))\n s.sendto(b"x", (sys.argv[1], 9))';
    await heddle.must(['python3', '-c', send, KERNEL.inner4]);
    // Larger than the tunnel takes: the kernel above cuts it, and no outer packet is cut.
    await pings(heddle, KERNEL.inner4, '-s', '4000');
    const pcap = await capture.stop();
    const ours = datagramsIn(pcap).filter(({ source }) => source === UNDER[4].heddle);
    const ports = new Set(ours.map(({ sourcePort }) => sourcePort));
    assert.ok(ports.size >= 4, `source ports are spread: ${[...ports].join()}`);
    for (const { payload } of ours) {
      assert.is(toHex(payload.subarray(0, 8)), '0800000000100000');
      assert.is(loadBe16(payload, 20), 0x0800);
    }
    assert.match(toHex(pcap), 'feedbeef');
    const fields = fragmentFieldsOf(pcap, UNDER[4].heddle);
    assert.ok(fields.length > 0 && fields.every((field) => field === DONT_FRAGMENT), 'all have DF');
  }));

test.run();
