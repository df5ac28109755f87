/**
 * The running configuration as a file that `wg setconf` takes: from the answer to `get=1` on
 * WireGuard's configuration socket. What such a file cannot say (addresses, names, peers in the
 * clear) stands in comments.
 */

import type { PeerStatus, StatusDocument } from '../api/status.js';
import { fromHex, isZero, toBase64 } from '../base/bytes.js';
import { harmless } from './table.js';

/** The values of one section, by their key in the protocol. */
interface Block {
  readonly values: Map<string, string>;
  readonly allowedIps: string[];
}

/** The key of zeros: a peer may have it, though nobody is there. */
const NO_KEY = toBase64(new Uint8Array(32));

export function formatWgFile(answer: string, status: StatusDocument): string {
  const [device, ...peers] = readBlocks(answer);
  const known = new Map(status.peers.map((peer) => [peer.publicKey, peer]));
  const sections = [
    interfaceSection(device, status),
    ...peers.map((peer) => {
      const publicKey = keyOf(peer, 'public_key') ?? NO_KEY;
      return peerSection(peer, publicKey, known.get(publicKey));
    }),
    ...status.peers.filter(({ publicKey }) => publicKey === null).map(clearPeerSection),
  ];
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

/** The device's lines, then those of each peer. */
function readBlocks(answer: string): Block[] {
  const newBlock = (): Block => ({ values: new Map(), allowedIps: [] });
  let block = newBlock();
  const blocks = [block];
  for (const line of answer.split('\n')) {
    const equals = line.indexOf('=');
    const [key, value] = [line.slice(0, Math.max(0, equals)), line.slice(equals + 1)];
    if (key === 'public_key') {
      block = newBlock();
      blocks.push(block);
    }
    if (key === 'allowed_ip') block.allowedIps.push(value);
    else block.values.set(key, value);
  }
  return blocks;
}

function interfaceSection(device: Block | undefined, status: StatusDocument): string[] {
  const privateKey = keyOf(device, 'private_key');
  const mark = Number(device?.values.get('fwmark') ?? 0);
  const addresses = status.addresses.map((address) => `# Address = ${address}`);
  return [
    `# ${harmless(status.interface)}, as it runs; lines with # are for wg-quick or to know`,
    '[Interface]',
    ...(privateKey === undefined ? [] : [`PrivateKey = ${privateKey}`]),
    `ListenPort = ${device?.values.get('listen_port') ?? 0}`,
    ...(mark === 0 ? [] : [`FwMark = 0x${mark.toString(16)}`]),
    ...addresses,
    `# MTU = ${status.mtu}`,
  ];
}

function peerSection(peer: Block, publicKey: string, known: PeerStatus | undefined): string[] {
  const presharedKey = keyOf(peer, 'preshared_key');
  const endpoint = peer.values.get('endpoint');
  const keepalive = peer.values.get('persistent_keepalive_interval') ?? '0';
  const isBare = known === undefined || known.encapsulation === 'wireguard';
  return [
    ...(known ? [`# ${harmless(known.name)}`] : []),
    ...(isBare ? [] : [`# encapsulation: vxlan-sealed, VNI ${known.vni}, which only heddle has`]),
    '[Peer]',
    `PublicKey = ${publicKey}`,
    ...(presharedKey === undefined ? [] : [`PresharedKey = ${presharedKey}`]),
    ...(peer.allowedIps.length === 0 ? [] : [`AllowedIPs = ${peer.allowedIps.join(', ')}`]),
    ...(endpoint === undefined ? [] : [`Endpoint = ${endpoint}`]),
    ...(keepalive === '0' ? [] : [`PersistentKeepalive = ${keepalive}`]),
  ];
}

/** WireGuard does not know of it. */
function clearPeerSection(peer: PeerStatus): string[] {
  return [
    `# ${harmless(peer.name)}: in the clear, which only heddle has`,
    `# encapsulation: ${peer.encapsulation}${peer.vni === null ? '' : `, VNI ${peer.vni}`}`,
    `# endpoint: ${peer.endpoint ?? 'none'}`,
    `# allowed ips: ${peer.allowedIps.join(', ') || 'none'}`,
  ];
}

/** In base64; undefined where it is zeros or not there. */
function keyOf(block: Block | undefined, name: string): string | undefined {
  const key = fromHex(block?.values.get(name) ?? '');
  return key === undefined || isZero(key) ? undefined : toBase64(key);
}
