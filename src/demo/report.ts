/** What the demo tells: a line a step with the elapsed time, a table of peers, and the proof. */

import type { PeerStatus, StatusDocument } from '../api/status.js';
import { type Column, formatTable } from '../cli/table.js';
import { formatBytes, formatSpan } from '../cli/units.js';
import type { Ping } from './agent.js';
import type { CaptureReport } from './capture.js';
import type { BulkResult } from './traffic.js';

const NAME_WIDTH = 9;

export function formatStep(elapsedMs: number, name: string, detail: string): string {
  const elapsed = (elapsedMs / 1_000).toFixed(1).padStart(5);
  return `[${elapsed} s] ${name.padEnd(NAME_WIDTH)} ${detail}\n`;
}

/** What one host's pings to another amount to. */
export interface PairPings {
  readonly to: string;
  readonly pings: readonly Ping[];
}

export function formatPings(pairs: readonly PairPings[]): string {
  return pairs
    .map(({ to, pings }) => {
      const times = pings.flatMap((ping) => ping.roundTripsMs);
      const sent = pings.reduce((sum, ping) => sum + ping.sent, 0);
      return `${to} ${times.length} of ${sent}, ${formatMs(median(times))}`;
    })
    .join('; ');
}

export function formatBulk(bulk: BulkResult): string {
  const span = `${bulk.seconds.toFixed(1)} s`;
  return `${formatBytes(bulk.bytes)} in ${span}, ${formatRate(bulk)}`;
}

/** One host's part of the table. */
export interface HostRows {
  readonly host: string;
  readonly status: StatusDocument;
  readonly pings: readonly PairPings[];
  /** By peer: what one of the two took from the other. */
  readonly bulk: ReadonlyMap<string, BulkResult>;
}

const COLUMNS: readonly Column[] = [
  { title: 'HOST', align: 'left' },
  { title: 'PEER', align: 'left' },
  { title: 'ENDPOINT', align: 'left' },
  { title: 'CIPHER', align: 'left' },
  { title: 'HANDSHAKE', align: 'right' },
  { title: 'RECEIVED', align: 'right' },
  { title: 'SENT', align: 'right' },
  { title: 'ROUND TRIP', align: 'right' },
  { title: 'THROUGHPUT', align: 'right' },
];

export function formatPeers(rows: readonly HostRows[]): string[] {
  return formatTable(
    COLUMNS,
    rows.flatMap((row) => row.status.peers.map((peer) => peerCells(row, peer))),
  );
}

function peerCells(row: HostRows, peer: PeerStatus): string[] {
  const pings = row.pings.find(({ to }) => to === peer.name)?.pings ?? [];
  const bulk = row.bulk.get(peer.name);
  const age = peer.latestHandshakeAgeSeconds;
  return [
    row.host,
    peer.name,
    peer.endpoint ?? '-',
    peer.cipher ?? '-',
    peer.publicKey === null ? '-' : age === null ? 'never' : `${formatSpan(age)} ago`,
    formatBytes(peer.rxBytes),
    formatBytes(peer.txBytes),
    formatMs(median(pings.flatMap((ping) => ping.roundTripsMs))),
    bulk === undefined ? '-' : formatRate(bulk),
  ];
}

/** What crossed the wire, by what it was. */
export function formatWire(outer: CaptureReport): string {
  const { messages, packets, arp, other, missed, behindVxlan, clear } = outer;
  const { initiation, response, cookie, data, heddleData } = messages;
  const handshakes = `${initiation} initiation, ${response} response, ${cookie} cookie`;
  const sealed = `${handshakes}, ${data} data, ${heddleData} data of heddle's own`;
  const form = behindVxlan > 0 ? 'WireGuard behind VXLAN' : 'WireGuard';
  const inside = clear > 0 ? `${clear} in the clear` : `${form} ${sealed}`;
  const unseen = missed > 0 ? `; ${missed} more came too fast` : '';
  return `${packets} packets, in them ${inside}; ${arp} ARP; ${other} other${unseen}`;
}

function formatRate({ bytes, seconds }: BulkResult): string {
  const megabits = (bytes * 8) / seconds / 1e6;
  return megabits >= 1_000
    ? `${(megabits / 1_000).toFixed(2)} Gbit/s`
    : `${megabits.toFixed(0)} Mbit/s`;
}

function formatMs(ms: number | undefined): string {
  return ms === undefined ? 'no answer' : `${ms.toFixed(2)} ms`;
}

function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
