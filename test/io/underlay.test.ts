import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Address } from '../../src/base/address.js';
import { parseInterfaceAddress } from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import type { PlacedAddress, RouteLookup } from '../../src/io/netlink.js';
import { isSameUnderlay, readUnderlay, type Underlay } from '../../src/io/underlay.js';
import type { Link } from '../../src/wire/netlink_link.js';
import { address } from '../support/parsed.js';

const test = suite('io/underlay');

const OWN = 9;

function link(index: number, changes: Partial<Link> = {}): Link {
  const limits = { transmitQueueLength: 1000, gsoMaxSegments: 65_535, gsoMaxBytes: 65_536 };
  const state = { mtu: 1500, isUp: true, hasCarrier: true };
  return { index, name: `l${index}`, ...state, ...limits, ...changes };
}

function placed(interfaceIndex: number, text: string, isGlobal = true): PlacedAddress {
  return { interfaceIndex, address: present(parseInterfaceAddress(text), text), isGlobal };
}

interface Scene {
  readonly links?: readonly Link[];
  readonly addresses?: readonly PlacedAddress[];
  readonly ways?: Readonly<Record<string, RouteLookup>>;
  readonly destinations?: readonly Address[];
  readonly ownIndex?: number;
}

const USUAL = {
  links: [link(1), link(2), link(OWN)],
  addresses: [placed(2, '192.0.2.1/24'), placed(2, '2001:db8:1::1/64'), placed(OWN, '10.0.0.1/24')],
  ways: { '192.0.2.1': { interfaceIndex: 2, mtu: undefined, via: '10.1.1.1' } },
};

function read(changes: Scene = {}): Underlay & { asked: string[] } {
  const scene = { ...USUAL, ...changes };
  const ways: Readonly<Record<string, RouteLookup>> = scene.ways;
  const asked: string[] = [];
  const lookUpRoute = (to: Address, mark: number): RouteLookup | undefined => {
    asked.push(`${to.text} mark ${mark}`);
    return ways[to.text];
  };
  const underlay = readUnderlay({
    netlink: { lookUpRoute },
    links: scene.links,
    placed: scene.addresses,
    ownIndex: changes.ownIndex ?? OWN,
    destinations: changes.destinations ?? [],
    mark: 5,
  });
  return { ...underlay, asked };
}

test('underlay: the global addresses of other interfaces, each once', () => {
  const addresses = [
    ...USUAL.addresses,
    placed(1, '127.0.0.1/8', false),
    placed(2, 'fe80::1/64', false),
    placed(3, '192.0.2.1/32'),
  ];
  assert.equal(
    read({ addresses }).addresses.map(({ text }) => text),
    ['192.0.2.1', '2001:db8:1::1'],
  );
});

/** What else there is, and whether tunnels have to know. */
const ROWS: readonly (readonly [what: string, changes: Scene, differs: boolean])[] = [
  ['the same', {}, false],
  ['in another order', { addresses: [...USUAL.addresses].reverse() }, false],
  ['another address', { addresses: [...USUAL.addresses, placed(2, '192.0.2.9/24')] }, true],
  ['an address of ours', { addresses: [...USUAL.addresses, placed(OWN, '10.9.9.9/24')] }, false],
  [
    'one of the link alone',
    { addresses: [...USUAL.addresses, placed(3, 'fe80::3/64', false)] },
    false,
  ],
  ['an uplink that is down', { links: [link(1), link(2, { isUp: false }), link(OWN)] }, true],
  ['one without carrier', { links: [link(1), link(2, { hasCarrier: false }), link(OWN)] }, true],
  ['a link without addresses', { links: [...USUAL.links, link(3)] }, false],
  ['our link, down', { links: [link(1), link(2), link(OWN, { isUp: false })] }, false],
  ['no default route', { ways: {} }, true],
  [
    'another gateway',
    { ways: { '192.0.2.1': { interfaceIndex: 2, mtu: undefined, via: '10.1.1.2' } } },
    true,
  ],
  [
    'another interface',
    { ways: { '192.0.2.1': { interfaceIndex: 1, mtu: undefined, via: '10.1.1.1' } } },
    true,
  ],
  [
    'a way by ourselves',
    {
      ways: { ...USUAL.ways, '2001:db8::1': { interfaceIndex: OWN, mtu: undefined, via: '' } },
    },
    false,
  ],
];

for (const [what, changes, differs] of ROWS) {
  test(`underlay: ${what} ${differs ? 'differs' : 'makes no difference'}`, () => {
    assert.is(isSameUnderlay(read(), read(changes), true), !differs);
  });
}

test('underlay: the ways to the destinations matter, up to a number of them', () => {
  const to = address('198.51.100.1');
  const ways = { ...USUAL.ways, [to.text]: { interfaceIndex: 1, mtu: undefined, via: '' } };
  const at = (...destinations: readonly Address[]) => read({ ways, destinations });
  const elsewhere = { ...ways, [to.text]: { interfaceIndex: 2, mtu: undefined, via: '' } };
  const moved = read({ ways: elsewhere, destinations: [to] });
  const cut = read({ destinations: [to] });
  assert.not(isSameUnderlay(at(to), moved, false));
  assert.not(isSameUnderlay(at(to), cut, false), 'no way any more');
  assert.not(isSameUnderlay(cut, at(to), false), 'a way at last');
  assert.ok(isSameUnderlay(at(), at(to), false), 'one that was not asked for before');
  assert.not(isSameUnderlay(at(), at(to), true), 'and routes changed');
  assert.ok(isSameUnderlay(at(to), at(), true));
  assert.ok(at(to).asked.includes('198.51.100.1 mark 5'), 'as the tunnel’s own datagrams go');
  assert.is(at(...Array.from({ length: 1_000 }, () => to)).asked.length, 2 + 64);
});

test.run();
