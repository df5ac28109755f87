/** What may come from the networks around a host: fragments, frames of strangers, loops, floods. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat, fromHex } from '../../src/base/bytes.js';
import { present } from '../../src/base/assert.js';
import { ip, type LabHost, pause, pings, waitUntil } from '../support/netns.js';
import {
  FAR,
  FOE,
  growth,
  NEAR,
  PORT,
  processorMs,
  readCounts,
  residentBytes,
  startBoth,
  withRig,
} from './rig.js';
import { Stranger } from './stranger.js';
import type { LabTunnel } from './tunnels.js';

export const timeLimitSeconds = 90;

const attacks = suite('attacks from the underlay');

const CLEAR_PORT = 4789;
const OUR_MAC = '02:00:00:00:09:01';
const PEER_MAC = '02:00:00:00:09:02';

/** Sends IPv4 fragments of UDP datagrams to the port: tiny, overlapping, never complete. */
const FRAGMENTS = `
import os, socket, struct, sys
to, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
own = socket.inet_aton(sys.argv[4])
def fragment(ident, offset, more, payload):
    flags = (0x2000 if more else 0) | offset // 8
    head = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(payload), ident, flags, 64, 17, 0, own,
                       socket.inet_aton(to))
    raw.sendto(head + payload, (to, 0))
udp = struct.pack('!HHHH', port, port, 8 + 1400, 0)
for i in range(count):
    ident = i & 0xffff
    kind = i % 4
    fragment(ident, 0, True, udp)
    if kind == 1: fragment(ident, 8, True, os.urandom(8))
    if kind == 2:
        fragment(ident, 8, True, os.urandom(64))
        fragment(ident, 32, True, os.urandom(64))
    if kind == 3: fragment(ident, 65000, False, os.urandom(400))
`;

attacks('tiny, overlapping and unfinished fragments: the kernel keeps them, not we (row 12)', () =>
  withRig(async (rig) => {
    const { nearEnd } = await startBoth(rig);
    const { pid } = await nearEnd.status();
    const send = ['python3', '-c', FRAGMENTS, NEAR.evil, String(PORT)];
    await rig.foe.must([...send, '2000', FOE.evil]);
    const [bytes, before] = [residentBytes(pid), await readCounts(nearEnd)];
    await rig.foe.must([...send, '20000', FOE.evil]);
    assert.ok(residentBytes(pid) - bytes < 4 << 20, `${residentBytes(pid) - bytes} B more`);
    assert.is(growth(before, await readCounts(nearEnd)).opened, undefined);
    await pings(rig.near, FAR.inner);
    await pings(rig.far, NEAR.inner);
  }),
);

/** An Ethernet frame around an ICMP echo request from `source` to the near inner address. */
function frame(vni: string, to: string, from: string, source: string): Uint8Array {
  const ipv4 = `4500001c000100004001${'0000'}${hexOf(source)}${hexOf(NEAR.inner)}`;
  const header = fromHex(`08000000${vni}00`);
  const ethernet = fromHex(`${to.replaceAll(':', '')}${from.replaceAll(':', '')}0800`);
  const packet = fromHex(`${ipv4}0800f7ff00000000`);
  return concat(...[header, ethernet, packet].map((part) => present(part, 'it is hexadecimal')));
}

function hexOf(address: string): string {
  return address
    .split('.')
    .map((part) => Number(part).toString(16).padStart(2, '0'))
    .join('');
}

attacks('VXLAN from who is no VTEP of ours is dropped, on every port (row 14, 15)', () =>
  withRig(async (rig) => {
    const clear = {
      name: 'vtep',
      encapsulation: 'vxlan',
      endpoint: `${FAR.under}:${CLEAR_PORT}`,
      vtepMac: PEER_MAC,
      allowedIps: ['10.88.0.0/24'],
    } as const;
    const peers = [...rig.nearTunnel.peers, clear];
    const nearTunnel = { ...rig.nearTunnel, vtepMac: OUR_MAC, peers };
    const { nearEnd } = await startBoth({ ...rig, nearTunnel });
    const wellMade = frame('000001', OUR_MAC, PEER_MAC, '10.88.0.1');
    const cases: readonly (readonly [LabHost, string, number, Uint8Array, string])[] = [
      [rig.foe, NEAR.evil, CLEAR_PORT, wellMade, 'clear_source'],
      [rig.foe, NEAR.evil, PORT, wellMade, 'datagram_length'],
      [
        rig.far,
        NEAR.under,
        CLEAR_PORT,
        frame('000002', OUR_MAC, PEER_MAC, '10.88.0.1'),
        'clear_source',
      ],
      [
        rig.far,
        NEAR.under,
        CLEAR_PORT,
        frame('000001', PEER_MAC, PEER_MAC, '10.88.0.1'),
        'clear_mac',
      ],
      [
        rig.far,
        NEAR.under,
        CLEAR_PORT,
        frame('000001', OUR_MAC, PEER_MAC, FAR.inner),
        'opened_source',
      ],
      [rig.far, NEAR.under, CLEAR_PORT, wellMade.subarray(0, 30), 'clear_header'],
    ];
    for (const [host, address, port, bytes, reason] of cases) {
      const before = await readCounts(nearEnd);
      const stranger = await Stranger.start(host, { address, port });
      stranger.send(bytes);
      let changed: Record<string, number> = {};
      await waitUntil(`${reason} grows`, 3_000, async () => {
        changed = growth(before, await readCounts(nearEnd));
        return (changed[reason] ?? 0) > 0;
      });
      assert.is(changed.inner_out, undefined, `${reason}: nothing is delivered`);
      assert.equal(stranger.heard, [], `${reason}: nothing is answered`);
    }
    const stranger = await Stranger.start(rig.far, { address: NEAR.under, port: CLEAR_PORT });
    const before = await readCounts(nearEnd);
    stranger.send(wellMade);
    await waitUntil('what the VTEP sends is delivered', 3_000, async () => {
      return growth(before, await readCounts(nearEnd)).inner_out === 1;
    });
  }),
);

