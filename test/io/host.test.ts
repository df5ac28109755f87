/**
 * A plan in a host that has things of its own: carried out, taken back, and nothing else touched.
 */

import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  endpointOf,
  parseAddress,
  parseInterfaceAddress,
  parsePrefix,
} from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import { type Log, type LogFields, SILENT } from '../../src/base/log.js';
import { Host } from '../../src/io/host.js';
import { loadAddon } from '../../src/io/native.js';
import { Netlink, NetlinkError } from '../../src/io/netlink.js';
import { isSameUnderlay } from '../../src/io/underlay.js';
import { type HostPlan, planHost } from '../../src/route/host_plan.js';
import { ownNamespace } from '../support/own_namespace.js';

const test = suite('host');
const alone = ownNamespace(test, import.meta.url);

const VALID_MARK = '/proc/sys/net/ipv4/conf/all/src_valid_mark';

function ip(words: string): string {
  return execFileSync('ip', words.split(' '), { encoding: 'utf8', stdio: 'pipe' });
}

/** Everything that a plan could have left, and what must not have changed. */
function state(): string {
  const shown = ['-d addr', 'rule', '-6 rule', 'route show table all', '-6 route show table all'];
  return [...shown.map(ip), readFileSync(VALID_MARK, 'utf8')].join('---\n');
}

/** A log whose warnings can be read. */
function warnings(): { log: Log; said: { message: string; fields: LogFields }[] } {
  const said: { message: string; fields: LogFields }[] = [];
  const warn = (message: string, fields: LogFields = {}): void =>
    void said.push({ message, fields });
  return { log: { ...SILENT, warn }, said };
}

/** The tunnel's link `hd0`, and `under` with 10.1.0.1/16; both up. */
function makeHost() {
  for (const [name, other] of [
    ['hd0', 'hd0-far'],
    ['under', 'under-far'],
  ]) {
    ip(`link add ${name} type veth peer name ${other}`);
    for (const end of [name, other]) ip(`link set ${end} addrgenmode none up`);
  }
  ip('addr add 10.1.0.1/16 dev under');
  ip('link set hd0 mtu 1400 txqueuelen 1000 gso_max_size 63000 gso_max_segs 45');
  const { log, said } = warnings();
  return { host: new Host(new Netlink(loadAddon()), log), said };
}

interface Wanted {
  readonly addresses?: readonly string[];
  readonly allowedIps?: readonly string[];
  readonly freeTable?: number;
  readonly mtu?: number;
}

function planOf(wanted: Wanted): HostPlan {
  return planHost({
    addresses: (wanted.addresses ?? []).map((text) => present(parseInterfaceAddress(text), text)),
    mtu: wanted.mtu ?? 1400,
    messageOverhead: 32,
    table: 'auto',
    fwMark: 0,
    allowedIps: (wanted.allowedIps ?? []).map((text) => present(parsePrefix(text), text)),
    freeTable: () => wanted.freeTable ?? 51820,
  });
}

const EVERYTHING = planOf({
  addresses: ['10.77.0.1/24', 'fd77::1/64'],
  allowedIps: ['10.88.0.0/16', 'fd88::/16', '0.0.0.0/0', '::/0'],
});

alone('a plan stands, and taken back it leaves the host as it was', () => {
  const { host, said } = makeHost();
  const before = state();
  host.apply('hd0', EVERYTHING);
  assert.match(ip('addr show hd0'), /inet 10\.77\.0\.1\/24 /);
  assert.match(ip('addr show hd0'), /inet6 fd77::1\/64 /);
  assert.match(ip('route'), /^10\.88\.0\.0\/16 dev hd0 /m);
  assert.match(ip('-6 route'), /^fd88::\/16 dev hd0 /m);
  assert.match(ip('route get 198.51.100.1'), / dev hd0 table 51820 src 10\.77\.0\.1 /);
  assert.match(ip('-6 route get 2001:db8::1'), / dev hd0 table 51820 .*src fd77::1 /);
  assert.match(ip('route get 10.1.2.3'), / dev under src 10\.1\.0\.1 /);
  assert.throws(() => ip('route get 198.51.100.1 mark 51820'), /unreachable/i);
  assert.is(readFileSync(VALID_MARK, 'utf8').trim(), '104');
  host.remove();
  assert.is(state(), before);
  host.remove();
  assert.is(state(), before);
  assert.equal(said, []);
});

