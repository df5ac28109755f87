import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ip,
  Lab,
  type LabHost,
  pause,
  pings,
  reaches,
  requireTools,
  waitUntil,
} from '../support/netns.js';
import { Capture } from './capture.js';
import { HeddleEnd, type LabTunnel, makeKeyPair, prepareHeddle, type Status } from './tunnels.js';

export const timeLimitSeconds = 60;

const heddle = suite('two heddles');

const NEAR = { under: '192.0.2.1', inner: '10.77.0.1', inner6: 'fd77::1' };
const FAR = { under: '192.0.2.2', inner: '10.77.0.2', inner6: 'fd77::2' };
const PORT = 51820;

interface Rig {
  readonly lab: Lab;
  readonly near: LabHost;
  readonly far: LabHost;
  readonly nearTunnel: LabTunnel;
  readonly farTunnel: LabTunnel;
}

/**
 * Two hosts on one link, and a configuration for each; only the near one knows where the other is.
 */
function makeRig(): Rig {
  requireTools({ ping: 'iputils-ping', iperf3: 'iperf3', tcpdump: 'tcpdump', nft: 'nftables' });
  const lab = new Lab();
  const [near, far] = [lab.host('n'), lab.host('f')];
  lab.link('under', [
    [near, [`${NEAR.under}/24`]],
    [far, [`${FAR.under}/24`]],
  ]);
  const [ours, theirs] = [makeKeyPair(), makeKeyPair()];
  const shared = { interface: 'hd0', listenPort: PORT, mtu: 1420 };
  return {
    lab,
    near,
    far,
    nearTunnel: {
      ...shared,
      privateKey: ours.privateKey,
      addresses: [`${NEAR.inner}/24`, `${NEAR.inner6}/64`],
      peers: [
        {
          name: 'far',
          publicKey: theirs.publicKey,
          endpoint: `${FAR.under}:${PORT}`,
          allowedIps: [`${FAR.inner}/32`, `${FAR.inner6}/128`],
        },
      ],
    },
    farTunnel: {
      ...shared,
      privateKey: theirs.privateKey,
      addresses: [`${FAR.inner}/24`, `${FAR.inner6}/64`],
      peers: [
        {
          name: 'near',
          publicKey: ours.publicKey,
          allowedIps: [`${NEAR.inner}/32`, `${NEAR.inner6}/128`],
        },
      ],
    },
  };
}

async function withRig(use: (rig: Rig) => Promise<void>): Promise<void> {
  const rig = makeRig();
  try {
    await use(rig);
  } finally {
    rig.lab.remove();
  }
}

async function startBoth({ lab, near, far, nearTunnel, farTunnel }: Rig) {
  // An initiation to a host that does not listen yet is repeated only after 5 s (WireGuard §6.4).
  const farEnd = await HeddleEnd.start(lab, far, farTunnel);
  const nearEnd = await HeddleEnd.start(lab, near, nearTunnel);
  return { nearEnd, farEnd };
}

/** What `down` must leave as it was. */
function hostState(host: LabHost): string {
  const parts = [
    ip(host, '-d', 'addr'),
    ip(host, 'route', 'show', 'table', 'all'),
    ip(host, '-6', 'route', 'show', 'table', 'all'),
    ip(host, 'rule'),
    ip(host, '-6', 'rule'),
  ];
  // The kernel may learn and forget neighbours and lifetimes meanwhile; nothing here prints them.
  return parts.join('---\n');
}

heddle(
  'IPv4 and IPv6 cross, small and as large as the MTU, and no data packet enters JavaScript',
  () =>
    withRig(async (rig) => {
      const { nearEnd } = await startBoth(rig);
      await pings(rig.near, FAR.inner);
      await pings(rig.near, FAR.inner6);
      await pings(rig.far, NEAR.inner, '-M', 'do', '-s', '1392');
      const status = await nearEnd.status();
      assert.is(status.counters.packet_to_javascript, 0);
      assert.ok((status.counters.inner_out ?? 0) >= 3);
    }),
);

