/**
 * WireGuard's own exam, group 4: a peer's endpoint moves with every authenticated packet (WireGuard
 * §2.1), be it to another address or another port, and with nothing else (WG-6). That recorded
 * datagrams from another address move nothing stands in attacks.test.ts.
 */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat, storeLe32 } from '../../src/base/bytes.js';
import { ip, type Lab, type LabHost, pings, reaches, waitUntil } from '../support/netns.js';
import { Capture } from './capture.js';
import { at, FAR, NEAR, neighbours, PORT, tunnels, withLab } from './pair.js';
import { type CapturedDatagram, datagramsIn } from './pcap.js';
import { growth, readCounts } from './rig.js';
import { noiseInitiation, Stranger } from './stranger.js';
import { HeddleEnd } from './tunnels.js';

export const timeLimitSeconds = 60;

const roaming = suite('exam: roaming');

const UNDER = {
  4: { near: '192.0.2.1', moved: '192.0.2.77', far: '192.0.2.2', length: 24 },
  6: { near: '2001:db8:9::1', moved: '2001:db8:9::77', far: '2001:db8:9::2', length: 64 },
} as const;
/** Not the peer's, so that what comes from there is refused after it is opened. */
const REFUSED = '10.77.0.9';
const OTHER_PORT = 6001;

async function startPair(lab: Lab, family: 4 | 6, datapath: 'native' | 'reference') {
  const under = UNDER[family];
  const on = (address: string): string[] => [`${address}/${under.length}`];
  const { near, far } = neighbours(lab, on(under.near), on(under.far));
  const made = tunnels({ near: { endpoint: at(under.far) } });
  const capture = await Capture.start(lab, far, 'under');
  const farEnd = await HeddleEnd.start(lab, far, { ...made.far, datapath });
  await HeddleEnd.start(lab, near, made.near);
  await pings(near, FAR.inner);
  ip(near, 'addr', 'add', `${REFUSED}/32`, 'dev', 'hd0');
  return { near, far, farEnd, capture, farKey: made.near.peers[0]?.publicKey ?? '' };
}

/** What leaves from the daemon's port leaves from another, and what comes to that one arrives. */
async function changePort(near: LabHost): Promise<void> {
  const rules = [
    'add table inet t',
    'add chain inet t out { type filter hook output priority 0; }',
    `add rule inet t out udp sport ${PORT} udp sport set ${OTHER_PORT}`,
    'add chain inet t in { type filter hook prerouting priority 0; }',
    `add rule inet t in udp dport ${OTHER_PORT} udp dport set ${PORT}`,
  ];
  await near.must(['nft', rules.join('; ')]);
}

function changeAddress(near: LabHost, from: string, to: string, length: number): void {
  const quick = to.includes(':') ? ['nodad'] : [];
  ip(near, 'addr', 'del', `${from}/${length}`, 'dev', 'under');
  ip(near, 'addr', 'add', `${to}/${length}`, 'dev', 'under', ...quick);
}

/** One packet reaches the far end, which opens and refuses it: its endpoint is then `expected`. */
async function movesOnOne(near: LabHost, farEnd: HeddleEnd, expected: string): Promise<void> {
  const before = await readCounts(farEnd);
  assert.not(await reaches(near, FAR.inner, '-I', REFUSED, '-W', '0.1'));
  const changed = growth(before, await readCounts(farEnd));
  // A daemon that sees its own address change tells its peers with a keepalive, too.
  const { datagram_in = 0, keepalive_in = 0, opened_source } = changed;
  assert.equal([datagram_in - keepalive_in, opened_source], [1, 1], JSON.stringify(changed));
  assert.is((await farEnd.peer()).endpoint, expected);
}

for (const [family, datapath] of [
  [4, 'native'],
  [6, 'native'],
  [6, 'reference'],
] as const) {
  const how = `over IPv${family} with the ${datapath} hand`;
  roaming(`one packet moves the endpoint, even one that is refused, ${how} (WG-6)`, () =>
    withLab(async (lab) => {
      const { near: first, moved, length } = UNDER[family];
      const { near, far, farEnd } = await startPair(lab, family, datapath);
      assert.is((await farEnd.peer()).endpoint, at(first));
      await changePort(near);
      await movesOnOne(near, farEnd, at(first, OTHER_PORT));
      await pings(far, NEAR.inner);
      changeAddress(near, first, moved, length);
      await movesOnOne(near, farEnd, at(moved, OTHER_PORT));
      await pings(far, NEAR.inner);
      changeAddress(near, moved, first, length);
      await near.must(['nft', 'delete table inet t']);
      await movesOnOne(near, farEnd, at(first));
      await pings(far, NEAR.inner6);
    }),
  );
}

for (const family of [4, 6] as const) {
  roaming(`what is replayed or forged moves nothing over IPv${family} (WG-6)`, () =>
    withLab(async (lab) => {
      const under = UNDER[family];
      const { near, far, farEnd, capture, farKey } = await startPair(lab, family, 'native');
      const recorded = datagramsIn(await capture.stop()).filter(isFrom(under.near));
      const replayed = recorded.map(({ payload }) => payload);
      assert.equal(new Set(replayed.map(([type]) => type)), new Set([1, 4]), 'both are recorded');
      const forged = [...forgeries(replayed), noiseInitiation(farKey)];
      const stranger = await Stranger.start(near, { address: under.far, port: PORT });
      const before = await readCounts(farEnd);
      stranger.send(...replayed, ...forged);
      await waitUntil('all of it arrived', 2_000, async () => {
        const { datagram_in = 0 } = growth(before, await readCounts(farEnd));
        return datagram_in >= replayed.length + forged.length;
      });
      const { tag, unknown_index, inner_out } = growth(before, await readCounts(farEnd));
      assert.equal([tag, unknown_index, inner_out], [3, 1, undefined]);
      assert.is((await farEnd.peer()).endpoint, at(under.near));
      assert.is(stranger.heard.length, 0, 'nobody answers the stranger');
      await pings(far, NEAR.inner);
    }),
  );
}

function isFrom(address: string): (datagram: CapturedDatagram) => boolean {
  return ({ source }) => source === address;
}

/** Data messages after the last one recorded, each with one thing wrong. */
function forgeries(recorded: readonly Uint8Array[]): Uint8Array[] {
  const last = recorded.filter(([type]) => type === 4).at(-1) ?? new Uint8Array(32);
  const changed = (change: (copy: Uint8Array) => void): Uint8Array => {
    const copy = concat(last);
    storeLe32(copy, 8, 1_000);
    change(copy);
    return copy;
  };
  return [
    changed(() => undefined), // the counter, so that the nonce is another
    changed((copy) => copy.fill(0, 16)),
    changed((copy) => copy.fill(0, copy.length - 16)),
    changed((copy) => storeLe32(copy, 4, 0x1234_5678)), // another session
  ];
}

roaming.run();
