import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { statusDocument } from '../../src/api/status.js';
import type { CaptureReport } from '../../src/demo/capture.js';
import {
  formatBulk,
  formatPeers,
  formatPings,
  formatStep,
  formatWire,
} from '../../src/demo/report.js';
import { peerSnapshot, statusSource } from '../support/status.js';

const test = suite('report');

test('report: a step is one line with the elapsed time in front', () => {
  assert.is(formatStep(12_345, 'ping', 'all'), '[ 12.3 s] ping      all\n');
});

test('report: pings of all addresses of a peer count together', () => {
  const pings = [
    { address: '10.77.0.2', sent: 3, roundTripsMs: [9, 1, 2] },
    { address: 'fd77::2', sent: 2, roundTripsMs: [3] },
  ];
  assert.is(formatPings([{ to: 'beta', pings }]), 'beta 4 of 5, 3.00 ms');
  assert.is(formatPings([{ to: 'beta', pings: [] }]), 'beta 0 of 0, no answer');
});

test('report: throughput is in decimal bits, bytes in binary units', () => {
  assert.is(formatBulk({ bytes: 1_250_000_000, seconds: 5 }), '1.16 GiB in 5.0 s, 2.00 Gbit/s');
  assert.is(formatBulk({ bytes: 1_250_000, seconds: 1 }), '1.19 MiB in 1.0 s, 10 Mbit/s');
});

test('report: the table tells what each session is sealed with', () => {
  const idle = peerSnapshot({ name: 'gamma', state: 'idle', latestHandshake: undefined });
  const status = statusDocument(statusSource([peerSnapshot({ suite: 'aes-256-gcm' }), idle]));
  const lines = formatPeers([{ host: 'alpha', status, pings: [], bulk: new Map() }]);
  assert.match(lines[0] ?? '', /ENDPOINT +CIPHER +HANDSHAKE/);
  assert.match(lines[1] ?? '', /^alpha +beta +192\.0\.2\.7:51820 +aes-256-gcm +1 m 3 s ago/);
  assert.match(lines[2] ?? '', /^alpha +gamma +192\.0\.2\.7:51820 +- +never/);
});

test('report: the wire is told by kinds, and what was not seen is not hidden', () => {
  const outer: CaptureReport = {
    packets: 12,
    withMarker: 0,
    messages: { initiation: 1, response: 2, cookie: 0, data: 30, heddleData: 9 },
    behindVxlan: 0,
    clear: 0,
    arp: 4,
    other: 0,
    missed: 0,
    samples: [],
  };
  const kinds = "1 initiation, 2 response, 0 cookie, 30 data, 9 data of heddle's own";
  assert.is(formatWire(outer), `12 packets, in them WireGuard ${kinds}; 4 ARP; 0 other`);
  assert.match(formatWire({ ...outer, missed: 7 }), /; 7 more came too fast$/);
});

test.run();
