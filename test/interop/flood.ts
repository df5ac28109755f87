/**
 * A sender of UDP datagrams with invented IPv4 source addresses, at a bounded rate for a bounded
 * time.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toHex } from '../../src/base/bytes.js';
import type { Lab, LabHost } from '../support/netns.js';

export interface FloodPlan {
  /** Sent over and over, in turn. */
  readonly payloads: readonly Uint8Array[];
  readonly to: string;
  readonly port: number;
  readonly perSecond: number;
  readonly seconds: number;
  /** As many addresses, from this one on: a power of two. */
  readonly sources: { readonly first: string; readonly count: number };
}

const PROGRAM = `
import json, os, random, socket, struct, sys, time
plan = json.load(open(sys.argv[1]))
number = lambda text: struct.unpack('!I', socket.inet_aton(text))[0]
first, mask, to = number(plan['first']), plan['count'] - 1, number(plan['to'])
payloads = [bytes.fromhex(text) for text in plan['payloads']]
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
head, where, bits = struct.Struct('!BBHHHBBHIIHHHH'), (plan['to'], 0), random.getrandbits
started, sent, port, step = time.monotonic(), 0, plan['port'], plan['perSecond'] / 500
while True:
    passed = time.monotonic() - started
    if passed >= plan['seconds']: break
    for _ in range(int(min(passed * plan['perSecond'] - sent, 4 * step))):
        payload = payloads[sent % len(payloads)]
        udp, chance = 8 + len(payload), bits(48)
        source = first + (chance >> 16 & mask)
        raw.sendto(head.pack(0x45, 0, 20 + udp, 0, 0, 64, 17, 0, source, to,
                             1024 + (chance & 0x7fff), port, udp, 0) + payload, where)
        sent += 1
    time.sleep(0.002)
print(sent)
`;

/** Sends from `host`; resolves to how many datagrams it sent. */
export async function flood(lab: Lab, host: LabHost, plan: FloodPlan): Promise<number> {
  const { sources, payloads, ...rest } = plan;
  const file = join(lab.folder, `${host.name}-flood.json`);
  writeFileSync(file, JSON.stringify({ ...rest, ...sources, payloads: payloads.map(toHex) }));
  const limitMs = plan.seconds * 1_000 + 10_000;
  return Number(await host.must(['python3', '-c', PROGRAM, file], { limitMs }));
}