for (const [nearHand, farHand] of [
  ['native', 'native'],
  ['native', 'reference'],
  ['reference', 'native'],
] as const) {
  heddle(`bulk TCP both ways between the ${nearHand} and the ${farHand} hand`, () =>
    withRig(async (rig) => {
      const nearTunnel = { ...rig.nearTunnel, datapath: nearHand };
      const farTunnel = { ...rig.farTunnel, datapath: farHand };
      await startBoth({ ...rig, nearTunnel, farTunnel });
      rig.far.start(['iperf3', '-s', '-B', FAR.inner]);
      await pings(rig.near, FAR.inner);
      for (const direction of [[], ['-R']]) {
        const command = ['iperf3', '-J', '-t', '2', '-c', FAR.inner, ...direction];
        const report = JSON.parse(await rig.near.must(command)) as {
          end: { sum_received: { bytes: number } };
        };
        assert.ok(
          report.end.sum_received.bytes > 1 << 20,
          `only ${report.end.sum_received.bytes} B`,
        );
      }
    }),
  );
}

heddle('nothing readable crosses the link', () =>
  withRig(async (rig) => {
    const pattern = '3b9f6c1ad25e48f7a0c4';
    const capture = await Capture.start(rig.lab, rig.near, 'under');
    await startBoth(rig);
    for (let i = 0; i < 3; i++) await pings(rig.near, FAR.inner, '-p', pattern, '-s', '900');
    const bytes = await capture.stop();
    assert.ok(bytes.length > 6 * 900, 'the capture holds the traffic');
    assert.is(bytes.indexOf(Buffer.from(pattern, 'hex')), -1);
  }),
);

heddle('roaming: the endpoint follows the first packet from a new address', () =>
  withRig(async (rig) => {
    const { farEnd } = await startBoth(rig);
    await pings(rig.near, FAR.inner);
    assert.is((await farEnd.peer()).endpoint, `${NEAR.under}:${PORT}`);
    ip(rig.near, 'addr', 'del', `${NEAR.under}/24`, 'dev', 'under');
    ip(rig.near, 'addr', 'add', '192.0.2.77/24', 'dev', 'under');
    await pings(rig.near, FAR.inner);
    assert.is((await farEnd.peer()).endpoint, `192.0.2.77:${PORT}`);
    await pings(rig.far, NEAR.inner);
  }),
);

heddle('an inner source that is not the peer’s is dropped and counted', () =>
  withRig(async (rig) => {
    const { farEnd } = await startBoth(rig);
    await pings(rig.near, FAR.inner);
    ip(rig.near, 'addr', 'add', '10.77.0.9/32', 'dev', 'hd0');
    assert.not(await reaches(rig.near, FAR.inner, '-I', '10.77.0.9'));
    const { dropsByReason } = await farEnd.status();
    assert.is(dropsByReason.opened_source, 1);
  }),
);

heddle('persistent keepalive: packets go out with no traffic', () =>
  withRig(async (rig) => {
    const peers = rig.nearTunnel.peers.map((peer) => ({ ...peer, persistentKeepalive: 1 }));
    const { nearEnd, farEnd } = await startBoth({
      ...rig,
      nearTunnel: { ...rig.nearTunnel, peers },
    });
    await waitUntil('a session stands without traffic', 3_000, async () => {
      return (await farEnd.peer()).latestHandshake !== null;
    });
    const before = (await nearEnd.status()).counters.keepalive_out ?? 0;
    await pause(2_300);
    const after = (await nearEnd.status()).counters.keepalive_out ?? 0;
    assert.ok(after - before >= 2 && after - before <= 3, `${after - before} keepalives in 2.3 s`);
  }),
);

/**
 * Public keys whose shared secret is zero whatever the private key (Wycheproof,
 * cr.yp.to/ecdh.html). The seventh, all zeros, is refused by the configuration already.
 */
const LOW_ORDER = [
  'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
  '4Ot6fDtBuK4WVuP68Z/EatoJjeucMrH9hmIFFl9JuAA=',
  'X5yVvKNQjCSx0LFVnIPvWwREXMRYHI6G2CJO3dCfEVc=',
  '7P///////////////////////////////////////38=',
  '7f///////////////////////////////////////38=',
  '7v///////////////////////////////////////38=',
];

