/** Two hosts that know each other, `left` and `right`, over one virtual network. */

import { present } from '../../src/base/assert.js';
import { type Duration, seconds } from '../../src/base/time.js';
import { generatePrivateKey } from '../../src/crypto/keys.js';
import { SodiumSuite } from '../../src/io/sodium.js';
import type { Config, PeerConfig } from '../../src/node/config.js';
import type { PeerSnapshot } from '../../src/node/snapshot.js';
import { address, endpoint, prefix } from './parsed.js';
import { type Host, ipv4Packet, VirtualNetwork } from './virtual_network.js';

export interface Pair {
  readonly network: VirtualNetwork;
  readonly left: Host;
  readonly right: Host;
}

export interface PairOptions {
  readonly seed?: string;
  readonly presharedKey?: Uint8Array;
  /** Of the left host towards the right one. */
  readonly persistentKeepalive?: Duration;
  /** False: the right host does not know where the left one is. */
  readonly rightKnowsLeft?: boolean;
}

const CRYPTO = new SodiumSuite();

/** The left host is 10.0.0.1 at 192.0.2.1:51820, the right one 10.0.0.2 at 192.0.2.2:51820. */
export function createPair(options: PairOptions = {}): Pair {
  const seed = options.seed ?? process.env.SEED ?? 'pair';
  const network = new VirtualNetwork(CRYPTO, seed);
  const keys = [1, 2].map((at) => generatePrivateKey(network.random.fork(`key ${at}`)));
  const [leftKey, rightKey] = [present(keys[0], 'two keys'), present(keys[1], 'two keys')];
  const psk = options.presharedKey ? { presharedKey: options.presharedKey } : {};
  const keepalive = options.persistentKeepalive;
  const toRight: PeerConfig = {
    name: 'right',
    publicKey: CRYPTO.publicKey(rightKey),
    endpoint: { host: '192.0.2.2', port: 51820 },
    allowedIps: [prefix('10.0.0.2/32')],
    ...(keepalive === undefined ? {} : { persistentKeepalive: keepalive }),
    ...psk,
  };
  const toLeft: PeerConfig = {
    name: 'left',
    publicKey: CRYPTO.publicKey(leftKey),
    ...(options.rightKnowsLeft === false ? {} : { endpoint: { host: '192.0.2.1', port: 51820 } }),
    allowedIps: [prefix('10.0.0.1/32')],
    ...psk,
  };
  const left = network.addHost({
    name: 'left',
    endpoint: endpoint('192.0.2.1:51820'),
    config: configOf(leftKey, [toRight]),
  });
  const right = network.addHost({
    name: 'right',
    endpoint: endpoint('192.0.2.2:51820'),
    config: configOf(rightKey, [toLeft]),
  });
  return { network, left, right };
}

export function configOf(privateKey: Uint8Array, peers: readonly PeerConfig[]): Config {
  return {
    interface: 'heddle0',
    privateKey,
    listenPort: 51820,
    addresses: [],
    table: 'off',
    fwMark: 0,
    datapath: 'reference',
    peers,
    clearPeers: [],
  };
}

/** An application on `from` sends one packet to the other host. */
export function ping({ left, right }: Pair, from: Host, payload = 'ping'): void {
  const inner = ['10.0.0.1', '10.0.0.2'].map((text) => address(text));
  const [source, destination] = from === left ? inner : inner.reverse();
  assertHost(from === left || from === right);
  const bytes = new TextEncoder().encode(payload);
  from.send(ipv4Packet(present(source, 'an address'), present(destination, 'an address'), bytes));
}

/** Brings a session up from the left host, and lets it settle. */
export function connect(pair: Pair): void {
  ping(pair, pair.left);
  pair.network.run(seconds(1));
}

/** What the host knows of its only peer. */
export function onlyPeer(host: Host): PeerSnapshot {
  return present(host.node.snapshot().peers[0], 'the host has a peer');
}

function assertHost(isKnown: boolean): void {
  if (!isKnown) throw new Error('The host is not of this pair');
}
