/**
 * The screen of `heddle show`: blocks in the manner of `wg show`, every peer with all that is
 * known.
 */

import type { PeerStatus, StatusDocument } from '../api/status.js';
import { sealText } from './seal_text.js';
import type { Style } from './style.js';
import { harmless } from './table.js';
import { formatAgo, formatBytes } from './units.js';

export function formatShow(status: StatusDocument, style: Style): string {
  const blocks = [
    interfaceBlock(status, style),
    ...status.peers.map((peer) => peerBlock(peer, style)),
  ];
  return `${blocks.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function interfaceBlock(status: StatusDocument, style: Style): string[] {
  return [
    `${style.good('interface')}: ${harmless(status.interface)}`,
    `  public key: ${status.publicKey}`,
    '  private key: (hidden)',
    ...(hasClearPeers(status) ? [`  vtep: ${status.vtepMac}`] : []),
    `  listening port: ${status.listenPort}`,
    ...(status.addresses.length > 0 ? [`  addresses: ${status.addresses.join(', ')}`] : []),
    `  mtu: ${status.mtu}`,
    ...(status.fwMark === 0 ? [] : [`  fwmark: 0x${status.fwMark.toString(16)}`]),
    `  datapath: ${status.datapath}`,
    ...(status.lanes > 1 ? [`  lanes: ${status.lanes}`] : []),
    ...status.remarks.map((remark) => `  remark: ${harmless(remark)}`),
  ];
}

function hasClearPeers(status: StatusDocument): boolean {
  return status.peers.some(({ publicKey }) => publicKey === null);
}

function peerBlock(peer: PeerStatus, style: Style): string[] {
  const { endpoint, latestHandshakeAgeSeconds: age, persistentKeepaliveSeconds: keepalive } = peer;
  const roundTrip = peer.handshakeRoundTripMs;
  return [
    `${style.bold('peer')}: ${peer.publicKey ?? style.bad('in the clear')}`,
    `  name: ${harmless(peer.name)}`,
    ...(peer.hasPresharedKey ? ['  preshared key: (hidden)'] : []),
    ...(endpoint === null ? [] : [`  endpoint: ${endpoint}`]),
    ...encapsulationLines(peer),
    ...(peer.protocol === 'heddle' ? [`  protocol: ${sealText(peer)}`] : []),
    `  allowed ips: ${peer.allowedIps.join(', ') || '(none)'}`,
    ...(age === null ? [] : [`  latest handshake: ${formatAgo(age)}`]),
    ...(roundTrip === null ? [] : [`  handshake round trip: ${roundTrip.toFixed(1)} ms`]),
    `  transfer: ${formatBytes(peer.rxBytes)} received, ${formatBytes(peer.txBytes)} sent`,
    ...(keepalive === null ? [] : [`  persistent keepalive: every ${keepalive} seconds`]),
  ];
}

/** Nothing for what every peer is unless it is told otherwise. */
function encapsulationLines(peer: PeerStatus): string[] {
  const { encapsulation, vni, vtepMac, plaintextBytes } = peer;
  if (encapsulation === 'wireguard') return [];
  const network = vni === null ? '' : ` ${vni}`;
  const vtep = vtepMac === null ? '' : ` at ${vtepMac}`;
  const lines = [`  encapsulation: ${encapsulation}${network}${vtep}`];
  if (plaintextBytes === null) return lines;
  const { received, sent } = plaintextBytes;
  const bytes = `${formatBytes(received)} received, ${formatBytes(sent)} sent`;
  const end = peer.state === 'established' ? 'until' : 'ended';
  return [
    ...lines,
    `  plaintext: ${bytes} since ${peer.plaintextSince}`,
    ...(peer.plaintextUntil === null ? [] : [`  plaintext ${end}: ${peer.plaintextUntil}`]),
  ];
}