heddle('low-order public keys: nothing is ever sent to them', () =>
  withRig(async (rig) => {
    const peers = LOW_ORDER.map((publicKey, i) => ({
      name: `low${i}`,
      publicKey,
      endpoint: `${FAR.under}:${2000 + i}`,
      allowedIps: [`10.78.0.${i}/32`],
      persistentKeepalive: 1,
    }));
    const capture = await Capture.start(rig.lab, rig.far, 'under');
    await HeddleEnd.start(rig.lab, rig.near, { ...rig.nearTunnel, peers });
    await Promise.all(LOW_ORDER.map((_, i) => reaches(rig.near, `10.78.0.${i}`)));
    await pause(1_000);
    const bytes = await capture.stop();
    for (let i = 0; i < LOW_ORDER.length; i++) {
      const port = Buffer.from([(2000 + i) >> 8, (2000 + i) & 255]);
      const ports = Buffer.concat([Buffer.from([PORT >> 8, PORT & 255]), port]);
      assert.is(bytes.indexOf(ports), -1, `a datagram to key ${i}`);
    }
  }),
);

heddle(
  'a default route goes through the tunnel, its own datagrams do not, and down takes all back',
  () =>
    withRig(async (rig) => {
      ip(rig.far, 'addr', 'add', '198.51.100.1/32', 'dev', 'lo');
      ip(rig.near, 'route', 'add', 'default', 'via', FAR.under);
      const before = hostState(rig.near);
      const peers = rig.nearTunnel.peers.map((peer) => ({
        ...peer,
        allowedIps: ['0.0.0.0/0', '::/0'],
      }));
      const { nearEnd } = await startBoth({ ...rig, nearTunnel: { ...rig.nearTunnel, peers } });
      await pings(rig.near, '198.51.100.1');
      const { txBytes } = await nearEnd.peer();
      assert.ok(txBytes < 2_000, `${txBytes} B for one ping: the tunnel carries itself`);
      assert.match(ip(rig.near, 'route', 'get', '198.51.100.1'), /dev hd0/);
      assert.match(ip(rig.near, 'rule'), /suppress_prefixlength 0/);
      assert.is((await nearEnd.stop()).code, 0);
      assert.is(hostState(rig.near), before);
    }),
);

for (const how of ['down', 'SIGTERM', 'SIGINT'] as const) {
  heddle(`${how} leaves the host as it was`, () =>
    withRig(async (rig) => {
      const before = hostState(rig.near);
      const { nearEnd } = await startBoth(rig);
      await pings(rig.near, FAR.inner);
      assert.is.not(hostState(rig.near), before);
      const ended = new Promise<number | null>((done) => nearEnd.child.once('exit', done));
      if (how === 'down') await nearEnd.run('down');
      else process.kill((await nearEnd.status()).pid, how);
      assert.is(await ended, 0);
      assert.is(hostState(rig.near), before);
    }),
  );
}

heddle('a peer killed and started again is reached as soon as it speaks', () =>
  withRig(async (rig) => {
    const peers = rig.farTunnel.peers.map((peer) => ({
      ...peer,
      endpoint: `${NEAR.under}:${PORT}`,
    }));
    const farTunnel = { ...rig.farTunnel, peers };
    const { farEnd } = await startBoth({ ...rig, farTunnel });
    await pings(rig.near, FAR.inner);
    process.kill((await farEnd.status()).pid, 'SIGKILL');
    await waitUntil('it is dead', 2_000, () => farEnd.child.signalCode !== null);
    await HeddleEnd.start(rig.lab, rig.far, farTunnel);
    await pings(rig.far, NEAR.inner);
    await pings(rig.near, FAR.inner);
  }),
);

heddle('a second daemon with the same folders is refused and names the first', () =>
  withRig(async (rig) => {
    const { nearEnd } = await startBoth(rig);
    const { file, env } = prepareHeddle(rig.lab, rig.near, rig.nearTunnel);
    const { pid } = await nearEnd.status();
    const command = ['src/cli/heddle', 'up', '-c', file];
    const { code, stderr } = await rig.near.run(command, { env });
    assert.is(code, 1);
    assert.match(stderr, new RegExp(`\\b${pid}\\b`));
    await pings(rig.near, FAR.inner);
  }),
);

