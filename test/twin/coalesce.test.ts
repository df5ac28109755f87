/** Native lanes join opened packets as coalesce.ts does, frame by frame. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { present } from '../../src/base/assert.js';
import type { SeededRandom } from '../../src/base/random.js';
import { innerLength } from '../../src/datapath/classify.js';
import { coalesce } from '../../src/datapath/coalesce.js';
import { segment } from '../../src/datapath/segment.js';
import { parseVirtioNet, VIRTIO_NET_BYTES } from '../../src/wire/virtio_net.js';
import { equalBytes } from '../support/bytes.js';
import { ipv4, ipv6, tcp, udp } from '../support/inner_packets.js';
import { OffloadEngine } from '../support/offload_engine.js';
import { withSeed } from '../support/seed.js';

const twin = suite('twin coalesce');

/** Packets in all. */
const PACKETS = Number(process.env.TWIN_PACKETS ?? 100_000);
const [PSH, ACK] = [8, 16];

/** One receive of several flows, mostly in order and mostly right. */
function receive(random: SeededRandom): Uint8Array[] {
  const isLong = random.below(60) === 0;
  const flows = Array.from({ length: 1 + random.below(12) }, (_, i) => ({
    isTcp: random.below(3) > 0,
    family: random.below(2) === 0 ? (4 as const) : (6 as const),
    sourcePort: 1000 + random.below(4),
    destinationPort: random.below(20) === 0 ? 4789 : 443 + (i % 3),
    payload: 1 + random.below(isLong ? 1300 : 60),
    fragment: 0x4000 * random.below(2),
    identifier: random.below(65_536),
    sequence: random.u32(),
    options: 4 * random.below(3),
    isSummed: random.below(5) > 0,
  }));
  return Array.from({ length: 1 + random.below(isLong ? 45 : 64) }, () => {
    const flow = present(flows[random.below(flows.length)], 'a flow');
    const disturbance = random.below(60);
    const payload = disturbance < 2 ? random.below(90) : flow.payload;
    const flags = disturbance === 2 ? random.below(256) : disturbance < 6 ? ACK | PSH : ACK;
    const shared = { ...flow, payload: random.bytes(payload), flags };
    if (disturbance !== 6) flow.identifier = (flow.identifier + 1) & 0xffff;
    if (disturbance !== 7) flow.sequence = (flow.sequence + payload) >>> 0;
    const packet = flow.isTcp ? tcp(shared) : udp(shared);
    return disturbance > 56 ? another(packet, random) : packet;
  });
}

/** Something else than a right TCP or UDP packet. */
function another(packet: Uint8Array, random: SeededRandom): Uint8Array {
  const changed = packet.slice();
  changed[random.below(Math.min(70, packet.length))] = random.below(256);
  const others = [changed, changed, changed, ipv4(), ipv6(), Uint8Array.of(0x45), random.bytes(30)];
  return others[random.below(others.length)] ?? packet;
}

/** What the walk takes as inner packets, without what stands behind them. */
function wholeOnes(plaintexts: readonly Uint8Array[]): Uint8Array[] {
  const longest = Math.max(...plaintexts.map(({ length }) => length));
  return plaintexts.flatMap((plaintext) => {
    const padded = new Uint8Array(longest);
    padded.set(plaintext);
    const length = innerLength(padded);
    return length === 0 ? [] : [padded.slice(0, length)];
  });
}

function cutAgain(frame: Uint8Array): Uint8Array[] {
  const header = present(parseVirtioNet(frame, 0), 'a virtio-net header');
  return present(segment(header, frame.subarray(VIRTIO_NET_BYTES)), 'a frame that can be cut');
}

twin('twin coalesce: native frames are those of the reference, byte for byte (WG-22)', () => {
  const engine = new OffloadEngine();
  try {
    withSeed('coalesce', (random) => {
      let [given, frames, cut] = [0, 0, 0];
      for (let round = 0; given < PACKETS; round++) {
        const plaintexts = receive(random);
        const packets = wholeOnes(plaintexts);
        const expected = coalesce(packets, { tcp: true, udp: true });
        const actual = engine.join(plaintexts);
        for (const [at, frame] of expected.entries()) {
          equalBytes(actual[at], frame, `frame ${at} of round ${round}`);
        }
        assert.is(actual.length, expected.length, `frames of round ${round}`);
        given += packets.length;
        frames += actual.length;
        for (const frame of actual) cut += cutAgain(frame).length;
      }
      assert.is(cut, given, 'cut again, each packet is there once');
      assert.ok(frames < given / 2, `${given} packets became ${frames} frames`);
    });
  } finally {
    engine.close();
  }
});

twin.run();
