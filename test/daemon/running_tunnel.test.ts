/** Taking over a configuration around a hand, a host and a loop that only remember. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseEndpoint } from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import { clearPorts, RunningTunnel, type TunnelParts } from '../../src/daemon/running_tunnel.js';
import type { ClearPeerConfig, Config } from '../../src/node/config.js';
import { AUTO_OFFLOADS, NO_OFFLOADS } from '../../src/node/offloads.js';

const test = suite('daemon/running_tunnel');

function config(changes: Partial<Config> = {}): Config {
  return {
    interface: 'heddle0',
    privateKey: new Uint8Array(32).fill(1),
    listenPort: 51820,
    addresses: [],
    mtu: 1420,
    table: 'auto',
    fwMark: 0,
    datapath: 'native',
    peers: [],
    clearPeers: [],
    ...changes,
  };
}

function clearPeer(endpoint: string, kind: 'vxlan' | 'udp'): ClearPeerConfig {
  const mac = { bytes: new Uint8Array(6), text: '' };
  return {
    name: endpoint,
    carrier: kind === 'udp' ? { kind } : { kind, vni: 1, mac },
    endpoint: present(parseEndpoint(endpoint), endpoint),
    allowedIps: [],
  };
}

/** `refuses`: the call that throws. */
function scene(refuses?: string) {
  const calls: string[] = [];
  const call = (text: string): void => {
    calls.push(text);
    if (refuses !== undefined && text.startsWith(refuses)) throw new Error(`no ${text}`);
  };
  let port = 51820;
  const ports: number[] = [];
  const hand = {
    kind: 'native',
    interfaceName: 'heddle0',
    get listenPort() {
      return port;
    },
    setClearPorts: (ports: readonly { port: number }[]) =>
      call(`clear ${ports.map((each) => each.port).join()}`),
    setListenPort: (wanted: number) => {
      call(`listen ${wanted}`);
      port = wanted;
    },
    setOffloads: ({ udpGso }: { udpGso: string }) => call(`gso ${udpGso}`),
    setMark: (mark: number) => call(`mark ${mark}`),
    write: ({ kind }: { kind: string }) => call(`write ${kind}`),
  };
  const host = {
    interfaceName: 'heddle0',
    underlayMtus: () => [1500],
    freeTable: () => 51820,
    update: () => call('host'),
  };
  const parts = {
    hand,
    host,
    node: {},
    loop: { handle: ({ kind }: { kind: string }) => call(kind) },
    clock: { now: () => 0 },
    onPortChange: () => ports.push(port),
  } as unknown as TunnelParts;
  const plan = { steps: [], mark: 0 };
  const tunnel = new RunningTunnel(parts, { config: config(), mtu: 1420, plan }, () => ({}));
  return { tunnel, calls, ports };
}

async function refusalOf(change: Promise<unknown>): Promise<string> {
  return await change.then(
    () => 'none',
    (error: unknown) => String(error),
  );
}

test('reconfigure: ports, mark and host first, the node last', async () => {
  const { tunnel, calls } = scene();
  const next = config({
    listenPort: 7,
    fwMark: 3,
    mtu: 1300,
    offloads: NO_OFFLOADS,
    clearPeers: [clearPeer('192.0.2.7:4789', 'vxlan')],
  });
  await tunnel.reconfigure(() => next, 'host');
  const parts = ['clear 4789', 'listen 7', 'gso off', 'mark 3', 'host', 'write setMtu'];
  assert.equal(calls, [...parts, 'configure']);
  assert.is(tunnel.config.listenPort, 7);
  assert.is(tunnel.fwMark, 3);
  assert.is(tunnel.mtu, 1300);
});

test('reconfigure: another port is told, and the same is not', async () => {
  const { tunnel, ports } = scene();
  await tunnel.reconfigure(() => config({ listenPort: 7 }), 'peers');
  await tunnel.reconfigure(() => config({ listenPort: 7, fwMark: 3 }), 'peers');
  assert.equal(ports, [7]);
});

const REFUSALS: readonly [refuses: string, calls: readonly string[]][] = [
  ['clear 4789', ['clear 4789']],
  ['listen 7', ['clear 4789', 'listen 7', 'clear ']],
  ['mark 3', ['clear 4789', 'listen 7', 'mark 3', 'listen 51820', 'clear ']],
  ['host', ['clear 4789', 'listen 7', 'mark 3', 'host', 'mark 0', 'listen 51820', 'clear ']],
];

for (const [refuses, expected] of REFUSALS) {
  test(`reconfigure: refused at "${refuses}", everything before is taken back`, async () => {
    const { tunnel, calls } = scene(refuses);
    const clearPeers = [clearPeer('192.0.2.7:4789', 'vxlan')];
    const next = config({ listenPort: 7, fwMark: 3, clearPeers });
    assert.match(await refusalOf(tunnel.reconfigure(() => next, 'host')), `no ${refuses}`);
    assert.equal(calls, expected);
    assert.equal(tunnel.config, config());
  });
}

test('reconfigure: offloads that are refused stay as they were, and so does the rest', async () => {
  const { tunnel, calls } = scene('gso');
  const next = config({ listenPort: 7, offloads: NO_OFFLOADS });
  assert.match(await refusalOf(tunnel.reconfigure(() => next, 'host')), 'no gso off');
  assert.equal(calls, ['listen 7', 'gso off', 'listen 51820']);
  assert.is(tunnel.config.offloads, undefined);
});

test('reconfigure: offloads that are written out and not others change nothing', async () => {
  const { tunnel, calls } = scene();
  await tunnel.reconfigure(() => config({ offloads: AUTO_OFFLOADS }), 'host');
  assert.equal(calls, ['host', 'configure']);
});

test('reconfigure: of the peers alone leaves addresses and routes as they are', async () => {
  const { tunnel, calls } = scene();
  await tunnel.reconfigure((running) => ({ ...running, fwMark: 9 }), 'peers');
  assert.equal(calls, ['mark 9', 'configure']);
});

test('reconfigure: one after the other, each upon what the one before left', async () => {
  const { tunnel } = scene();
  await Promise.all([
    tunnel.reconfigure((running) => ({ ...running, fwMark: running.fwMark + 1 }), 'host'),
    refusalOf(
      tunnel.reconfigure(() => {
        throw new Error('not this one');
      }, 'host'),
    ),
    tunnel.reconfigure((running) => ({ ...running, fwMark: running.fwMark + 10 }), 'host'),
  ]);
  assert.is(tunnel.config.fwMark, 11);
});

test('underlay: another MTU is followed where none is configured, and only there', async () => {
  const { tunnel, calls } = scene();
  await tunnel.measureAgain();
  assert.equal(calls, []);
  await tunnel.reconfigure(({ mtu: _, ...running }) => running, 'host');
  assert.is(tunnel.mtu, 1420);
  calls.length = 0;
  await tunnel.measureAgain();
  assert.equal(calls, ['host', 'configure']);
});

test('clear ports: one of each number', () => {
  const peers = [
    clearPeer('192.0.2.7:4789', 'vxlan'),
    clearPeer('192.0.2.8:4789', 'vxlan'),
    clearPeer('192.0.2.9:8285', 'udp'),
  ];
  assert.equal(clearPorts(config({ clearPeers: peers })), [
    { port: 4789, kind: 'vxlan' },
    { port: 8285, kind: 'udp' },
  ]);
});

test.run();