alone('the link is up, with the plan’s MTU', () => {
  const { host } = makeHost();
  ip('link set hd0 mtu 1500 down');
  host.apply('hd0', planOf({}));
  assert.match(ip('link show hd0'), /<.*,UP.*> mtu 1400 /);
});

alone('the link takes super-packets of one UDP send, and of another size with another MTU', () => {
  const { host } = makeHost();
  const limits = () => {
    const { transmitQueueLength, gsoMaxSegments, gsoMaxBytes } = present(host.link(), 'a link');
    return [transmitQueueLength, gsoMaxSegments, gsoMaxBytes];
  };
  host.apply('hd0', planOf({}));
  assert.equal(limits(), [1000, 45, 63_000]);
  host.update(planOf({ mtu: 1280 }));
  assert.equal(limits(), [1000, 49, 62_720]);
  host.reconcile();
  assert.equal(limits(), [1000, 49, 62_720]);
});

alone('a plan that fails midway leaves nothing, and says at what', () => {
  const { host } = makeHost();
  ip('route add 10.88.0.0/16 dev under');
  const before = state();
  try {
    host.apply('hd0', EVERYTHING);
    assert.unreachable('a route to 10.88.0.0/16 is there already');
  } catch (error) {
    assert.instance(error, NetlinkError);
    assert.match((error as Error).message, /^Add route "10\.88\.0\.0\/16": EEXIST; /);
  }
  assert.is(state(), before);
});

alone('an interface that is not there is named', () => {
  const { host } = makeHost();
  assert.throws(() => host.apply('hd9', EVERYTHING), /^Find interface "hd9": ENODEV/);
});

alone('what others made alike stays when ours is taken back', () => {
  const { host } = makeHost();
  const addAlike = (): void => {
    for (const family of ['-4', '-6']) {
      ip(`${family} rule add not fwmark 51820 table 51820`);
      ip(`${family} rule add table main suppress_prefixlength 0`);
    }
  };
  const alike = (): string[] =>
    (ip('rule') + ip('-6 rule'))
      .split('\n')
      .filter((line) => /51820|suppress/.test(line) && !line.includes('proto 104'));
  addAlike();
  ip('addr add 10.77.0.9/24 dev hd0');
  ip('route add 10.99.0.0/16 dev hd0');
  writeFileSync(VALID_MARK, '1');
  const before = state();
  host.apply('hd0', EVERYTHING);
  host.remove();
  assert.is(state(), before);
  host.apply('hd0', EVERYTHING);
  // These come before ours, and would be found first.
  addAlike();
  const others = alike();
  assert.is(others.length, 8);
  host.remove();
  assert.equal(alike(), others);
});

alone('two tunnels with default routes: each takes back its own', () => {
  const { host } = makeHost();
  const second = new Host(new Netlink(loadAddon()), SILENT);
  ip('link set under mtu 1400 gso_max_size 63000 gso_max_segs 45');
  const before = state();
  host.apply('hd0', EVERYTHING);
  const between = state();
  const table = second.freeTable();
  assert.is(table, 51821);
  second.apply('under', planOf({ allowedIps: ['0.0.0.0/0', '::/0'], freeTable: table }));
  second.remove();
  assert.is(state(), between);
  host.remove();
  assert.is(state(), before);
});

alone('what is gone already is no fault', () => {
  const { host, said } = makeHost();
  host.apply('hd0', EVERYTHING);
  ip('route del 10.88.0.0/16 dev hd0');
  ip('addr del 10.77.0.1/24 dev hd0');
  ip('rule del table main suppress_prefixlength 0');
  ip('-6 rule del not fwmark 51820');
  host.remove();
  assert.equal(said, []);
  assert.not.match(ip('rule') + ip('-6 rule'), /51820|suppress/);
});

