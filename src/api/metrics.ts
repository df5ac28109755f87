/**
 * The status document as metrics: names and labels are part of the interface, as the document's
 * keys are. Units are in the names (Prometheus' naming rules): seconds, bytes, `_total` for what
 * only grows.
 */

import type { Metric, Sample } from '../metrics/metric.js';
import type { MeshDocument } from './mesh_status.js';
import type { Count, Counts, PeerStatus, StatusDocument } from './status.js';

/** `mesh` undefined: there is none. */
export function metricsOf(status: StatusDocument, mesh: MeshDocument | undefined): Metric[] {
  return [
    ...daemonMetrics(status),
    ...(mesh ? meshMetrics(mesh) : []),
    ...offloadMetrics(status),
    ...walkMetrics(status),
    ...peerMetrics(status.peers),
    ...sessionMetrics(status.peers),
  ];
}

function daemonMetrics(status: StatusDocument): Metric[] {
  const { version, datapath, lanes, uptimeSeconds, health, repairs } = status;
  const labels = { version, interface: status.interface, datapath };
  const warnings = new Map<string, number>();
  for (const { code } of status.warnings) warnings.set(code, (warnings.get(code) ?? 0) + 1);
  return [
    gauge('heddle_info', 'What runs; always 1', [{ labels, value: 1 }]),
    gauge('heddle_lanes', 'Queues and pairs of threads that carry packets', [one(lanes)]),
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

function meshMetrics({ members, drops, sent }: MeshDocument): Metric[] {
  const byStatus = new Map<string, number>();
  for (const { status } of members) byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
  return [
    gauge('heddle_mesh_members', 'Members of the mesh, by status', labelled('status', byStatus)),
    counter(
      'heddle_mesh_dropped_total',
      'Messages and records of the mesh that came to nothing, by reason',
      labelled('reason', Object.entries(drops)),
    ),
    counter('heddle_mesh_sent_messages_total', 'Messages that the mesh sent', [one(sent.messages)]),
    counter('heddle_mesh_sent_bytes_total', 'Bytes of their bodies', [one(sent.bytes)]),
  ];
}

function offloadMetrics({ offloads }: StatusDocument): Metric[] {
  const states = Object.entries(offloads ?? {});
  const inUse = states.map(([name, { isOn }]): [string, number] => [name, isOn ? 1 : 0]);
  const resting = states.map(([name, state]): [string, number] => [name, state.resting]);
  return [
    gauge('heddle_offload_in_use', 'Whether an offload is in use', labelled('offload', inUse)),
    gauge(
      'heddle_offload_resting',
      'Where an offload failed in the last minute and is done without',
      labelled('offload', resting),
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
    peerSamples(peers, read);
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

/** Of those that have a session. */
function sessionMetrics(peers: readonly PeerStatus[]): Metric[] {
  const sealed = peers.flatMap(({ name, encapsulation, protocol, cipher }): Sample[] => {
    if (protocol === null || cipher === null) return [];
    return [{ labels: { peer: name, encapsulation, protocol, cipher }, value: 1 }];
  });
  return [
    gauge('heddle_peer_session_info', 'What the session in use is; always 1', sealed),
    gauge(
      'heddle_peer_lanes',
      'Lanes that send to the peer',
      peerSamples(peers, ({ lanes }) => lanes ?? undefined),
    ),
    gauge(
      'heddle_peer_checksums_left',
      '1 where inner checksums are left to the peer',
      peerSamples(peers, ({ trustsChecksums }) =>
        trustsChecksums === null ? undefined : Number(trustsChecksums),
      ),
    ),
  ];
}

function peerSamples(
  peers: readonly PeerStatus[],
  read: (peer: PeerStatus) => number | undefined,
): Sample[] {
  return peers.flatMap((peer) => {
    const value = read(peer);
    const { name, encapsulation } = peer;
    return value === undefined ? [] : [{ labels: { peer: name, encapsulation }, value }];
  });
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
