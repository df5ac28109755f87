/**
 * The status document as metrics: names and labels are part of the interface, as the document's
 * keys are. Units are in the names (Prometheus' naming rules): seconds, bytes, `_total` for what
 * only grows.
 */

import type { Metric, Sample } from '../metrics/metric.js';
import type { Count, Counts, PeerStatus, StatusDocument } from './status.js';

export function metricsOf(status: StatusDocument): Metric[] {
  return [...daemonMetrics(status), ...walkMetrics(status), ...peerMetrics(status.peers)];
}

function daemonMetrics(status: StatusDocument): Metric[] {
  const { version, datapath, uptimeSeconds, health, repairs } = status;
  const labels = { version, interface: status.interface, datapath };
  const warnings = new Map<string, number>();
  for (const { code } of status.warnings) warnings.set(code, (warnings.get(code) ?? 0) + 1);
  return [
    gauge('heddle_info', 'What runs; always 1', [{ labels, value: 1 }]),
    gauge('heddle_uptime_seconds', 'Since the daemon started', [one(uptimeSeconds)]),
    gauge('heddle_healthy', '1, or 0 while `heddle status` says degraded', [
      one(health === 'ok' ? 1 : 0),
    ]),
    gauge('heddle_warnings', 'Warnings of `heddle status`, by code', labelled('code', warnings)),
    counter(
      'heddle_repairs_total',
      'Changes by others to what is ours in the host, put right, by kind',
      labelled('kind', Object.entries(repairs)),
    ),
  ];
}

function walkMetrics({ counters, dropsByReason }: StatusDocument): Metric[] {
  const { plaintext_in_bytes: read = 0, plaintext_out_bytes: written = 0, ...others } = counters;
  return [
    counter(
      'heddle_dropped_total',
      'Packets and handshakes that came to nothing, by reason',
      labelled('reason', entries(dropsByReason)),
    ),
    counter(
      'heddle_plaintext_bytes_total',
      'Inner bytes that crossed the underlay in the clear',
      labelled('direction', entries({ received: read, sent: written })),
    ),
    ...entries(others).map(([name, value]) =>
      counter(`heddle_${name}_total`, `The walk's counter ${name}`, [one(value)]),
    ),
  ];
}

function peerMetrics(peers: readonly PeerStatus[]): Metric[] {
  const perPeer = (read: (peer: PeerStatus) => number | undefined): Sample[] =>
    peers.flatMap((peer) => {
      const value = read(peer);
      const { name, encapsulation } = peer;
      return value === undefined ? [] : [{ labels: { peer: name, encapsulation }, value }];
    });
  return [
    gauge(
      'heddle_peer_established',
      '1 while there is a session, or the peer needs none',
      perPeer(({ state }) => (state === 'established' ? 1 : 0)),
    ),
    gauge(
      'heddle_peer_latest_handshake_age_seconds',
      'Since the session in use was made',
      perPeer(({ latestHandshakeAgeSeconds }) => latestHandshakeAgeSeconds ?? undefined),
    ),
    counter(
      'heddle_peer_received_bytes_total',
      'Bytes of messages, as `wg show` counts',
      perPeer(({ rxBytes }) => Number(rxBytes)),
    ),
    counter(
      'heddle_peer_sent_bytes_total',
      'Bytes of messages, as `wg show` counts',
      perPeer(({ txBytes }) => Number(txBytes)),
    ),
    counter(
      'heddle_peer_received_packets_total',
      'Messages received',
      perPeer(({ rxPackets }) => Number(rxPackets)),
    ),
    counter(
      'heddle_peer_sent_packets_total',
      'Messages sent',
      perPeer(({ txPackets }) => Number(txPackets)),
    ),
    counter(
      'heddle_peer_plaintext_bytes_total',
      'Inner bytes that crossed the underlay in the clear, by peer',
      plaintextSamples(peers),
    ),
  ];
}

/** Of those in the clear, which alone have any. */
function plaintextSamples(peers: readonly PeerStatus[]): Sample[] {
  return peers.flatMap(({ name, encapsulation, plaintextBytes }) => {
    if (plaintextBytes === null) return [];
    const labels = { peer: name, encapsulation };
    return [
      { labels: { ...labels, direction: 'received' }, value: Number(plaintextBytes.received) },
      { labels: { ...labels, direction: 'sent' }, value: Number(plaintextBytes.sent) },
    ];
  });
}

function counter(name: string, help: string, samples: readonly Sample[]): Metric {
  return { name, help, type: 'counter', samples };
}

function gauge(name: string, help: string, samples: readonly Sample[]): Metric {
  return { name, help, type: 'gauge', samples };
}

function one(value: number): Sample {
  return { labels: {}, value };
}

function labelled(label: string, values: Iterable<readonly [string, number]>): Sample[] {
  return Array.from(values, ([name, value]) => ({ labels: { [label]: name }, value }));
}

/** Past 2^53 the nearest number, which is all that Prometheus keeps. */
function entries(counts: Counts | Readonly<Record<string, Count>>): [string, number][] {
  return Object.entries(counts).map(([name, value]) => [name, Number(value)]);
}
