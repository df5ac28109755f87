/**
 * What a person would write for three hosts: where they form a mesh by join lines, next to nothing;
 * else a key and a configuration file each.
 */

import * as fs from 'node:fs';
import { join } from 'node:path';
import { formatKey, generatePresharedKey, generatePrivateKey } from '../crypto/keys.js';
import { SystemRandom } from '../io/entropy.js';
import { SodiumSuite } from '../io/sodium.js';
import type { DemoHost } from './topology.js';

const LISTEN_PORT = 51820;
/** IANA's port of VXLAN, and Flannel's of its udp backend. */
const CLEAR_PORTS = { vxlan: 4789, udp: 8285 } as const;

export const ENCAPSULATIONS = ['wireguard', 'vxlan-sealed', 'vxlan', 'udp'] as const;
export type DemoEncapsulation = (typeof ENCAPSULATIONS)[number];

export interface DemoFolders {
  readonly configFile: string;
  readonly state: string;
  readonly run: string;
  readonly wireguard: string;
}

export interface DemoOptions {
  readonly datapath: 'native' | 'reference';
  readonly encapsulation: DemoEncapsulation;
}

/** The public half of a host, as the others write it down. */
export interface PeerEntry {
  readonly host: DemoHost;
  readonly publicKey: string;
  readonly presharedKeyFile: string;
}

/** Writes every host's files below `folder`; where they are, in the order of the hosts. */
export function writeConfigurations(
  folder: string,
  hosts: readonly DemoHost[],
  options: DemoOptions,
): DemoFolders[] {
  if (options.encapsulation === 'wireguard') {
    return hosts.map((host) => writeMeshConfiguration(folder, host, options));
  }
  const suite = new SodiumSuite();
  const random = new SystemRandom();
  const presharedKeyFile = join(folder, 'preshared.key');
  writeSecret(presharedKeyFile, formatKey(generatePresharedKey(random)));
  const entries = hosts.map((host): PeerEntry => {
    const privateKey = generatePrivateKey(random);
    fs.mkdirSync(join(folder, host.name), { mode: 0o700 });
    writeSecret(join(folder, host.name, 'private.key'), formatKey(privateKey));
    return { host, publicKey: formatKey(suite.publicKey(privateKey)), presharedKeyFile };
  });
  return hosts.map((host) => {
    const own = join(folder, host.name);
    const configFile = join(own, 'heddle.yaml');
    const peers = entries.filter((entry) => entry.host !== host);
    fs.writeFileSync(configFile, configurationText(host, peers, options));
    const [state, run] = [join(own, 'state'), join(own, 'run')];
    return { configFile, state, run, wireguard: run };
  });
}

/** Keys, addresses and peers come from the mesh. */
function writeMeshConfiguration(
  folder: string,
  host: DemoHost,
  { datapath }: DemoOptions,
): DemoFolders {
  const own = join(folder, host.name);
  fs.mkdirSync(own, { mode: 0o700 });
  const configFile = join(own, 'heddle.yaml');
  fs.writeFileSync(configFile, `mesh: true\ndatapath: ${datapath}\n`);
  const [state, run] = [join(own, 'state'), join(own, 'run')];
  return { configFile, state, run, wireguard: run };
}

function writeSecret(file: string, text: string): void {
  fs.writeFileSync(file, `${text}\n`, { mode: 0o600 });
}

function configurationText(
  host: DemoHost,
  peers: readonly PeerEntry[],
  { datapath, encapsulation }: DemoOptions,
): string {
  const [v4, v6] = host.innerAddresses;
  const lines = [
    'interface: heddle0',
    'privateKeyFile: private.key',
    `listenPort: ${LISTEN_PORT}`,
    `vtepMac: ${host.vtepMac}`,
    `addresses: [${v4}/24, ${v6}/64]`,
    `datapath: ${datapath}`,
    'peers:',
  ];
  for (const peer of peers) lines.push(...peerLines(peer, encapsulation));
  return `${lines.join('\n')}\n`;
}

function peerLines(
  { host, publicKey, presharedKeyFile }: PeerEntry,
  encapsulation: DemoEncapsulation,
): string[] {
  const [v4, v6] = host.innerAddresses;
  const common = [
    `  - name: ${host.name}`,
    `    allowedIps: [${v4}/32, ${v6}/128]`,
    `    encapsulation: ${encapsulation}`,
  ];
  if (isClear(encapsulation)) {
    const endpoint = `    endpoint: ${host.outerAddress}:${CLEAR_PORTS[encapsulation]}`;
    const vtep = encapsulation === 'vxlan' ? [`    vtepMac: ${host.vtepMac}`] : [];
    return [...common, endpoint, ...vtep];
  }
  return [
    ...common,
    '    protocol: heddle',
    `    publicKey: ${publicKey}`,
    `    presharedKeyFile: ${presharedKeyFile}`,
    `    endpoint: ${host.outerAddress}:${LISTEN_PORT}`,
  ];
}

export function isClear(encapsulation: DemoEncapsulation): encapsulation is 'vxlan' | 'udp' {
  return encapsulation === 'vxlan' || encapsulation === 'udp';
}
