/**
 * WireGuard's own exam, groups 10 and 11: default routes through the tunnel by rules and marks, and
 * what senders hear whose packets are nobody's. A client is behind a router that translates; the
 * server is on the router's other side.
 *
 *   client 192.168.1.100 -- .1 router 10.0.0.1 -- 10.0.0.100 server
 */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ip, type Lab, type LabHost, pings } from '../support/netns.js';
import { floods, INNER, newInterface, startEnd, withExamLab } from './exam.js';
import { type LabPeer, type LabTunnel, makeKeyPair } from './tunnels.js';

export const timeLimitSeconds = 60;

const exam = suite('exam: routing');

/** What only the server knows the way to. */
const BEYOND = { 4: '198.51.100.7', 6: '2001:db8:77::7' } as const;
const EVERYTHING = ['0.0.0.0/0', '::/0'];
const MARK = 51820;

interface Ends {
  readonly lab: Lab;
  readonly client: LabHost;
  readonly router: LabHost;
  readonly server: LabHost;
}

async function connect(lab: Lab): Promise<Ends> {
  const [client, router, server] = [lab.host('c'), lab.host('r'), lab.host('s')];
  lab.link('lan', [
    [client, ['192.168.1.100/24']],
    [router, ['192.168.1.1/24']],
  ]);
  lab.link('wan', [
    [router, ['10.0.0.1/24']],
    [server, ['10.0.0.100/24']],
  ]);
  ip(client, 'route', 'add', 'default', 'via', '192.168.1.1');
  await allow(router, 'net/ipv4/ip_forward');
  const chain = 'add chain ip n p { type nat hook postrouting priority 100; }';
  await router.must(['nft', `add table ip n; ${chain}; add rule ip n p oifname wan masquerade`]);
  return { lab, client, router, server };
}

async function allow(host: LabHost, name: string): Promise<void> {
  await host.must(['sh', '-c', `echo 1 >/proc/sys/${name}`]);
}

/** The server's daemon knows the client; the client's is as `changes` says. */
async function startBoth({ lab, client, server }: Ends, changes: Partial<LabTunnel>) {
  const [ours, theirs] = [makeKeyPair(), makeKeyPair()];
  const describe = (own: typeof ours, address: string, peer: LabPeer): LabTunnel => ({
    ...{ interface: newInterface(), listenPort: 51820, mtu: 1420, privateKey: own.privateKey },
    addresses: [`${address}/24`],
    peers: [peer],
  });
  const toClient = { publicKey: ours.publicKey, allowedIps: inner('left') };
  const away = describe(theirs, INNER.right[4], toClient);
  const addresses = [...away.addresses, `${INNER.right[6]}/64`];
  for (const family of [4, 6] as const) {
    ip(server, 'addr', 'add', BEYOND[family], 'dev', 'lo');
  }
  const right = await startEnd({
    ...{ lab, middle: server, host: server, keys: theirs },
    tunnel: { ...away, addresses },
  });
  const toServer = {
    ...{ publicKey: theirs.publicKey, endpoint: '10.0.0.100:51820' },
    allowedIps: EVERYTHING,
  };
  const tunnel = { ...describe(ours, INNER.left[4], toServer), ...changes };
  const left = await startEnd({
    ...{ lab, middle: client, host: client, keys: ours },
    tunnel: { ...tunnel, addresses: [...tunnel.addresses, `${INNER.left[6]}/64`] },
  });
  return { left, right };
}

function inner(end: 'left' | 'right'): string[] {
  return [`${INNER[end][4]}/32`, `${INNER[end][6]}/128`];
}

