/**
 * What the kernel makes of each request, as iproute2 sees it, and what is read from its answers.
 */

import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type Address,
  type InterfaceAddress,
  type Prefix,
  parseAddress,
  parseInterfaceAddress,
  parsePrefix,
} from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import { loadAddon } from '../../src/io/native.js';
import { Netlink, NetlinkError } from '../../src/io/netlink.js';
import type { Link } from '../../src/wire/netlink_link.js';
import { emitMessage, FLAG, TYPE } from '../../src/wire/netlink.js';
import type { Route } from '../../src/wire/netlink_route.js';
import { ownNamespace } from '../support/own_namespace.js';

const test = suite('netlink');
const alone = ownNamespace(test, import.meta.url);

function ip(words: string): string {
  return execFileSync('ip', words.split(' '), { encoding: 'utf8', stdio: 'pipe' });
}

/** Lines of iproute2, without the blanks at their ends. */
function lines(words: string): string[] {
  return ip(words)
    .split('\n')
    .map((line) => line.trim().replace(/\s+/g, ' '))
    .filter((line) => line !== '');
}

const address = (text: string): Address => present(parseAddress(text), text);
const prefix = (text: string): Prefix => present(parsePrefix(text), text);
const onLink = (text: string): InterfaceAddress => present(parseInterfaceAddress(text), text);

/** Two ends of a link, up, and what asks the kernel about them. */
function pair(): { netlink: Netlink; near: Link; far: Link } {
  ip('link add near type veth peer name far');
  for (const name of ['near', 'far']) ip(`link set ${name} addrgenmode none up`);
  const netlink = new Netlink(loadAddon());
  const named = (name: string): Link => present(netlink.linkByName(name), name);
  return { netlink, near: named('near'), far: named('far') };
}

/** Deletes one, and throws what the kernel says to that. */
function deleteRoute(netlink: Netlink, route: Route): void {
  for (const error of netlink.deleteRoutes([route]).values()) throw error;
}

/** The addresses of one link. */
function textsOn(netlink: Netlink, { index }: Link): string[] {
  const placed = netlink.addresses().filter(({ interfaceIndex }) => interfaceIndex === index);
  return placed.map(({ address }) => address.text);
}

function refused(code: string, message: RegExp, request: () => void): void {
  try {
    request();
  } catch (error) {
    assert.instance(error, NetlinkError);
    const { code: actual, message: said } = error as NetlinkError;
    assert.is(actual, code);
    assert.match(said, message);
    return;
  }
  assert.unreachable(`the kernel took what it must refuse with ${code}`);
}

alone('links: are found by name and by index, with MTU and state', () => {
  ip('link add long-name-15-ok type veth peer name far');
  ip('link set far mtu 1312 up');
  const netlink = new Netlink(loadAddon());
  const far = present(netlink.linkByName('far'), 'the link is there');
  assert.equal([far.mtu, far.isUp, far.transmitQueueLength], [1312, true, 1000]);
  assert.equal(netlink.linkByIndex(far.index), far);
  const near = present(netlink.linkByName('long-name-15-ok'), 'a name of 15 characters');
  assert.equal([near.mtu, near.isUp], [1500, false]);
  assert.is(netlink.linkByName('long-name-15-o'), undefined);
  assert.is(netlink.linkByIndex(9_999), undefined);
  assert.is(netlink.linkByName('lo')?.index, 1);
});

alone('links: what is given is set, and nothing else', () => {
  const { netlink, near } = pair();
  const read = (): string => present(lines('link show near')[0], 'a line').replace(/^[^<]*/, '');
  assert.match(read(), /<.*,UP.*> mtu 1500 .* qlen 1000$/);
  netlink.setLink(near, { mtu: 1400 });
  assert.match(read(), /<.*,UP.*> mtu 1400 .* qlen 1000$/);
  netlink.setLink(near, { transmitQueueLength: 77 });
  assert.match(read(), /<.*,UP.*> mtu 1400 .* qlen 77$/);
  netlink.setLink(near, { gsoMaxSegments: 45, gsoMaxBytes: 63_900 });
  const { gsoMaxSegments, gsoMaxBytes } = present(netlink.linkByName('near'), 'near');
  assert.equal([gsoMaxSegments, gsoMaxBytes], [45, 63_900]);
  netlink.setLink(near, { isUp: false });
  assert.match(read(), /<BROADCAST,MULTICAST> mtu 1400 .* qlen 77$/);
  netlink.setLink(near, { isUp: true, mtu: 1300, transmitQueueLength: 9 });
  assert.match(read(), /<.*,UP.*> mtu 1300 .* qlen 9$/);
});

