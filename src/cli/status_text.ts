/**
 * The screen of `heddle status`: what a person wants to know first, one line a peer, and nothing
 * that is not so.
 */

import type { MeshSummary } from '../api/mesh_summary.js';
import type { PeerStatus, StatusDocument } from '../api/status.js';
import { formatDatapath } from './datapath_text.js';
import { formatSeals } from './seal_text.js';
import type { Style } from './style.js';
import { type Column, formatTable, harmless } from './table.js';
import { formatBytes, formatSpan } from './units.js';

/** Prefixes listed in a line; the count of the others follows. */
const LISTED_PREFIXES = 3;
/** Peers on the screen; `--json` has them all. */
const LISTED_PEERS = 100;

const COLUMNS: readonly Column[] = [
  { title: 'PEER', align: 'left' },
  { title: 'STATE', align: 'left' },
  { title: 'ENDPOINT', align: 'left' },
  { title: 'HANDSHAKE', align: 'left' },
  { title: 'RECEIVED', align: 'right' },
  { title: 'SENT', align: 'right' },
  { title: 'ALLOWED IPS', align: 'left' },
];

export interface Screen {
  /** The columns of the terminal; undefined when it is none, and then nothing is cut. */
  readonly width?: number | undefined;
  /** Also what the datapath runs on, and what sessions are sealed with. */
  readonly isVerbose?: boolean;
}

export function formatStatus(status: StatusDocument, style: Style, screen: Screen = {}): string {
  const sections = [
    formatHeader(status, style),
    formatPeers(status, style, screen.width),
    screen.isVerbose ? formatDatapath(status) : [],
    screen.isVerbose ? formatSeals(status.peers, LISTED_PEERS) : [],
    formatTrouble(status, style),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function formatHeader(status: StatusDocument, style: Style): string[] {
  const facts = [
    `up ${formatSpan(status.uptimeSeconds)}`,
    `UDP port ${status.listenPort}`,
    `MTU ${status.mtu}`,
    `${status.datapath} datapath`,
    ...(status.lanes > 1 ? [`${status.lanes} lanes`] : []),
  ];
  return [
    `${style.bold(harmless(status.interface))}  ${facts.join(', ')}`,
    `  public key  ${status.publicKey}`,
    ...(status.peers.some(isClear) ? [`  VTEP        ${status.vtepMac}`] : []),
    `  addresses   ${status.addresses.join(', ') || 'none'}`,
    ...(status.mesh ? [`  mesh        ${meshText(status.mesh)}`] : []),
  ];
}

/** `home, 7 members: 6 alive, 1 failed`. */
function meshText({ phase, network, members }: MeshSummary): string {
  const counts = Object.entries(members);
  const sum = counts.reduce((total, [, amount]) => total + amount, 0);
  const name = network === null ? 'none' : harmless(network);
  if (phase !== 'member') return `${name}, not a member`;
  const states = counts.map(([state, amount]) => `${amount} ${state}`).join(', ');
  return `${name}, ${sum === 1 ? '1 member' : `${sum} members`}: ${states}`;
}

function formatPeers({ peers, mesh }: StatusDocument, style: Style, width?: number): string[] {
  if (peers.length === 0) {
    const mean = mesh ? 'ask an admin for a join line' : 'add them to the configuration file';
    const isIn = mesh?.phase === 'member';
    return [isIn ? 'No peers yet: `heddle invite` prints a join line' : `No peers yet: ${mean}`];
  }
  const listed = peers.slice(0, LISTED_PEERS);
  const lines = formatTable(COLUMNS, listed.map(peerRow), width);
  const more = peers.length - listed.length;
  return [
    style.dim(lines[0] ?? ''),
    ...lines.slice(1).map((line, i) => colourState(line, listed[i], style)),
    ...(more > 0 ? [`... and ${more} more; \`heddle status --json\` lists them all`] : []),
  ];
}

function peerRow(peer: PeerStatus): string[] {
  const age = peer.latestHandshakeAgeSeconds;
  const hidden = peer.allowedIps.length - LISTED_PREFIXES;
  const prefixes = peer.allowedIps.slice(0, LISTED_PREFIXES).join(', ');
  return [
    harmless(peer.name),
    stateWord(peer),
    peer.endpoint ?? '-',
    isClear(peer) ? '-' : age === null ? 'never' : `${formatSpan(age)} ago`,
    formatBytes(peer.rxBytes),
    formatBytes(peer.txBytes),
    hidden > 0 ? `${prefixes} +${hidden}` : prefixes || '-',
  ];
}

function stateWord(peer: PeerStatus): string {
  if (isClear(peer)) return peer.state === 'established' ? 'in the clear' : 'ended';
  switch (peer.state) {
    case 'established':
      return 'connected';
    case 'handshaking':
      return 'calling';
    case 'idle':
      return 'idle';
  }
}

function isClear(peer: PeerStatus): boolean {
  return peer.publicKey === null;
}

/**
 * Colours the state after the line was measured: escapes have no width, but count as characters.
 */
function colourState(line: string, peer: PeerStatus | undefined, style: Style): string {
  if (!peer || (peer.state === 'idle' && !isClear(peer))) return line;
  const word = stateWord(peer);
  const at = line.indexOf(`  ${word} `, harmless(peer.name).length) + 2;
  if (at < 2) return line;
  const colour = peer.state === 'established' && !isClear(peer) ? style.good : style.bad;
  return line.slice(0, at) + colour(word) + line.slice(at + word.length);
}

function formatTrouble(status: StatusDocument, style: Style): string[] {
  const drops = Object.entries(status.dropsByReason)
    .filter(([, amount]) => Number(amount) > 0)
    .map(([reason, amount]) => `${reason} ${amount}`);
  const lines = status.warnings
    .slice(0, LISTED_PEERS)
    .flatMap((warning) => [
      `${style.bad('warning')}  ${harmless(warning.text)}`,
      `         ${harmless(warning.fix)}`,
    ]);
  return drops.length === 0 ? lines : [...lines, `dropped  ${drops.join(', ')}`];
}