for (const [who, table] of [
  ['heddle', 'auto'],
  ['the test, as wg-quick does,', 'off'],
] as const) {
  exam(`group 10: a default route by mark that ${who} makes carries floods of 100`, () =>
    withExamLab(async (lab) => {
      const ends = await connect(lab);
      const { left } = await startBoth(ends, { table, ...(table === 'off' && { fwMark: MARK }) });
      if (table === 'off') {
        const number = String(MARK);
        for (const family of ['-4', '-6'] as const) {
          const rule = (...words: string[]): string => ip(ends.client, family, 'rule', ...words);
          ip(
            ends.client,
            family,
            'route',
            'add',
            'default',
            'dev',
            left.interface,
            'table',
            number,
          );
          rule('add', 'not', 'from', 'all', 'fwmark', number, 'table', number);
          rule('add', 'table', 'main', 'suppress_prefixlength', '0');
        }
      }
      for (const family of [4, 6] as const) {
        const to = BEYOND[family];
        assert.match(ip(ends.client, 'route', 'get', to), new RegExp(`dev ${left.interface}`));
        await floods(ends.client, to, 100);
      }
      const { tx } = await left.transfer();
      assert.ok(tx < 200 * 160 + 1_000, `${tx} B for 200 pings: the tunnel carries itself`);
      // The underlay's own network is not the tunnel's.
      await pings(ends.client, '192.168.1.1');
    }),
  );
}

/** Who says within a second that `to` cannot be reached. */
async function refusedBy(from: LabHost, to: string, ...options: string[]): Promise<string> {
  const { stdout } = await from.run(['ping', '-c', '1', '-W', '1', ...options, to]);
  const how = to.includes(':') ? 'Destination unreachable: Address' : 'Destination Host';
  return new RegExp(`From (\\S+) icmp_seq=1 ${how} [Uu]nreachable`).exec(stdout)?.[1] ?? stdout;
}

exam('group 11: who sends to nobody hears at once, from the address that is not there', () =>
  withExamLab(async (lab) => {
    const ends = await connect(lab);
    const { left, right } = await startBoth(ends, { table: 'off' });
    await right.set('peer', left.keys.publicKey, 'remove');
    for (const family of [4, 6] as const) {
      const way = [INNER.left[family], 'dev', right.interface];
      ip(ends.server, `-${family}`, 'route', 'replace', ...way);
      assert.is(await refusedBy(ends.server, INNER.left[family]), INNER.left[family]);
    }
    const connecting = `import socket
try: socket.create_connection(('${INNER.left[4]}', 80), 5)
except OSError as error: print(error.strerror)`;
    const said = await ends.server.must(['python3', '-c', connecting], { limitMs: 3_000 });
    assert.is(said, 'No route to host\n');
    const { counters } = await right.daemon.status();
    assert.is(counters.refusals, 3);
  }),
);

exam('group 11: through a translation, too, and past a strict check of the way back', () =>
  withExamLab(async (lab) => {
    const ends = await connect(lab);
    const { left, right } = await startBoth(ends, { table: 'off' });
    await right.set('peer', left.keys.publicKey, 'remove');
    await allow(ends.server, 'net/ipv4/ip_forward');
    for (const host of [ends.server, ends.router]) await allow(host, 'net/ipv4/conf/all/rp_filter');
    const chain = 'add chain ip n p { type nat hook postrouting priority 100; }';
    const rule = `ip saddr 10.0.0.0/24 oifname ${right.interface} snat to ${INNER.right[4]}`;
    await ends.server.must(['nft', `add table ip n; ${chain}; add rule ip n p ${rule}`]);
    ip(ends.router, 'route', 'add', INNER.left[4], 'via', '10.0.0.100');
    // The kernel's WireGuard would say it from 10.0.0.100. What a TUN device brings in with an
    // address of the host's own as its source, the kernel drops.
    assert.is(await refusedBy(ends.router, INNER.left[4]), INNER.left[4]);
  }),
);

exam('group 11: a flood to nobody is told of in bounds', () =>
  withExamLab(async (lab) => {
    const ends = await connect(lab);
    const { right } = await startBoth(ends, { table: 'off' });
    ip(ends.server, 'route', 'add', '192.168.77.0/24', 'dev', right.interface);
    const began = performance.now();
    const words = ['-q', '-f', '-l', '300', '-c', '300', '-W', '0.1', '192.168.77.7'];
    await ends.server.run(['ping', ...words]);
    const passedMs = performance.now() - began;
    const { counters, dropsByReason } = await right.daemon.status();
    assert.ok((dropsByReason.no_route ?? 0) >= 300, 'all of them came');
    const { refusals = 0 } = counters;
    assert.ok(refusals >= 50 && refusals <= 50 + passedMs / 10 + 1, `${refusals} were told`);
  }),
);

exam.run();