alone('links: one that is deleted is gone, twice is refused', () => {
  const { netlink, near } = pair();
  netlink.deleteLink(near);
  assert.is(netlink.linkByName('near'), undefined);
  refused('ENODEV', /^Delete link "near": ENODEV/, () => netlink.deleteLink(near));
  refused('ENODEV', /^Set up link "near": ENODEV/, () => netlink.setLink(near, { mtu: 1400 }));
});

alone('addresses: of both families are added, listed and deleted', () => {
  const { netlink, near, far } = pair();
  const wanted = ['10.0.0.1/24', '10.0.0.2/32', 'fd00::1/64', 'fd00::2/128'].map(onLink);
  for (const each of wanted) netlink.addAddress(near.index, each);
  const texts = (): string[] => textsOn(netlink, near);
  assert.equal(
    texts().sort(),
    wanted.map(({ text }) => text),
  );
  assert.equal(textsOn(netlink, far), []);
  const shown = lines('-o addr show dev near').map((line) => line.split(' ')[3]);
  assert.equal(
    shown.sort(),
    wanted.map(({ text }) => text),
  );
  for (const each of wanted) netlink.deleteAddress(near.index, each);
  assert.equal(texts(), []);
});

alone('addresses: an IPv6 address is usable at once', async () => {
  const { netlink, near } = pair();
  netlink.addAddress(near.index, onLink('fd00::1/64'));
  assert.equal(lines('-6 addr show dev near tentative'), []);
  const socket = createSocket('udp6');
  socket.bind(0, 'fd00::1');
  await once(socket, 'listening');
  socket.close();
});

alone('addresses: there already, and gone already, are refused by name', () => {
  const { netlink, near } = pair();
  for (const text of ['10.0.0.1/24', 'fd00::1/64']) {
    const own = onLink(text);
    const gone = (): void => netlink.deleteAddress(near.index, own);
    refused('EADDRNOTAVAIL', new RegExp(`^Delete address "${text}": EADDRNOTAVAIL`), gone);
    netlink.addAddress(near.index, own);
    refused('EEXIST', new RegExp(`^Add address "${text}": EEXIST; another`), () =>
      netlink.addAddress(near.index, own),
    );
  }
});

alone('addresses: a list of many datagrams is whole', () => {
  const { netlink, near } = pair();
  const expected = new Set<string>();
  for (let i = 0; i < 2_000; i++) {
    const own = onLink(`10.7.${i >> 8}.${i & 255}/32`);
    netlink.addAddress(near.index, own);
    expected.add(own.text);
  }
  const found = textsOn(netlink, near);
  assert.is(found.length, 2_000);
  assert.equal(new Set(found), expected);
});

alone('routes: go into the main table or the one that is named, marked as ours', () => {
  const { netlink, near } = pair();
  const routes = [
    { prefix: prefix('10.0.0.0/8') },
    { prefix: prefix('0.0.0.0/0'), table: 51820 },
    { prefix: prefix('10.9.9.9/32'), table: 99 },
    { prefix: prefix('fd00::/8') },
    { prefix: prefix('::/0'), table: 51820 },
  ].map((each) => ({ ...each, interfaceIndex: near.index }));
  assert.is(netlink.addEachRoute(routes).size, 0);
  const ours = (): string[] => [
    ...lines('-4 route show table all proto 104'),
    ...lines('-6 route show table all proto 104'),
  ];
  assert.equal(
    ours()
      .map((line) => line.replace(/ scope link| metric 1024| pref medium/g, ''))
      .sort(),
    [
      '10.0.0.0/8 dev near',
      '10.9.9.9 dev near table 99',
      'default dev near table 51820',
      'default dev near table 51820',
      'fd00::/8 dev near',
    ],
  );
  assert.is(netlink.deleteRoutes(routes).size, 0);
  assert.equal(ours(), []);
});