attacks('a packet that two hosts send each other through the tunnel ends by its TTL (row 20)', () =>
  withRig(async (rig) => {
    const [lost, outside] = ['10.95.0.0/24', '198.18.0.0/24'];
    const withLost = (tunnel: LabTunnel): LabTunnel => {
      const [first, ...others] = tunnel.peers;
      if (!first) throw new Error('there is a peer');
      const allowedIps = [...first.allowedIps, lost, outside];
      return { ...tunnel, table: 'off', peers: [{ ...first, allowedIps }, ...others] };
    };
    const tunnels = {
      nearTunnel: withLost(rig.nearTunnel),
      farTunnel: withLost(rig.farTunnel),
    };
    const { nearEnd } = await startBoth({ ...rig, ...tunnels });
    const forward =
      'cd /proc/sys/net/ipv4; echo 1 >ip_forward; echo 0 >conf/all/rp_filter; ' +
      'echo 0 >conf/hd0/rp_filter';
    for (const host of [rig.near, rig.far]) {
      await host.must(['sh', '-c', forward]);
      ip(host, 'route', 'add', lost, 'dev', 'hd0');
    }
    ip(rig.far, 'route', 'add', outside, 'dev', 'hd0');
    ip(rig.foe, 'route', 'add', lost, 'via', NEAR.evil);
    const before = await readCounts(nearEnd);
    await rig.foe.run(['ping', '-c', '3', '-i', '0.2', '-W', '1', '10.95.0.9']);
    const sealed = async (): Promise<number> =>
      growth(before, await readCounts(nearEnd)).sealed ?? 0;
    const looped = await sealed();
    // 64 hops, half of them from here; and what the tunnel carries of answers and keepalives.
    assert.ok(looped > 60 && looped < 3 * 64, `${looped} messages for 3 packets`);
    await pause(500);
    assert.ok((await sealed()) - looped < 3, 'it has ended');
    await pings(rig.near, FAR.inner);
  }),
);

attacks('a burst of other routes: no change of ours is missed after it (row 50)', () =>
  withRig(async (rig) => {
    const { nearEnd } = await startBoth(rig);
    const { pid } = await nearEnd.status();
    const burst = [
      'import subprocess, sys',
      'def net(i): return f"172.{16 + i // 4000}.{i // 16 % 250}.{i % 16 * 16}/28"',
      'lines = [f"route {verb} {net(i)} dev evil table 77"',
      '         for verb in ("add", "del") for i in range(20000)]',
      'text = "\\n".join(lines).encode()',
      'subprocess.run(["ip", "-force", "-batch", "-"], input=text, stderr=subprocess.DEVNULL)',
    ].join('\n');
    const flooding = rig.near.must(['python3', '-c', burst]);
    ip(rig.near, 'addr', 'del', `${NEAR.inner}/24`, 'dev', 'hd0');
    await flooding;
    await waitUntil('the address is there again', 3_000, () =>
      ip(rig.near, 'addr', 'show', 'dev', 'hd0').includes(NEAR.inner),
    );
    await pings(rig.near, FAR.inner);
    const spent = processorMs(pid);
    ip(rig.near, 'addr', 'del', `${NEAR.inner}/24`, 'dev', 'hd0');
    await waitUntil('and again', 3_000, () =>
      ip(rig.near, 'addr', 'show', 'dev', 'hd0').includes(NEAR.inner),
    );
    assert.ok(processorMs(pid) - spent < 1_000, 'it is not busy any more');
    assert.ok(((await nearEnd.status()).repairs.address ?? 0) >= 2, 'both were counted');
  }),
);

attacks(
  'a firewall that refuses everything, then is flushed: counted, and on it goes (row 55)',
  () =>
    withRig(async (rig) => {
      const { nearEnd } = await startBoth(rig);
      const refuse = [
        'add table inet full',
        'add chain inet full out { type filter hook output priority 0; }',
        `add rule inet full out udp dport ${PORT} drop`,
      ].join('; ');
      await rig.near.must(['nft', refuse]);
      const before = await readCounts(nearEnd);
      await rig.near.run(['ping', '-q', '-c', '5', '-i', '0.1', '-W', '0.2', FAR.inner]);
      assert.ok((growth(before, await readCounts(nearEnd)).send_refused ?? 0) >= 5);
      const { pid } = await nearEnd.status();
      const spent = processorMs(pid);
      await rig.near.must(['nft', 'flush', 'ruleset']);
      ip(rig.near, 'rule', 'flush');
      for (const table of ['local', 'main', 'default']) {
        ip(rig.near, 'rule', 'add', 'pref', table === 'local' ? '0' : '32766', 'table', table);
      }
      await pings(rig.near, FAR.inner);
      assert.ok(processorMs(pid) - spent < 1_000, 'and without a spin');
    }),
);

attacks.run();
