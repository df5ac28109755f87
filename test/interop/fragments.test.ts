/** Sealed datagrams in fragments: the kernel makes them whole, or nothing comes of them. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { toHex } from '../../src/base/bytes.js';
import { ipv4 } from '../support/inner_packets.js';
import { pause, waitUntil } from '../support/netns.js';
import { FOE, growth, NEAR, PORT, type Rig, readCounts, startBoth, withRig } from './rig.js';
import { Caller, Stranger, type StrangersSession } from './stranger.js';

const fragments = suite('interop/fragments');

/** How a datagram is cut and in what order its parts are sent. */
type Way = 'tiny' | 'backwards' | 'twice' | 'overlapping' | 'without its end';

/** Sends each datagram in fragments of 8 bytes; their UDP header has no checksum (RFC 768). */
const PROGRAM = `
import socket, struct, sys
to, port, own, way = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
number = 4000
for line in sys.argv[5:]:
    payload = bytes.fromhex(line)
    whole = struct.pack('!HHHH', 5000, port, 8 + len(payload), 0) + payload
    parts = [(at, whole[at:at + 8]) for at in range(0, len(whole), 8)]
    last = parts[-1][0]
    if way == 'backwards': parts.reverse()
    if way == 'twice': parts = [part for part in parts for _ in range(2)]
    if way == 'overlapping': parts.insert(2, (8, whole[8:24]))
    if way == 'without its end': parts.pop()
    number += 1
    for at, part in parts:
        flags = (0x2000 if at != last else 0) | at // 8
        head = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(part), number, flags, 64, 17, 0,
                           socket.inet_aton(own), socket.inet_aton(to))
        raw.sendto(head + part, (to, 0))
`;

async function sendInParts(rig: Rig, way: Way, datagrams: readonly Uint8Array[]): Promise<void> {
  const words = [NEAR.evil, String(PORT), FOE.evil, way, ...datagrams.map(toHex)];
  await rig.foe.must(['python3', '-c', PROGRAM, ...words]);
}

async function callIn(rig: Rig): Promise<StrangersSession> {
  const foe = await Stranger.start(rig.foe, { address: NEAR.evil, port: PORT });
  const caller = new Caller(rig.foeKeys, rig.nearKey);
  const made = caller.initiation();
  foe.send(made.datagram);
  await waitUntil('the response is here', 3_000, () => foe.heard.length > 0);
  return caller.consume(made, foe.heard[0] ?? new Uint8Array(0));
}

const COUNT = 5;
/** Whether the kernel hands on what is sent this way. */
const WAYS: readonly (readonly [Way, boolean])[] = [
  ['tiny', true],
  ['backwards', true],
  ['twice', true],
  ['overlapping', false],
  ['without its end', false],
];

fragments('a datagram in fragments is whole when it is here, or it is not here (row 12)', () =>
  withRig(async (rig) => {
    const { nearEnd } = await startBoth(rig);
    const session = await callIn(rig);
    for (const [way, isWhole] of WAYS) {
      const before = await readCounts(nearEnd);
      const inner = ipv4({ source: FOE.inner, destination: NEAR.inner, bytes: 92 });
      const datagrams = Array.from({ length: COUNT }, () => session.seal(inner));
      await sendInParts(rig, way, datagrams);
      const opened = async () => growth(before, await readCounts(nearEnd)).opened ?? 0;
      if (isWhole)
        await waitUntil(`${way}: all are opened`, 3_000, async () => (await opened()) > 4);
      else await pause(200);
      const changed = growth(before, await readCounts(nearEnd));
      const told = `${way}: ${JSON.stringify(changed)}`;
      assert.is(changed.opened ?? 0, isWhole ? COUNT : 0, told);
      assert.is(changed.datagram_in ?? 0, isWhole ? COUNT : 0, told);
    }
  }),
);

fragments.run();