alone('routes: many at once go in as one after the other would', () => {
  const { netlink, near } = pair();
  const routes = Array.from({ length: 1_234 }, (_, i) => ({
    prefix: prefix(i % 2 === 0 ? `10.5.${i >> 8}.${i & 255}/32` : `fd05::${i}/128`),
    interfaceIndex: near.index,
    ...(i % 3 === 0 ? { table: 777 } : {}),
  }));
  netlink.addRoutes([]);
  netlink.addRoutes(routes);
  for (const family of [4, 6]) {
    const shown = lines(`-${family} route show table all proto 104`);
    assert.is(shown.length, 617);
    assert.is(shown.filter((line) => line.includes('table 777')).length, 206);
  }
});

alone('routes: of many, one that is refused is named, and none of them stays', () => {
  const { netlink, near } = pair();
  ip('route add 10.5.2.188/32 dev far');
  const routes = Array.from({ length: 1_234 }, (_, i) => ({
    prefix: prefix(`10.5.${i >> 8}.${i & 255}/32`),
    interfaceIndex: near.index,
  }));
  const add = (): void => netlink.addRoutes(routes);
  refused('EEXIST', /^Add route "10.5.2.188\/32": EEXIST; another program/, add);
  assert.equal(lines('route show table all proto 104'), []);
  assert.is(lines('route show 10.5.2.188/32').length, 1);
});

alone('routes: a destination that has one is refused, and whose it is stays', () => {
  const { netlink, near } = pair();
  ip('route add 10.0.0.0/8 dev far');
  ip('-6 route add fd00::/8 dev far');
  for (const text of ['10.0.0.0/8', 'fd00::/8']) {
    const route = { prefix: prefix(text), interfaceIndex: near.index };
    refused('EEXIST', new RegExp(`^Add route "${text}": EEXIST; another program`), () =>
      netlink.addRoutes([route]),
    );
    refused('ESRCH', new RegExp(`^Delete route "${text}": ESRCH`), () =>
      deleteRoute(netlink, { ...route, interfaceIndex: near.index }),
    );
  }
  assert.match(lines('-4 route show 10.0.0.0/8')[0] ?? '', /dev far/);
  assert.match(lines('-6 route show fd00::/8')[0] ?? '', /dev far/);
});

alone('routes: only heddle’s own is deleted, even from its own interface', () => {
  const { netlink, near } = pair();
  ip('route add 10.0.0.0/8 dev near');
  ip('-6 route add fd00::/8 dev near');
  for (const text of ['10.0.0.0/8', 'fd00::/8']) {
    const route = { prefix: prefix(text), interfaceIndex: near.index };
    refused('ESRCH', /^Delete route/, () => deleteRoute(netlink, route));
  }
});

alone('rules: read as wg-quick would write them, in both families', () => {
  const { netlink } = pair();
  for (const family of [4, 6] as const) {
    const before = lines(`-${family} rule`);
    const rules = [
      { family, table: 51820, notMark: 51820 },
      { family, table: 254, suppressDefault: true },
    ];
    for (const rule of rules) netlink.addRule(rule);
    const added = lines(`-${family} -d rule`).filter((line) => line.includes('proto 104'));
    assert.equal(
      added.map((line) => line.replace(/^\d+: /, '')),
      [
        'from all lookup main suppress_prefixlength 0 proto 104',
        'not from all fwmark 0xca6c lookup 51820 proto 104',
      ],
    );
    for (const rule of rules) netlink.deleteRule(rule);
    assert.equal(lines(`-${family} rule`), before);
    for (const rule of rules) refused('ENOENT', /^Delete rule/, () => netlink.deleteRule(rule));
  }
});

alone('rules: of two that are alike, only heddle’s is deleted', () => {
  const { netlink } = pair();
  ip('rule add not fwmark 51820 table 51820');
  ip('rule add table main suppress_prefixlength 0');
  const before = lines('rule');
  const rules = [
    { family: 4 as const, table: 51820, notMark: 51820 },
    { family: 4 as const, table: 254, suppressDefault: true },
  ];
  for (const rule of [...rules, ...rules]) netlink.addRule(rule);
  assert.is(lines('rule').length, before.length + 4);
  for (const rule of [...rules, ...rules]) netlink.deleteRule(rule);
  assert.equal(lines('rule'), before);
  for (const rule of rules) refused('ENOENT', /^Delete rule/, () => netlink.deleteRule(rule));
});

