import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Endpoint, parsePrefix } from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import { chooseMtu, planFor } from '../../src/daemon/host_planning.js';
import type { Config } from '../../src/node/config.js';
import { endpoint } from '../support/parsed.js';

const test = suite('daemon/host_planning');

function config(changes: Partial<Config> = {}, allowed = '10.8.0.0/16'): Config {
  return {
    interface: 'heddle0',
    privateKey: new Uint8Array(32).fill(1),
    listenPort: 51820,
    addresses: [],
    table: 'auto',
    fwMark: 0,
    datapath: 'native',
    peers: [
      {
        name: 'beta',
        publicKey: new Uint8Array(32).fill(2),
        endpoint: { host: '192.0.2.2', port: 51820 },
        allowedIps: [present(parsePrefix(allowed), allowed)],
      },
    ],
    clearPeers: [],
    ...changes,
  };
}

/** A host with these underlay MTUs, which remembers the endpoints it was asked about. */
function hostWith(mtus: readonly number[]) {
  const asked: string[] = [];
  return {
    asked,
    underlayMtus: (endpoints: readonly Endpoint[]) => {
      asked.push(...endpoints.map(({ text }) => text));
      return [...mtus];
    },
  };
}

test('mtu: the configured one is not measured', async () => {
  const host = hostWith([9000]);
  assert.is(await chooseMtu(host, config({ mtu: 1300 }), 'heddle0'), 1300);
  assert.equal(host.asked, []);
});

test('mtu: measured on the ways to the peers', async () => {
  const host = hostWith([9000, 1500]);
  assert.is(await chooseMtu(host, config(), 'heddle0'), 1420);
  assert.equal(host.asked, ['192.0.2.2:51820']);
});

test('mtu: each peer has room for its encapsulation, where its place is unknown, too', async () => {
  const ours = config();
  const clear = {
    name: 'clear',
    carrier: { kind: 'udp' },
    endpoint: endpoint('192.0.2.3:8285'),
    allowedIps: [],
  } as const;
  const vxlan = ours.peers.map((peer) => ({ ...peer, sealedVni: 7 }));
  const silent = ours.peers.map(({ endpoint: _, ...peer }) => peer);
  const rows: readonly (readonly [Partial<Config>, number])[] = [
    [{ peers: [] }, 1420],
    [{ peers: vxlan }, 1412],
    [{ peers: [], clearPeers: [clear] }, 1472],
    [{ peers: silent, clearPeers: [clear] }, 1420],
    [{ peers: [], clearPeers: [{ ...clear, endpoint: endpoint('[2001:db8::3]:8285') }] }, 1452],
  ];
  for (const [changes, mtu] of rows) {
    assert.is(await chooseMtu(hostWith([1500]), config(changes), 'heddle0'), mtu);
  }
  assert.is(await chooseMtu(hostWith([]), config({ peers: vxlan }), 'heddle0'), 1412);
});

test('plan: super-packets leave room for the longest message of any peer', () => {
  const host = { freeTable: () => 1 };
  const segments = (changes: Partial<Config>): number | undefined => {
    const [step] = planFor(config(changes), 1420, host).steps;
    return step?.kind === 'link' ? step.gso.gsoMaxSegments : undefined;
  };
  const sealed = config().peers;
  const vxlan = sealed.map((peer) => ({ ...peer, sealedVni: 7 }));
  const carrier = { kind: 'udp' } as const;
  const clear = { name: 'c', carrier, endpoint: endpoint('192.0.2.3:8285'), allowedIps: [] };
  assert.is(segments({ peers: [] }), 45);
  assert.is(segments({ peers: sealed }), 45);
  assert.is(segments({ peers: [...sealed, ...vxlan] }), 44);
  assert.is(segments({ peers: [], clearPeers: [clear] }), 46);
});

test('plan: the table of the plan in force serves again', () => {
  let asked = 0;
  const freeTable = (): number => 51_820 + asked++;
  const first = planFor(config({}, '0.0.0.0/0'), 1420, { freeTable });
  const again = planFor(config({}, '0.0.0.0/0'), 1420, { freeTable }, first);
  assert.equal(again, first);
  assert.is(asked, 1);
});

test.run();