heddle('no key stands in any command line or in what the daemon says', () =>
  withRig(async (rig) => {
    const { nearEnd } = await startBoth(rig);
    await pings(rig.near, FAR.inner);
    const secret = rig.nearTunnel.privateKey;
    for (const pid of new Set([nearEnd.child.pid, (await nearEnd.status()).pid])) {
      for (const file of ['cmdline', 'environ']) {
        assert.not(readFileSync(`/proc/${pid}/${file}`, 'utf8').includes(secret), `${pid} ${file}`);
      }
    }
    const shown = [
      nearEnd.said,
      (await nearEnd.run('show')).stdout,
      (await nearEnd.run('status', '--json')).stdout,
    ];
    for (const text of shown) assert.not(text.includes(secret));
  }),
);

async function dropsGrow(
  end: HeddleEnd,
  reason: string,
  use: () => Promise<unknown>,
): Promise<void> {
  const read = async (): Promise<number> => (await end.status()).dropsByReason[reason] ?? 0;
  const before = await read();
  await use();
  assert.ok((await read()) > before, `${reason} is counted`);
}

heddle(
  'a firewall that refuses our datagrams (EPERM) and a link that is gone are counted, not fatal',
  () =>
    withRig(async (rig) => {
      const { nearEnd } = await startBoth(rig);
      await pings(rig.near, FAR.inner);
      const before = nearEnd.said.length;
      await rig.near.must([
        'nft',
        'add table inet t; add chain inet t o { type filter hook output priority 0; }',
      ]);
      await rig.near.must(['nft', 'add rule inet t o udp dport 51820 drop']);
      await dropsGrow(nearEnd, 'send_refused', () => reaches(rig.near, FAR.inner));
      await rig.near.must(['nft', 'delete table inet t']);
      await pings(rig.near, FAR.inner);
      ip(rig.near, 'link', 'set', 'under', 'down');
      await dropsGrow(nearEnd, 'send_unreachable', () => reaches(rig.near, FAR.inner));
      ip(rig.near, 'link', 'set', 'under', 'up');
      await pings(rig.near, FAR.inner);
      assert.ok(nearEnd.said.length - before < 500, `it said ${nearEnd.said.slice(before)}`);
    }),
);

/**
 * A forged "fragmentation needed" (RFC 792) with an MTU of 68 about our own datagrams, sent by the
 * far host.
 */
const FORGE = `
import socket, struct
def sum16(b):
    s = sum(struct.unpack('!%dH' % (len(b) // 2), b)); s = (s >> 16) + (s & 0xffff)
    return ~(s + (s >> 16)) & 0xffff
ends = socket.inet_aton('${NEAR.under}') + socket.inet_aton('${FAR.under}')
about = struct.pack('!BBHHHBBH', 0x45, 0, 1452, 1, 0, 64, 17, 0) + ends
about += struct.pack('!HHHH', ${PORT}, ${PORT}, 1432, 0)
for mtu in (0, 68, 576):
    head = struct.pack('!BBHHH', 3, 4, 0, 0, mtu)
    message = struct.pack('!BBHHH', 3, 4, sum16(head + about), 0, mtu) + about
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    for _ in range(20): s.sendto(message, ('${NEAR.under}', 0))
`;

heddle('forged "fragmentation needed" messages do not shrink what crosses', () =>
  withRig(async (rig) => {
    const { nearEnd } = await startBoth(rig);
    await pings(rig.near, FAR.inner);
    await rig.far.must(['python3', '-c', FORGE]);
    const mtu = (status: Status): number => status.mtu;
    const capture = await Capture.start(rig.lab, rig.far, 'under');
    await pings(rig.near, FAR.inner, '-M', 'do', '-s', '1392');
    assert.is(mtu(await nearEnd.status()), 1420);
    const bytes = await capture.stop();
    // One whole datagram: an IPv4 header of total length 1480 (1420 inner, 32 WireGuard, 8 UDP, 20
    // IPv4), no fragments.
    assert.is.not(bytes.indexOf(Buffer.from([0x45, 0x00, 0x05, 0xc8])), -1);
  }),
);

heddle.run();
