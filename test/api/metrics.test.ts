import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { metricsOf } from '../../src/api/metrics.js';
import { statusDocument } from '../../src/api/status.js';
import type { Metric } from '../../src/metrics/metric.js';
import { AUTO_OFFLOADS } from '../../src/node/offloads.js';
import { CLEAR_TRAFFIC, clearSnapshot, peerSnapshot, statusSource } from '../support/status.js';

const test = suite('api/metrics');

function metricsFrom(...given: Parameters<typeof statusSource>): Map<string, Metric> {
  const metrics = metricsOf(statusDocument(statusSource(...given)), undefined);
  return new Map(metrics.map((metric) => [metric.name, metric]));
}

function sampleOf(metric: Metric | undefined, labels: Record<string, string>): number | undefined {
  const wanted = JSON.stringify(labels);
  return metric?.samples.find((sample) => JSON.stringify(sample.labels) === wanted)?.value;
}

test('metrics: drops by reason, zeros too', () => {
  const dropped = metricsFrom().get('heddle_dropped_total');
  assert.is(sampleOf(dropped, { reason: 'replay' }), 3);
  assert.is(sampleOf(dropped, { reason: 'tag' }), 0);
});

test('metrics: plaintext bytes both ways, and not a second time among the counters', () => {
  const counters = { plaintext_in_bytes: 5n, plaintext_out_bytes: 7n, sealed: 1n };
  const metrics = metricsFrom([], { counters });
  const plaintext = metrics.get('heddle_plaintext_bytes_total');
  assert.is(sampleOf(plaintext, { direction: 'received' }), 5);
  assert.is(sampleOf(plaintext, { direction: 'sent' }), 7);
  assert.is(sampleOf(metrics.get('heddle_sealed_total'), {}), 1);
  assert.is(metrics.get('heddle_plaintext_in_bytes_total'), undefined);
});

test('metrics: offloads that are in use, and where they rest', () => {
  const on = { isOn: true, why: '', resting: 0, since: 0 };
  const gso = { ...on, resting: 2, since: 1 };
  const offloads = { tunTcp: on, tunUdp: on, udpGso: gso, udpGro: on, checksums: on };
  const footing = {
    offloads: { ...offloads, tunUdp: { ...on, isOn: false } },
    buffers: { asked: 0, receive: 0, send: 0 },
    aead: [],
  };
  const datapathSource = { switches: AUTO_OFFLOADS, footing, link: undefined };
  const metrics = metricsFrom([], { datapathSource });
  assert.is(sampleOf(metrics.get('heddle_offload_in_use'), { offload: 'udpGso' }), 1);
  assert.is(sampleOf(metrics.get('heddle_offload_in_use'), { offload: 'tunUdp' }), 0);
  assert.is(sampleOf(metrics.get('heddle_offload_resting'), { offload: 'udpGso' }), 2);
});

test('metrics: of each peer, with its name', () => {
  const silent = peerSnapshot({
    name: 'gamma',
    state: 'handshaking',
    latestHandshake: undefined,
  });
  const metrics = metricsFrom([peerSnapshot(), silent]);
  const labels = { peer: 'beta', encapsulation: 'wireguard' };
  assert.is(sampleOf(metrics.get('heddle_peer_received_bytes_total'), labels), 12_390);
  assert.is(sampleOf(metrics.get('heddle_peer_latest_handshake_age_seconds'), labels), 63);
  assert.is(metrics.get('heddle_peer_latest_handshake_age_seconds')?.samples.length, 1);
  const gamma = { ...labels, peer: 'gamma' };
  assert.is(sampleOf(metrics.get('heddle_peer_established'), gamma), 0);
  assert.is(sampleOf(metrics.get('heddle_healthy'), {}), 0);
  assert.is(sampleOf(metrics.get('heddle_warnings'), { code: 'peer_silent' }), 1);
});

test('metrics: what each session is sealed with, of those that there are', () => {
  const fast = peerSnapshot({
    name: 'fast',
    protocol: 'heddle',
    suite: 'aes-256-gcm',
    lanes: 2,
    trustsChecksums: true,
  });
  const idle = peerSnapshot({ ...fast, name: 'idle', state: 'idle' });
  const metrics = metricsFrom([peerSnapshot(), fast, idle], { lanes: 4 });
  const samples = (name: string) => metrics.get(name)?.samples;
  const beta = { peer: 'beta', encapsulation: 'wireguard' };
  const labels = { ...beta, peer: 'fast' };
  assert.equal(samples('heddle_lanes'), [{ labels: {}, value: 4 }]);
  assert.equal(samples('heddle_peer_session_info'), [
    { labels: { ...beta, protocol: 'wireguard', cipher: 'chacha20-poly1305' }, value: 1 },
    { labels: { ...labels, protocol: 'heddle', cipher: 'aes-256-gcm' }, value: 1 },
  ]);
  assert.equal(samples('heddle_peer_lanes'), [
    { labels: beta, value: 1 },
    { labels, value: 2 },
  ]);
  assert.equal(samples('heddle_peer_checksums_left'), [
    { labels: beta, value: 0 },
    { labels, value: 1 },
  ]);
});

test('metrics: plaintext by peer, of those in the clear alone', () => {
  const source = statusSource([peerSnapshot()], { traffic: () => CLEAR_TRAFFIC });
  const snapshot = { ...source.snapshot, clearPeers: [clearSnapshot()] };
  const metrics = metricsOf(statusDocument({ ...source, snapshot }), undefined);
  const plaintext = metrics.find(({ name }) => name === 'heddle_peer_plaintext_bytes_total');
  const labels = { peer: 'old-rack', encapsulation: 'vxlan' };
  assert.equal(plaintext?.samples, [
    { labels: { ...labels, direction: 'received' }, value: 12_190 },
    { labels: { ...labels, direction: 'sent' }, value: 10_758 },
  ]);
});

test('metrics: names follow the rules, and what only grows ends with _total', () => {
  for (const { name, type, help } of metricsFrom().values()) {
    assert.match(name, /^heddle_[a-z0-9_]+$/);
    assert.is(name.endsWith('_total'), type === 'counter', name);
    assert.ok(help.length > 0, name);
  }
});

test.run();
