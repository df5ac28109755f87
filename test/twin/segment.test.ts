/** Native super-packets are cut as segment.ts cuts them, whatever their headers say. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat } from '../../src/base/bytes.js';
import type { SeededRandom } from '../../src/base/random.js';
import { innerLength } from '../../src/datapath/classify.js';
import { segment } from '../../src/datapath/segment.js';
import { paddedLength } from '../../src/encap/wireguard.js';
import {
  emitVirtioNet,
  VIRTIO_NET_BYTES,
  type VirtioNetHeader,
} from '../../src/wire/virtio_net.js';
import { equalBytes } from '../support/bytes.js';
import { ipv4, ipv6, tcp, udp } from '../support/inner_packets.js';
import { OffloadEngine } from '../support/offload_engine.js';
import { withSeed } from '../support/seed.js';

const twin = suite('twin segment');

const FRAMES = Number(process.env.TWIN_FRAMES ?? 50_000);
const [NEEDS_CSUM, NONE, TCP4, TCP6, UDP, ECN] = [1, 0, 1, 4, 5, 0x80];

interface Frame {
  readonly header: VirtioNetHeader;
  readonly packet: Uint8Array;
}

/** As the kernel would hand it over, or nearly so. */
function randomFrame(random: SeededRandom): Frame {
  const family = random.below(2) === 0 ? (4 as const) : (6 as const);
  const isTcp = random.below(3) > 0;
  const most = random.below(200) === 0 ? 60_000 : 600;
  const payload = random.bytes(random.below(most));
  const shared = { family, identifier: random.below(65_536), tos: random.below(256), payload };
  const packet = isTcp
    ? tcp({
        ...shared,
        sequence: random.u32(),
        flags: random.below(256),
        options: 4 * random.below(11),
      })
    : udp({ ...shared, isSummed: random.below(4) > 0 });
  const tcpType = family === 4 ? TCP4 : TCP6;
  const gsoType = random.below(6) === 0 ? NONE : isTcp ? tcpType | (random.below(2) * ECN) : UDP;
  const at = family === 4 ? 20 : 40;
  const header: VirtioNetHeader = {
    flags: random.below(4) > 0 ? NEEDS_CSUM : 0,
    gsoType,
    headerLength: random.below(100),
    gsoSize: 1 + random.below(most === 600 ? 200 : 1500),
    checksumStart: at,
    checksumOffset: isTcp ? 16 : 6,
  };
  return random.below(4) === 0 ? damaged({ header, packet }, random) : { header, packet };
}

/** Something about it is not as the kernel would have it. */
function damaged({ header, packet }: Frame, random: SeededRandom): Frame {
  const changed = packet.slice();
  changed[random.below(Math.min(64, packet.length))] = random.below(256);
  const headers: readonly VirtioNetHeader[] = [
    header,
    { ...header, gsoSize: 0 },
    { ...header, gsoSize: 65_535 },
    { ...header, gsoType: random.below(256) },
    { ...header, gsoType: [TCP4, TCP6, UDP][random.below(3)] ?? 0 },
    { ...header, checksumStart: random.below(packet.length + 10) },
    { ...header, checksumStart: 65_535, checksumOffset: 65_535 },
    { ...header, checksumOffset: random.below(packet.length + 10) },
  ];
  const packets: readonly Uint8Array[] = [
    packet,
    packet,
    changed,
    packet.slice(0, random.below(packet.length)),
    concat(packet, random.bytes(1 + random.below(8))),
    ipv4({ bytes: 20 + random.below(200) }),
    ipv6({ bytes: 40 + random.below(200) }),
  ];
  return {
    header: headers[random.below(headers.length)] ?? header,
    packet: packets[random.below(packets.length)] ?? packet,
  };
}

function frameOf({ header, packet }: Frame): Uint8Array {
  const frame = new Uint8Array(VIRTIO_NET_BYTES + packet.length);
  emitVirtioNet(frame, 0, header);
  frame.set(packet, VIRTIO_NET_BYTES);
  return frame;
}

/** What the walk may send: whole packets, each padded. */
function expectedOf({ header, packet }: Frame): Uint8Array[] {
  const packets = segment(header, packet) ?? [];
  return packets.filter(isWhole).map((cutOut) => {
    const padded = new Uint8Array(paddedLength(cutOut.length, 0));
    padded.set(cutOut);
    return padded;
  });
}

function isWhole(packet: Uint8Array): boolean {
  return packet.length > 0 && innerLength(packet) === packet.length;
}

twin('twin segment: native super-packets are cut the same way (WG-22)', () => {
  const engine = new OffloadEngine();
  try {
    withSeed('segment', (random) => {
      let [cut, refused] = [0, 0];
      for (let i = 0; i < FRAMES; i++) {
        const frame = randomFrame(random);
        const expected = expectedOf(frame);
        const actual = engine.cut(frameOf(frame));
        const which = `frame ${i}, ${JSON.stringify(frame.header)}`;
        assert.is(actual.length, expected.length, `packets of ${which}`);
        for (const [at, packet] of expected.entries()) {
          equalBytes(actual[at], packet, `packet ${at} of ${which}`);
        }
        cut += expected.length;
        refused += expected.length === 0 ? 1 : 0;
        assert.is(engine.dropped('inner_malformed'), refused, `${which} is refused by one alone`);
      }
      assert.ok(cut > 2 * FRAMES, 'most are super-packets');
      assert.ok(refused > FRAMES / 50, 'some are refused');
    });
  } finally {
    engine.close();
  }
});

twin.run();
