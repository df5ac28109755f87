/**
 * A host with things of its own is, byte for byte, as it was before: after an orderly end, and
 * after a SIGKILL at any instant that `heddle cleanup` or the next start tidies up after.
 */

import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SeededRandom } from '../../src/base/random.js';
import { ip, type Lab, type LabHost, pause, reaches, waitUntil } from '../support/netns.js';
import { withLab } from './pair.js';
import { HEDDLE, HeddleEnd, type LabTunnel, makeKeyPair, prepareHeddle } from './tunnels.js';

export const timeLimitSeconds = 240;

const leftovers = suite('leftovers');

const KILLS = 100;
/** Every so many kills the next start tidies up, and else `heddle cleanup`. */
const STARTS = 5;
/** Namespaces that are killed in at a time: there are two processors. */
const LANES = 2;
const AFTER_START_MS = 500;

/**
 * Addresses, routes, rules and a firewall that are not heddle's, some of them much like its own.
 */
const FOREIGN = `
ip addr add 10.9.0.1/16 dev under
ip addr add 10.9.0.2/16 dev under
ip -6 addr add fd09::1/64 dev under nodad
ip route add default via 10.9.0.254
ip -6 route add default via fd09::fe
ip route add 10.30.0.0/16 via 10.9.0.254 table 100
ip route add 10.31.0.0/16 dev under proto 104
ip -6 route add fd30::/16 via fd09::fe table 100
ip route add blackhole 10.32.0.0/16 table 51821
ip rule add from 10.9.0.2 lookup 100 priority 1000
ip rule add not fwmark 51820 lookup 100
ip rule add lookup main suppress_prefixlength 0
ip -6 rule add from fd09::/64 lookup 100 priority 1000
ip -6 rule add lookup main suppress_prefixlength 0
nft add table inet mine
nft add chain inet mine input '{ type filter hook input priority 0; policy accept; }'
nft add rule inet mine input udp dport 51820 counter accept
nft add chain inet mine output '{ type route hook output priority 0; policy accept; }'
nft add rule inet mine output meta mark 51820 counter accept
`;

const SHOW = `
ip -d addr
ip route show table all
ip -6 route show table all
ip rule
ip -6 rule
nft list ruleset
cat /proc/sys/net/ipv4/conf/all/src_valid_mark
`;

/**
 * All that a tunnel could leave. What the firewall counted is the kernel's to change, nothing else.
 */
async function stateOf(host: LabHost): Promise<string> {
  const shown = await host.must(['sh', '-ec', SHOW]);
  return shown.replace(/packets \d+ bytes \d+/g, 'packets N bytes N');
}

async function makeHost(lab: Lab, label: string): Promise<{ host: LabHost; tunnel: LabTunnel }> {
  const [host, other] = [lab.host(label), lab.host(`${label}o`)];
  lab.link('under', [
    [host, []],
    [other, ['10.9.0.254/16', 'fd09::fe/64']],
  ]);
  await host.must(['sh', '-ec', FOREIGN]);
  return { host, tunnel: tunnelTo('10.9.0.254:51820', 51820) };
}

function tunnelTo(endpoint: string, listenPort: number, name = 'hd0'): LabTunnel {
  const { publicKey } = makeKeyPair();
  const allowedIps = ['0.0.0.0/0', '::/0', '10.88.0.0/16', 'fd88::/16'];
  return {
    interface: name,
    privateKey: makeKeyPair().privateKey,
    listenPort,
    addresses: ['10.77.0.1/24', 'fd77::1/64'],
    mtu: 1400,
    peers: [{ publicKey, endpoint, allowedIps }],
  };
}

/** A second one for the same host. */
function makeOther(): LabTunnel {
  const { peers, ...rest } = tunnelTo('10.9.0.254:51821', 51821, 'hd1');
  const allowedIps = ['0.0.0.0/0', '::/0'];
  return {
    ...rest,
    addresses: ['10.78.0.1/24'],
    peers: peers.map((peer) => ({ ...peer, allowedIps })),
  };
}

/** The files of a daemon that is gone, but for its configuration. */
function filesOf(env: Readonly<Record<string, string>>): string[] {
  return Object.values(env).flatMap((folder) => (existsSync(folder) ? readdirSync(folder) : []));
}

leftovers('after down and after SIGTERM the host is as it was, byte for byte', () =>
  withLab(async (lab) => {
    const { host, tunnel } = await makeHost(lab, 'a');
    const { env } = prepareHeddle(lab, host, tunnel);
    const before = await stateOf(host);
    for (const end of ['down', 'SIGTERM'] as const) {
      const heddle = await HeddleEnd.start(lab, host, tunnel);
      assert.is.not(await stateOf(host), before);
      if (end === 'down') assert.is((await heddle.stop()).code, 0);
      else {
        const ended = once(heddle.child, 'exit');
        heddle.child.kill(end);
        assert.equal(await ended, [0, null]);
      }
      assert.is(await stateOf(host), before, end);
      assert.equal(filesOf(env), [], end);
    }
  }),
);