for (const way of ['link del hd0', 'link set hd0 mtu 1000', 'link set hd0 down']) {
  alone(`after "ip ${way}" all is taken back, without a word`, () => {
    const { host, said } = makeHost();
    host.apply('hd0', EVERYTHING);
    ip(way);
    host.remove();
    assert.equal(said, []);
    const left = ip('rule') + ip('-6 rule') + ip('route show table all') + ip('addr');
    assert.not.match(left, /51820|suppress|10\.88|10\.77/);
  });
}

alone('a host without IPv6 gets the rest, and one warning', () => {
  const { host, said } = makeHost();
  writeFileSync('/proc/sys/net/ipv6/conf/all/disable_ipv6', '1');
  writeFileSync('/proc/sys/net/ipv6/conf/hd0/disable_ipv6', '1');
  const before = state();
  host.apply('hd0', EVERYTHING);
  assert.match(ip('route get 198.51.100.1'), / dev hd0 /);
  assert.is(said.length, 1);
  assert.match(said[0]?.message ?? '', /IPv6 is off/);
  assert.match(String(said[0]?.fields.first), /^Add address "fd77::1\/64": EACCES/);
  host.remove();
  assert.is(state(), before);
  assert.is(said.length, 1);
});

alone('a src_valid_mark of the host’s own stays', () => {
  const { host } = makeHost();
  for (const [value, applied] of [
    ['0', '104'],
    ['1', '1'],
  ] as const) {
    writeFileSync(VALID_MARK, value);
    host.apply('hd0', EVERYTHING);
    assert.is(readFileSync(VALID_MARK, 'utf8').trim(), applied);
    host.remove();
    assert.is(readFileSync(VALID_MARK, 'utf8').trim(), value);
  }
});

/** What was put right, by kind. */
function repairs(host: Host): Record<string, number> {
  return Object.fromEntries(host.reconcile().repairs);
}

for (const [what, changes, expected] of [
  ['nothing', [], {}],
  ['addresses', ['addr flush dev hd0'], { address: 2, route: 2 }],
  ['one address', ['addr del 10.77.0.1/24 dev hd0'], { address: 1, route: 2 }],
  ['routes', ['route flush proto 104', '-6 route flush proto 104'], { route: 2 }],
  [
    'the routes of a table',
    ['route flush table 51820', '-6 route flush table 51820'],
    { route: 2 },
  ],
  ['the MTU', ['link set hd0 mtu 1300'], { mtu: 1 }],
  ['one below what IPv6 needs', ['link set hd0 mtu 1000'], { mtu: 1, address: 1, route: 2 }],
  ['a rule', ['rule del table main suppress_prefixlength 0'], { rule: 1 }],
  ['all rules', ['rule flush', '-6 rule flush'], { rule: 7 }],
] as const) {
  alone(`put right: ${what}, once`, () => {
    const { host, said } = makeHost();
    host.apply('hd0', EVERYTHING);
    const before = state();
    for (const words of changes) ip(words);
    assert.equal(repairs(host), expected);
    if (changes.some((words) => words.includes('rule flush'))) {
      for (const family of ['', '-6 ']) ip(`${family}rule add table main priority 32766`);
      ip('rule add table default priority 32767');
    }
    assert.is(sorted(state()), sorted(before));
    assert.equal(repairs(host), {});
    assert.equal(said, []);
  });
}

/** Each line once, in no order, without the link-local addresses that a kernel makes by itself. */
function sorted(text: string): string {
  const lines = text.split('\n').filter((line) => !line.includes('fe80'));
  return [...new Set(lines)].sort().join('\n');
}

alone('put right: src_valid_mark', () => {
  const { host } = makeHost();
  host.apply('hd0', EVERYTHING);
  writeFileSync(VALID_MARK, '0');
  assert.equal(repairs(host), { sysctl: 1 });
  assert.is(readFileSync(VALID_MARK, 'utf8').trim(), '104');
});

alone('an interface that is down is left alone, and whole again when it is up', () => {
  const { host } = makeHost();
  host.apply('hd0', EVERYTHING);
  const before = state();
  ip('link set hd0 down');
  const { link, repairs: made, refusals } = host.reconcile();
  assert.equal([link, [...made], refusals], ['down', [], []]);
  assert.not.match(ip('link show hd0'), /[<,]UP[,>]/);
  ip('link set hd0 up');
  assert.is(host.reconcile().link, 'up');
  assert.is(sorted(state()), sorted(before));
});

