import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseInterfaceAddress } from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import { SeededRandom } from '../../src/base/random.js';
import type { KeptMesh } from '../../src/daemon/mesh_files.js';
import type { MeshOptions } from '../../src/daemon/mesh_options.js';
import {
  hostNameOf,
  type MeshHostState,
  meshSetup,
  ownEndpoints,
} from '../../src/daemon/mesh_setup.js';
import { nodeId } from '../../src/base/identifiers.js';
import { prefix } from '../support/parsed.js';

const test = suite('daemon/mesh_setup');
const OPTIONS: MeshOptions = {
  line: undefined,
  name: undefined,
  networkName: undefined,
  announce: [],
  subnetLength: undefined,
  acceptsDefaultRoutes: false,
  isNewIdentity: false,
};
const NOTHING: KeptMesh = {
  keys: undefined,
  own: undefined,
  isOwnLost: false,
  records: [],
  remarks: [],
};
const TUNNEL = 9;

/** `routes` of IPv4; addresses as `index text`; `leaving`: where the default routes lead. */
function host(
  addresses: readonly string[],
  routes: readonly string[] = [],
  leaving?: number,
): MeshHostState {
  const placed = addresses.map((text) => {
    const [index, address = ''] = text.split(' ');
    return {
      interfaceIndex: Number(index),
      address: present(parseInterfaceAddress(address), 'an address'),
      isGlobal: !address.startsWith('127.') && !address.startsWith('fe80'),
    };
  });
  const netlink = {
    addresses: () => placed,
    destinations: () => routes.map((text) => prefix(text)),
    lookUpRoute: () =>
      leaving === undefined ? undefined : { interfaceIndex: leaving, mtu: undefined, via: '' },
  };
  return { netlink, interfaceIndex: TUNNEL, listenPort: 51_820, mark: 0 };
}

test('mesh setup: a host is reached at what it has outside of the tunnel, IPv4 first', () => {
  const state = host([
    '1 127.0.0.1/8',
    '2 2001:db8::2/64',
    '2 fe80::2/64',
    '2 192.0.2.2/24',
    `${TUNNEL} 10.86.0.1/16`,
  ]);
  const texts = ownEndpoints(state, []).map(({ text }) => text);
  assert.equal(texts, ['192.0.2.2:51820', '[2001:db8::2]:51820']);
  const many = host(Array.from({ length: 9 }, (_, i) => `2 192.0.2.${i + 1}/24`));
  assert.is(ownEndpoints(many, []).length, 6, 'no more than a node record names');
});

test('mesh setup: others are sent first where the way out is, and last behind this host', () => {
  const state = host(
    ['1 10.99.0.1/32', '2 10.20.0.1/16', '3 172.17.0.1/16', '4 2001:db8::2/64', '4 192.0.2.2/24'],
    [],
    4,
  );
  const texts = ownEndpoints(state, [prefix('10.20.0.0/16')]).map(({ text }) => text);
  assert.equal(texts, [
    '192.0.2.2:51820',
    '[2001:db8::2]:51820',
    '172.17.0.1:51820',
    '10.99.0.1:51820',
    '10.20.0.1:51820',
  ]);
});

test('mesh setup: a network is founded on a prefix that the host routes nowhere else', () => {
  for (let seed = 0; seed < 50; seed++) {
    const state = host(['2 10.5.0.2/16'], ['10.128.0.0/9', '172.16.0.0/12']);
    const setup = meshSetup(OPTIONS, NOTHING, state, new SeededRandom(`pool ${seed}`));
    const { entry } = setup;
    if (entry?.kind !== 'found') return assert.unreachable();
    const [first, second = 0] = entry.pool.address.bytes;
    assert.is(first, 10);
    assert.ok(second < 128 && second !== 5, entry.pool.text);
  }
});

test('mesh setup: where no prefix is left the operator is told', () => {
  const state = host([], ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10']);
  assert.throws(() => meshSetup(OPTIONS, NOTHING, state, new SeededRandom('none')), /prefix/);
});

test('mesh setup: a network that is known is continued, with the keys that there are', () => {
  const network = { id: nodeId('00000000000000ff'), rootKey: new Uint8Array(32) };
  const own = { network, ceiling: 1, stamp: 1, records: [], redeemed: [] };
  const first = meshSetup(OPTIONS, NOTHING, host([]), new SeededRandom('keys'));
  const kept = { ...NOTHING, keys: first.keys, own };
  const setup = meshSetup(OPTIONS, kept, host([]), new SeededRandom('other'));
  assert.is(setup.entry, undefined);
  assert.equal(setup.keys, first.keys);
  assert.is.not(setup.instance, first.instance, 'each start is an instance of its own');
});

test('mesh setup: a host name is made into a label', () => {
  for (const [text, label] of [
    ['web-1.example.org', 'web-1'],
    ['Web_1', 'web-1'],
    ['-x-', 'x'],
    ['…', 'host'],
    ['', 'host'],
    [`${'a'.repeat(62)}-b`, 'a'.repeat(62)],
  ] as const) {
    assert.is(hostNameOf(text), label);
  }
});

test.run();