interface Lane {
  readonly host: LabHost;
  readonly tunnel: LabTunnel;
  readonly before: string;
}

async function makeLane(lab: Lab, index: number): Promise<Lane> {
  const { host, tunnel } = await makeHost(lab, `k${index}`);
  return { host, tunnel, before: await stateOf(host) };
}

/** One start that is killed so long after it began, and what tidies up after it. */
async function killOnce(lab: Lab, lane: Lane, afterMs: number, byStart: boolean): Promise<void> {
  const { host, tunnel, before } = lane;
  const { file, env } = prepareHeddle(lab, host, tunnel);
  const child = host.start([HEDDLE, 'up', '-c', file], env);
  const ended = once(child, 'exit');
  await pause(afterMs);
  child.kill('SIGKILL');
  await ended;
  const what = `killed after ${Math.round(afterMs)} ms, ${byStart ? 'started again' : 'cleaned'}`;
  if (byStart) {
    const again = await HeddleEnd.start(lab, host, tunnel);
    assert.is((await again.stop()).code, 0, what);
  } else {
    const { code, stderr } = await host.run([HEDDLE, 'cleanup'], { env });
    assert.is(code, 0, `${what}: ${stderr}`);
  }
  assert.is(await stateOf(host), before, what);
  assert.equal(filesOf(env), [], what);
}

leftovers(`after ${KILLS} SIGKILLs at random instants the host is as it was, byte for byte`, () =>
  withLab(async (lab) => {
    const seed = process.env.SEED ?? String(Date.now());
    process.stdout.write(`SEED=${seed} `);
    const random = new SeededRandom(seed);
    const first = await makeLane(lab, 0);
    const started = performance.now();
    await (await HeddleEnd.start(lab, first.host, first.tunnel)).stop();
    const span = (performance.now() - started) / 2 + AFTER_START_MS;
    const instants = Array.from({ length: KILLS }, () => random.below(span));
    const next = instants.entries();
    const others = Array.from({ length: LANES - 1 }, (_, i) => makeLane(lab, i + 1));
    const lanes = [first, ...(await Promise.all(others))];
    await Promise.all(
      lanes.map(async (lane) => {
        for (const [i, afterMs] of next) await killOnce(lab, lane, afterMs, i % STARTS === 0);
      }),
    );
  }),
);

leftovers(
  'cleanup says what it removes, nothing when there is nothing, and spares the living',
  () =>
    withLab(async (lab) => {
      const { host, tunnel } = await makeHost(lab, 'c');
      const before = await stateOf(host);
      const { env } = prepareHeddle(lab, host, tunnel);
      const clean = () => host.run([HEDDLE, 'cleanup'], { env });
      const nothing = { code: 0, stdout: '', stderr: 'heddle: nothing to clean\n' };
      assert.equal(await clean(), nothing);

      const end = await HeddleEnd.start(lab, host, tunnel);
      const { pid } = await end.status();
      const running = await stateOf(host);
      const refused = await clean();
      assert.is(refused.code, 1);
      assert.match(refused.stderr, new RegExp(`process ${pid}: .*heddle down`));
      assert.is(await stateOf(host), running);

      const ended = once(end.child, 'exit');
      end.child.kill('SIGKILL');
      await ended;
      const cleaned = await clean();
      assert.is(cleaned.code, 0);
      for (const line of [
        /^removed rule IPv4 \d+: not from all fwmark 0xca6c lookup 51820$/m,
        /^removed rule IPv6 \d+: from fd09::1 goto \d+$/m,
        /^removed sysctl net\.ipv4\.conf\.all\.src_valid_mark$/m,
        /^removed socket .*\/hd0\.sock$/m,
        /^removed socket .*\/api\.sock$/m,
        /^removed lock .*\/heddle\.pid$/m,
      ]) {
        assert.match(cleaned.stdout, line);
      }
      assert.is(await stateOf(host), before);
      assert.equal(await clean(), nothing);
    }),
);

leftovers('rules of heddle’s that nobody owns are found without any record', () =>
  withLab(async (lab) => {
    const { host, tunnel } = await makeHost(lab, 'r');
    const { env } = prepareHeddle(lab, host, tunnel);
    const before = await stateOf(host);
    ip(host, 'rule', 'add', 'not', 'fwmark', '51820', 'table', '51820', 'protocol', '104');
    ip(host, '-6', 'rule', 'add', 'priority', '9', 'iif', 'hd9', 'nop', 'protocol', '104');
    assert.is((await host.run([HEDDLE, 'cleanup'], { env })).code, 0);
    assert.is(await stateOf(host), before);
  }),
);