alone('a renamed interface is followed, with its rules', () => {
  const { host } = makeHost();
  const before = state();
  host.apply('hd0', EVERYTHING);
  ip('link set hd0 down');
  ip('link set hd0 name hd7');
  ip('link set hd7 up');
  host.reconcile();
  assert.is(host.interfaceName, 'hd7');
  assert.match(ip('rule'), /from all iif hd7 nop proto 104/);
  assert.not.match(ip('rule'), /hd0|detached/);
  host.remove();
  ip('link set hd7 down');
  ip('link set hd7 name hd0');
  ip('link set hd0 up');
  assert.is(sorted(state()), sorted(before));
});

alone('an interface that is gone is told, and one that was made again is set up', () => {
  const { host } = makeHost();
  host.apply('hd0', EVERYTHING);
  const rules = ip('rule') + ip('-6 rule');
  ip('link del hd0');
  assert.is(host.reconcile().link, 'gone');
  ip('link add hd0 type veth peer name hd0-far');
  ip('link set hd0-far addrgenmode none up');
  ip('link set hd0 addrgenmode none');
  host.reattach('hd0');
  assert.is(host.reconcile().link, 'up');
  assert.match(ip('addr show hd0'), / mtu 1400 .*10\.77\.0\.1\/24.*fd77::1\/64/s);
  assert.match(ip('route get 198.51.100.1'), / dev hd0 table 51820 /);
  assert.is(ip('rule') + ip('-6 rule'), rules, 'rules stand, once');
});

alone('a foreign route in the place of ours stays, and is told', () => {
  const { host } = makeHost();
  host.apply('hd0', EVERYTHING);
  ip('route replace 10.88.0.0/16 dev under');
  for (let i = 0; i < 2; i++) {
    const { refusals, repairs: made } = host.reconcile();
    assert.match(refusals.join(), /^Add route "10\.88\.0\.0\/16": EEXIST/);
    assert.is(made.size, 0);
  }
  assert.match(ip('route show 10.88.0.0/16'), /dev under/);
});

alone('the underlay: other addresses get rules of their own, and differ', () => {
  const { host } = makeHost();
  host.apply('hd0', EVERYTHING);
  const before = host.reconcile().underlay;
  assert.match(ip('rule'), /from 10\.1\.0\.1 goto \d+ proto 104/);
  ip('addr add 10.1.0.9/16 dev under');
  const { underlay, repairs: made } = host.reconcile();
  assert.not(isSameUnderlay(before, underlay, true));
  assert.is(made.size, 0, 'to follow is not to repair');
  assert.match(ip('rule'), /from 10\.1\.0\.9 goto/);
  assert.match(ip('route get 10.1.2.3 from 10.1.0.9'), / dev under /);
  ip('addr del 10.1.0.9/16 dev under');
  assert.ok(isSameUnderlay(before, host.reconcile().underlay, true));
  assert.not.match(ip('rule'), /10\.1\.0\.9/);
});

alone('an update adds what is new and deletes what is old, and touches nothing else', () => {
  const { host } = makeHost();
  const nothing = state();
  host.apply('hd0', EVERYTHING);
  const next = planOf({
    addresses: ['10.77.0.2/24', 'fd77::1/64'],
    allowedIps: ['10.88.0.0/16', '10.89.0.0/16', '0.0.0.0/0'],
  });
  host.update(next);
  assert.match(ip('addr show hd0'), /10\.77\.0\.2\/24/);
  assert.not.match(ip('addr show hd0'), /10\.77\.0\.1\/24/);
  assert.match(ip('route'), /10\.88\.0\.0\/16 dev hd0.*10\.89\.0\.0\/16 dev hd0/s);
  assert.is(ip('-6 route show proto 104'), '');
  assert.not.match(ip('-6 rule'), /proto 104/);
  assert.equal(repairs(host), {});
  host.update(EVERYTHING);
  assert.match(ip('route get 198.51.100.1'), / dev hd0 table 51820 src 10\.77\.0\.1 /);
  assert.match(ip('-6 route get 2001:db8::1'), / dev hd0 table 51820 /);
  host.remove();
  assert.is(state(), nothing);
});