alone(
  'route lookup: names the interface, the route’s MTU, and nothing where there is no way',
  () => {
    const { netlink, near, far } = pair();
    ip('route add 10.1.0.0/16 dev near');
    ip('route add 10.2.0.0/16 dev far mtu 1333');
    ip('-6 route add fd02::/16 dev far mtu 1334');
    ip('route add default dev near table 77');
    ip('rule add fwmark 5 table 77');
    const lookUp = (text: string, mark = 0) => {
      const way = netlink.lookUpRoute(address(text), mark);
      return way && { interfaceIndex: way.interfaceIndex, mtu: way.mtu };
    };
    assert.equal(lookUp('10.1.2.3'), { interfaceIndex: near.index, mtu: undefined });
    assert.equal(lookUp('10.2.2.3'), { interfaceIndex: far.index, mtu: 1333 });
    assert.equal(lookUp('fd02::3'), { interfaceIndex: far.index, mtu: 1334 });
    assert.is(lookUp('10.3.0.1'), undefined);
    assert.is(lookUp('fd03::1'), undefined);
    assert.equal(lookUp('10.3.0.1', 5), { interfaceIndex: near.index, mtu: undefined });
  },
);

alone('routes: the least MTU of those to an interface, whoever made them', () => {
  const { netlink, near, far } = pair();
  ip('route add 10.1.0.0/16 dev near');
  assert.is(netlink.leastRouteMtu(4, near.index), 0);
  ip('route add 10.2.0.0/16 dev near mtu 1299');
  ip('route add 10.3.0.0/16 dev near mtu 1400 table 77');
  ip('route add 10.4.0.0/16 dev far mtu 900');
  ip('-6 route add fd02::/16 dev near mtu 1300');
  assert.is(netlink.leastRouteMtu(4, near.index), 1299);
  assert.is(netlink.leastRouteMtu(4, far.index), 900);
  assert.is(netlink.leastRouteMtu(6, near.index), 1300);
});

alone('tables: are in use when they hold a route of the family', () => {
  const { netlink } = pair();
  ip('route add 10.1.0.0/16 dev near table 51820');
  ip('-6 route add fd00::/16 dev near table 300');
  const inUse = (table: number): boolean[] => [
    netlink.isTableInUse(4, table),
    netlink.isTableInUse(6, table),
  ];
  assert.equal(inUse(51820), [true, false]);
  assert.equal(inUse(300), [false, true]);
  assert.equal(inUse(301), [false, false]);
  // Its number modulo 256 is another table's, which is what old kernels' 8 bits would say.
  assert.equal(inUse(51820 - 256), [false, false]);
});

alone('requests: what is no netlink message never reaches the kernel', () => {
  const addon = loadAddon();
  const whole = emitMessage(
    { type: TYPE.getLink, flags: FLAG.request | FLAG.dump },
    new Uint8Array(16),
    [],
  );
  const EINVAL = -22;
  assert.is(addon.netlinkRequest(new Uint8Array(0)), EINVAL);
  for (let length = 1; length < whole.length; length++) {
    assert.is(addon.netlinkRequest(whole.slice(0, length)), EINVAL, `length ${length}`);
  }
  for (const length of [0, 15, whole.length + 1, 0xff]) {
    const lying = whole.slice();
    lying[0] = length;
    assert.is(addon.netlinkRequest(lying), EINVAL, `a length of ${length}`);
  }
});

alone('requests: one after the other in one call, each is answered', () => {
  const addon = loadAddon();
  const dump = emitMessage(
    { type: TYPE.getLink, flags: FLAG.request | FLAG.dump },
    new Uint8Array(16),
    [],
  );
  const once = addon.netlinkRequest(dump);
  const twice = addon.netlinkRequest(Uint8Array.from([...dump, ...dump]));
  if (typeof once === 'number' || typeof twice === 'number') return assert.unreachable('answers');
  assert.ok(once.length > 100);
  assert.is(twice.length, 2 * once.length);
});

test.run();