leftovers(
  'of two daemons with default routes each takes back its own, and the last the sysctl',
  () =>
    withLab(async (lab) => {
      const { host, tunnel } = await makeHost(lab, 't');
      const before = await stateOf(host);
      const mark = () => host.must(['cat', '/proc/sys/net/ipv4/conf/all/src_valid_mark']);
      const other = makeOther();
      for (const isKilled of [false, true]) {
        const [first, second] = [
          await HeddleEnd.start(lab, host, tunnel),
          await HeddleEnd.start(lab, host, other),
        ];
        const ended = once(first.child, 'exit');
        if (isKilled) {
          first.child.kill('SIGKILL');
          await ended;
          assert.is((await first.run('cleanup')).code, 0);
        } else assert.is((await first.stop()).code, 0);
        assert.not.match(await mark(), /^0$/m, 'the second needs it');
        assert.match(ip(host, 'route', 'get', '198.51.100.1'), / dev hd1 /);
        assert.is((await second.stop()).code, 0);
        assert.is(await stateOf(host), before);
      }
    }),
);

const SERVER = `
import socket, threading
server = socket.create_server(("::", 7), family=socket.AF_INET6, dualstack_ipv6=True)
def echo(c):
    while True:
        d = c.recv(99)
        if not d: return
        c.sendall(d)
while True:
    threading.Thread(target=echo, args=(server.accept()[0],), daemon=True).start()
`;
/** Says a line a turn; ends when the connection does, or with so many turns. */
const CLIENT = `
import socket, sys, time
c = socket.create_connection((sys.argv[1], 7), timeout=2)
for i in range(int(sys.argv[2])):
    c.sendall(b"x")
    if c.recv(1) != b"x": sys.exit(1)
    print(i, flush=True)
    time.sleep(0.02)
`;

/** How many turns a connection that stays open has had. */
function openConnection(from: LabHost, to: string): () => number {
  const child = from.start(['python3', '-c', CLIENT, to, '100000']);
  let turns = 0;
  child.stdout?.on('data', (text) => {
    turns += String(text).split('\n').length - 1;
  });
  return () => turns;
}

leftovers('a default route in the tunnel does not cut who came in over the underlay', () =>
  withLab(async (lab) => {
    const [host, gateway, operator] = [lab.host('h'), lab.host('g'), lab.host('o')];
    lab.link('under', [
      [host, ['192.0.2.1/24', '2001:db8:1::1/64']],
      [gateway, ['192.0.2.254/24', '2001:db8:1::fe/64', 'fe80::fe/64']],
    ]);
    lab.link('away', [
      [gateway, ['198.51.100.254/24', '2001:db8:2::fe/64', 'fe80::fe/64']],
      [operator, ['198.51.100.1/24', '2001:db8:2::1/64']],
    ]);
    for (const end of [host, operator]) {
      const [v4, v6] =
        end === host ? ['192.0.2.254', '2001:db8:1::fe'] : ['198.51.100.254', '2001:db8:2::fe'];
      ip(end, 'route', 'add', 'default', 'via', v4);
      ip(end, '-6', 'route', 'add', 'default', 'via', v6);
    }
    const forward =
      'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding';
    await gateway.must(['sh', '-ec', forward]);
    // The strictest filter, which a wrong rule would run into.
    await host.must(['sh', '-ec', 'echo 1 >/proc/sys/net/ipv4/conf/all/rp_filter']);
    host.start(['python3', '-c', SERVER]);
    const once = (to: string) => operator.run(['python3', '-c', CLIENT, to, '1']);
    await waitUntil('the server listens', 5_000, async () => (await once('192.0.2.1')).code === 0);
    const open = ['192.0.2.1', '2001:db8:1::1'].map((to) => openConnection(operator, to));
    const goOn = async (when: string): Promise<void> => {
      const before = open.map((turns) => turns());
      await waitUntil(`both connections go on ${when}`, 3_000, () =>
        open.every((turns, i) => turns() > (before[i] ?? 0) + 3),
      );
    };
    await goOn('before');
    const end = await HeddleEnd.start(lab, host, tunnelTo('192.0.2.254:51820', 51820));
    await goOn('after the start');
    for (const to of ['192.0.2.1', '2001:db8:1::1']) {
      assert.is((await once(to)).code, 0, `a new connection to ${to}`);
    }
    assert.ok(await reaches(operator, '192.0.2.1'));
    assert.match(ip(host, 'route', 'get', '198.51.100.1'), / dev hd0 /, 'new traffic is sealed');
    assert.match(ip(host, '-6', 'route', 'get', '2001:db8:2::1'), / dev hd0 /);
    ip(host, 'addr', 'add', '192.0.2.77/24', 'dev', 'under');
    await waitUntil(
      'a later address is one to come in by',
      2_000,
      async () => (await once('192.0.2.77')).code === 0,
    );
    const notes = readFileSync(`${lab.folder}/${host.name}/hd0/run/leftovers.json`, 'utf8');
    assert.match(notes, /from 192\.0\.2\.77 goto/);
    assert.is((await end.stop()).code, 0);
    await goOn('after the end');
  }),
);

leftovers.run();