alone('an update that is refused leaves the plan before in force', () => {
  const { host } = makeHost();
  host.apply('hd0', EVERYTHING);
  ip('route add 10.90.0.0/16 dev under');
  const before = state();
  const next = planOf({
    addresses: ['10.78.0.1/24'],
    allowedIps: ['10.89.0.0/16', '10.90.0.0/16'],
  });
  assert.throws(() => host.update(next), /^Add route "10\.90\.0\.0\/16": EEXIST/);
  assert.is(state(), before);
  assert.equal(repairs(host), {});
});

/** What `ip monitor` says while `change` runs. */
async function monitored(change: () => void): Promise<string> {
  const monitor = spawn('ip', ['-o', 'monitor', 'route', 'address', 'rule']);
  let told = '';
  monitor.stdout.on('data', (text) => {
    told += text;
  });
  /** Makes a route, again and again, until the monitor tells of it. */
  const hear = async (prefix: string): Promise<void> => {
    for (let i = 0; !told.includes(prefix); i++) {
      assert.ok(i < 500, `heard of ${prefix} in ${told}`);
      ip(`route replace ${prefix} dev under`);
      await new Promise((done) => setTimeout(done, 10));
    }
  };
  try {
    await hear('10.250.0.0/16');
    const before = told.length;
    change();
    await hear('10.251.0.0/16');
    return told.slice(before).replace(/.*10\.25[01]\.0\.0.*\n/g, '');
  } finally {
    monitor.kill();
  }
}

alone('a route that stays is not touched by an update, not even for a moment', async () => {
  const { host } = makeHost();
  host.apply('hd0', EVERYTHING);
  const next = planOf({
    addresses: ['10.77.0.1/24', '10.77.0.9/24', 'fd77::1/64'],
    allowedIps: ['10.88.0.0/16', '10.89.0.0/16', 'fd88::/16', '0.0.0.0/0', '::/0'],
  });
  const told = await monitored(() => host.update(next));
  assert.match(told, /10\.89\.0\.0/);
  assert.not.match(told, /10\.88|fd88|default|lookup|nop|goto|Deleted/);
});

alone('a free table is the first that holds no route of either family, and has no rule', () => {
  const { host } = makeHost();
  assert.is(host.freeTable(), 51820);
  ip('-6 rule add fwmark 9 table 51822');
  ip('route add 10.5.0.0/16 dev under table 51820');
  ip('-6 route add fd05::/16 dev under table 51821');
  assert.is(host.freeTable(), 51823);
});

alone('MTUs: of the ways to the endpoints, or of the default routes', () => {
  const { host } = makeHost();
  const mtus = (...endpoints: string[]): number[] =>
    host.underlayMtus(
      endpoints.map((text) => endpointOf(present(parseAddress(text), text), 51820)),
      'hd0',
    );
  assert.equal(mtus(), [], 'there is no way anywhere');
  assert.equal(mtus('198.51.100.1'), [], 'nor to the endpoint');
  ip('route add 10.2.0.0/16 dev under mtu 1333');
  ip('-6 route add fd02::/16 dev under mtu 1334');
  ip('route add 10.3.0.0/16 dev hd0');
  assert.equal(mtus('10.1.0.2', '10.2.0.2', 'fd02::2'), [1500, 1333, 1334]);
  assert.equal(mtus('10.1.0.2', '10.3.0.2', '198.51.100.1'), [1500], 'ways that are none');
  ip('link set under mtu 1492');
  assert.equal(mtus('10.1.0.2'), [1492], 'the link’s where the route has none');
  ip('route add default dev under mtu 1401');
  assert.equal(mtus(), [1401], 'no endpoint: the default route');
  ip('-6 route add default dev under mtu 1402');
  assert.equal(mtus(), [1401, 1402], 'of both families');
  assert.equal(mtus('10.3.0.2'), [1401, 1402], 'no way to any endpoint: the default route');
  assert.equal(mtus('10.1.0.2'), [1492], 'a way: the default route has no say');
});

test.run();
