import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { present } from '../../src/base/assert.js';
import { concat, fromHex, storeLe32 } from '../../src/base/bytes.js';
import { SystemRandom } from '../../src/io/entropy.js';
import { fold, ipv4, ipv6, sum16 } from '../support/inner_packets.js';
import { type LabHost, pause, reaches, waitUntil } from '../support/netns.js';
import { Capture } from './capture.js';
import { flood } from './flood.js';
import { datagramsIn } from './pcap.js';
import {
  FAR,
  FOE,
  growth,
  NEAR,
  PORT,
  pingAlong,
  type Rig,
  readCounts,
  residentBytes,
  startBoth,
  withRig,
} from './rig.js';
import { Caller, noiseInitiation, Stranger } from './stranger.js';
import { HeddleEnd } from './tunnels.js';

export const timeLimitSeconds = 120;

const attacks = suite('attacks');

const TARGET = { to: NEAR.evil, port: PORT };
/** 2^20 of them: 100.64.0.0 to 100.79.255.255. */
const SOURCES = { first: '100.64.0.0', count: 1 << 20 };
/** More than a terminal sequence or a name would need to show itself in what is printed. */
const CHOSEN_TEXT = new TextEncoder().encode('\u001b[31mCHOSEN-BY-AN-ATTACKER\n'.repeat(6));
const QUIET_CHARACTERS = 500;

/** How many datagrams the near heddle sent to the foe, and how many of them are longer than 64. */
async function countReplies(foe: LabHost): Promise<() => Promise<{ all: number; long: number }>> {
  const chain = 'add table ip t; add chain ip t in { type filter hook prerouting priority -300; }';
  await foe.must(['nft', chain]);
  await foe.must(['nft', `add rule ip t in udp sport ${PORT} counter`]);
  await foe.must(['nft', `add rule ip t in udp sport ${PORT} udp length > 72 counter`]);
  return async () => {
    const text = await foe.must(['nft', 'list', 'table', 'ip', 't']);
    const [all = Number.NaN, long = Number.NaN] = [...text.matchAll(/counter packets (\d+)/g)].map(
      (match) => Number(match[1]),
    );
    return { all, long };
  };
}

function noise(count: number, bytes: number): Uint8Array[] {
  return Array.from({ length: count }, () => new SystemRandom().bytes(bytes));
}

attacks('a flood of initiations with the right first MAC costs others nothing (row 3, WG-18)', () =>
  withRig(async (rig) => {
    const { nearEnd, farEnd } = await startBoth(rig);
    const replies = await countReplies(rig.foe);
    const before = await readCounts(nearEnd);
    const said = nearEnd.said.length;
    const payloads = Array.from({ length: 2_000 }, () => noiseInitiation(rig.nearKey));
    const plan = { ...TARGET, payloads, perSecond: 20_000, seconds: 3, sources: SOURCES };
    const [sent, pings] = await Promise.all([
      flood(rig.lab, rig.foe, plan),
      pingAlong(rig.far, NEAR.inner, 3),
    ]);
    const changed = growth(before, await readCounts(nearEnd));
    const { all, long } = await replies();
    const told = JSON.stringify({ sent, pings, replies: { all, long }, changed });
    assert.ok(sent > 10_000, told);
    assert.ok(all > 0 && all <= sent && long === 0, `64 bytes for 148, and no more: ${told}`);
    assert.is(changed.answered_with_cookie, all, told);
    assert.ok((changed.static_tag ?? 0) < sent / 10, `few cost a Diffie-Hellman: ${told}`);
    assert.ok(pings.sent >= 100 && pings.lost <= pings.sent / 100, told);
    assert.ok(nearEnd.said.length - said < QUIET_CHARACTERS, nearEnd.said.slice(said));

    await farEnd.stop();
    await HeddleEnd.start(rig.lab, rig.far, rig.farTunnel);
    await waitUntil('a handshake succeeds', 8_000, () => reaches(rig.far, NEAR.inner));
  }),
);

attacks('spoofed packets leave no memory and no line behind (rows 56, 57)', () =>
  withRig(async (rig) => {
    const { nearEnd } = await startBoth(rig);
    const { pid } = await nearEnd.status();
    const payloads = [
      ...Array.from({ length: 500 }, () => noiseInitiation(rig.nearKey)),
      ...noise(500, 148).map((bytes) => withType(1, bytes)),
      ...noise(500, 128).map((bytes) => withType(4, bytes)),
      ...noise(400, 64),
      ...Array.from({ length: 100 }, () => CHOSEN_TEXT),
    ];
    const plan = { ...TARGET, payloads, sources: SOURCES, perSecond: 125_000, seconds: 4 };
    // What the first packets make for good: code compiled, the table of sources, a heap with room.
    await flood(rig.lab, rig.foe, plan);
    const [bytes, said, before] = [
      residentBytes(pid),
      nearEnd.said.length,
      await readCounts(nearEnd),
    ];
    const sent = await flood(rig.lab, rig.foe, plan);
    const grown = residentBytes(pid) - bytes;
    const changed = growth(before, await readCounts(nearEnd));
    const told = `${sent} packets, ${grown} B more, ${JSON.stringify(changed)}`;
    assert.ok(sent >= 100_000, told);
    assert.ok(grown <= 16 << 20, told);
    for (const reason of ['mac1', 'unknown_index', 'datagram_type', 'answered_with_cookie']) {
      assert.ok((changed[reason] ?? 0) > sent / 1_000, `${reason} grows: ${told}`);
    }
    assert.ok(nearEnd.said.length - said < QUIET_CHARACTERS, nearEnd.said.slice(said));
    assert.not(nearEnd.said.includes('CHOSEN'));
    assert.ok(await reaches(rig.far, NEAR.inner), 'the tunnel carries on');
  }),
);

attacks('a peer that floods with its own key gets 50 sessions a second at most (row 4)', () =>
  withRig(async (rig) => {
    const { nearEnd } = await startBoth(rig);
    const caller = new Caller(rig.foeKeys, rig.nearKey);
    const initiations = Array.from({ length: 1_000 }, () => caller.initiation().datagram);
    const foe = await Stranger.start(rig.foe, { address: NEAR.evil, port: PORT });
    const pinging = pingAlong(rig.far, NEAR.inner, 2);
    const started = performance.now();
    for (let i = 0; i < initiations.length; i += 10) {
      foe.send(...initiations.slice(i, i + 10));
      await pause(20);
    }
    const seconds = (performance.now() - started) / 1_000;
    const pings = await pinging;
    const accepted = foe.heard.filter((datagram) => datagram.length === 92).length;
    const told = `${accepted} in ${seconds} s; ${JSON.stringify(pings)}`;
    assert.ok(accepted >= 10 && accepted <= 50 * seconds + 2, told);
    assert.ok(foe.heard.length <= initiations.length);
    assert.ok(pings.lost <= pings.sent / 100, told);
    const { too_soon = 0, answered_with_cookie = 0 } = await readCounts(nearEnd);
    assert.ok(too_soon + answered_with_cookie > 0, 'what is refused is counted');
  }),
);

/** What must not move when somebody replays what he recorded. */
async function standing(end: HeddleEnd): Promise<unknown> {
  const { peers } = await end.status();
  return peers.map(({ endpoint, latestHandshake, rxBytes, txBytes }) => {
    return { endpoint, latestHandshake, rxBytes, txBytes };
  });
}

attacks('recorded datagrams from another address move nothing (rows 1, 2)', () =>
  withRig(async (rig) => {
    const capture = await Capture.start(rig.lab, rig.near, 'under');
    const { nearEnd, farEnd } = await startBoth(rig);
    for (let i = 0; i < 5; i++) assert.ok(await reaches(rig.far, NEAR.inner));
    const recorded = datagramsIn(await capture.stop());
    const fromFar = recorded.filter(({ source }) => source === FAR.under);
    const fromNear = recorded.filter(({ source }) => source === NEAR.under);
    assert.ok(fromFar.length > 6 && fromNear.length > 6, 'the capture holds both ways');

    const toNear = await Stranger.start(rig.foe, { address: NEAR.evil, port: PORT });
    const toFar = await Stranger.start(rig.near, { address: FAR.under, port: PORT }, 5_000);
    const stood = [await standing(nearEnd), await standing(farEnd)];
    const before = [await readCounts(nearEnd), await readCounts(farEnd)];
    for (let round = 0; round < 3; round++) {
      toNear.send(...fromFar.map(({ payload }) => payload));
      toFar.send(...fromNear.map(({ payload }) => payload));
    }
    await arrived(nearEnd, before[0], 3 * fromFar.length);
    await arrived(farEnd, before[1], 3 * fromNear.length);
    assert.equal([await standing(nearEnd), await standing(farEnd)], stood);
    assert.is(toNear.heard.length + toFar.heard.length, 0, 'a replay has no answer');

    const changed = [
      growth(before[0] ?? {}, await readCounts(nearEnd)),
      growth(before[1] ?? {}, await readCounts(farEnd)),
    ];
    const data = [fromFar, fromNear].map(
      (side) => side.filter(({ payload }) => payload[0] === 4).length,
    );
    assert.equal(
      [changed[0]?.replay, changed[1]?.replay],
      [3 * (data[0] ?? 0), 3 * (data[1] ?? 0)],
    );
    const old = (changed[0]?.timestamp_old ?? 0) + (changed[1]?.timestamp_old ?? 0);
    assert.ok(old >= 3, `replayed initiations are counted: ${JSON.stringify(changed)}`);
    assert.ok(await reaches(rig.near, FAR.inner));
    assert.ok(await reaches(rig.far, NEAR.inner));
  }),
);

/** Resolves when the daemon has received so many datagrams more than `before` says. */
async function arrived(
  end: HeddleEnd,
  before: Readonly<Record<string, number>> | undefined,
  count: number,
): Promise<void> {
  const wanted = (before?.datagram_in ?? 0) + count;
  await waitUntil(`${count} datagrams arrived`, 5_000, async () => {
    return ((await readCounts(end)).datagram_in ?? 0) >= wanted;
  });
}

function withType(type: number, bytes: Uint8Array): Uint8Array {
  if (bytes.length >= 4) storeLe32(bytes, 0, type);
  return bytes;
}

/** The reason that a datagram of zeros behind the type is dropped for (WireGuard §5.4). */
function expectedReason(type: number, length: number): string {
  if (length < 4) return 'datagram_length';
  if (type < 1 || type > 4) return 'datagram_type';
  if (type === 4) return length < 32 ? 'datagram_length' : 'unknown_index';
  if (length !== [148, 92, 64][type - 1]) return 'datagram_length';
  return type === 3 ? 'unknown_index' : 'mac1';
}

attacks('every length of every type is dropped for its own reason (row 6)', () =>
  withRig(async (rig) => {
    const { nearEnd } = await startBoth(rig);
    const foe = await Stranger.start(rig.foe, { address: NEAR.evil, port: PORT });
    const expected: Record<string, number> = {};
    const before = await readCounts(nearEnd);
    let count = 0;
    for (const type of [0, 1, 2, 3, 4, 5, 255, 0x0100_0001, 0x0001_0004, 0xffff_ffff]) {
      for (const length of [...Array(201).keys(), 65_507]) {
        foe.send(withType(type, new Uint8Array(length)));
        const reason = expectedReason(type, length);
        expected[reason] = (expected[reason] ?? 0) + 1;
        count++;
      }
      await arrived(nearEnd, before, count);
    }
    const changed = growth(before, await readCounts(nearEnd));
    for (const [reason, times] of Object.entries(expected)) {
      assert.is(changed[reason], times, `${reason} of ${JSON.stringify(changed)}`);
    }
    assert.is(foe.heard.length, 0);
    assert.ok(await reaches(rig.near, FAR.inner));
  }),
);

async function callIn(rig: Rig) {
  const foe = await Stranger.start(rig.foe, { address: NEAR.evil, port: PORT });
  const caller = new Caller(rig.foeKeys, rig.nearKey);
  const made = caller.initiation();
  foe.send(made.datagram);
  await waitUntil('the response is here', 3_000, () => foe.heard.length > 0);
  return { foe, session: caller.consume(made, foe.heard[0] ?? new Uint8Array(0)) };
}

function innerFrom(source: string): Uint8Array {
  return ipv4({ source, destination: NEAR.inner });
}

/** What a peer may seal, by the reason that it is dropped for. */
const SEALED: Readonly<Record<string, readonly Uint8Array[]>> = {
  opened_malformed: [
    lengthened(innerFrom(FOE.inner), 200),
    Uint8Array.of(0x45, ...new Uint8Array(9)), // half an IPv4 header
    Uint8Array.of(0x60, ...new Uint8Array(30)), // half an IPv6 header
  ],
  // First nibbles that nobody negotiated.
  opened_protocol: [0, 1, 2, 3, 5, 7, 15].map((nibble) =>
    Uint8Array.of(nibble << 4, ...new Uint8Array(63)),
  ),
  opened_source: [innerFrom(FAR.inner), innerFrom(NEAR.inner)],
};

function lengthened(packet: Uint8Array, by: number): Uint8Array {
  const changed = concat(packet);
  changed[3] = packet.length + by;
  return changed;
}

attacks('what a peer seals is judged before it is delivered (rows 7, 9)', () =>
  withRig(async (rig) => {
    const { nearEnd } = await startBoth(rig);
    const { foe, session } = await callIn(rig);
    const start = await readCounts(nearEnd);
    foe.send(session.seal(innerFrom(FOE.inner)));
    await arrived(nearEnd, start, 1);
    assert.is(growth(start, await readCounts(nearEnd)).inner_out, 1, 'a whole packet arrives');
    const before = await readCounts(nearEnd);
    const plaintexts = Object.values(SEALED).flat();
    foe.send(...plaintexts.map((plaintext) => session.seal(plaintext)));
    const [flipped, stolen] = [
      session.seal(innerFrom(FOE.inner)),
      session.seal(innerFrom(FOE.inner)),
    ];
    flipped[20] = (flipped[20] ?? 0) ^ 1;
    storeLe32(stolen, 4, 0x1234_5678);
    foe.send(flipped, stolen);
    await arrived(nearEnd, before, plaintexts.length + 2);
    const changed = growth(before, await readCounts(nearEnd));
    for (const [reason, dropped] of Object.entries(SEALED)) {
      assert.is(changed[reason], dropped.length, `${reason} of ${JSON.stringify(changed)}`);
    }
    assert.equal([changed.tag, changed.unknown_index, changed.inner_out], [1, 1, undefined]);
    assert.is((await nearEnd.peer(1)).endpoint?.startsWith(FOE.evil), true);
  }),
);

/** IPv6 sources made of the far host's IPv4 address, and one of a link, by what is in them. */
const FORMS: readonly { readonly what: string; readonly source: string }[] = [
  { what: 'IPv4-mapped', source: '00000000000000000000ffff0a4d0002' },
  { what: 'IPv4-compatible', source: '0000000000000000000000000a4d0002' },
  { what: '6to4', source: '20020a4d000200000000000000000001' },
  { what: 'NAT64', source: '0064ff9b00000000000000000a4d0002' },
  { what: 'link-local', source: 'fe800000000000000000000000000001' },
];

function inner6From(source: string): Uint8Array {
  const packet = ipv6({ bytes: 48 });
  packet.set(present(fromHex(source), 'an address in hexadecimal'), 8);
  return packet;
}

/** What becomes of a message from the foe with each of the sources. */
async function fates(rig: Rig, allowedIps: readonly string[]): Promise<Record<string, string>> {
  const [far, foe] = rig.nearTunnel.peers;
  if (!far || !foe) throw new Error('the rig has two peers');
  const nearTunnel = { ...rig.nearTunnel, table: 'off', peers: [far, { ...foe, allowedIps }] };
  const nearEnd = await HeddleEnd.start(rig.lab, rig.near, nearTunnel);
  const { foe: stranger, session } = await callIn(rig);
  const packets = FORMS.map(({ what, source }) => [what, inner6From(source)] as const);
  const found: Record<string, string> = {};
  for (const [what, packet] of [...packets, ['IPv4', innerFrom(FOE.inner)] as const]) {
    const before = await readCounts(nearEnd);
    stranger.send(session.seal(packet));
    await arrived(nearEnd, before, 1);
    const changed = growth(before, await readCounts(nearEnd));
    const fate = ['inner_out', 'opened_malformed', 'opened_source'].filter((name) => changed[name]);
    found[what] = fate.join(' and ');
  }
  await nearEnd.stop();
  return found;
}

attacks('no way to write an IPv4 address as an IPv6 one gets past allowedIps (row 18)', () =>
  withRig(async (rig) => {
    const own = `::ffff:${FOE.inner}/128`;
    const others = {
      'IPv4-compatible': 'opened_source',
      '6to4': 'opened_source',
      NAT64: 'opened_source',
      'link-local': 'opened_source',
    };
    const always = { 'IPv4-mapped': 'opened_malformed', IPv4: 'inner_out' };
    assert.equal(await fates(rig, [own]), { ...others, ...always });
    // To whom all of IPv6 belongs, they are IPv6; a mapped one would be taken for IPv4 by programs.
    const delivered = Object.fromEntries(Object.keys(others).map((what) => [what, 'inner_out']));
    assert.equal(await fates(rig, [own, '::/0']), { ...delivered, ...always });
  }),
);

const HOPS_AT = { 4: 8, 6: 7 } as const;
const FAR6 = 'fd00::2';
const FOE6 = 'fd00::3';

/** From the foe to the far host, with so many hops left. */
function withHops(family: 4 | 6, hops: number): Uint8Array {
  const packet =
    family === 4
      ? ipv4({ source: FOE.inner, destination: FAR.inner })
      : ipv6({ source: 3, destination: 2 });
  packet[HOPS_AT[family]] = hops;
  if (family === 4) {
    const sum = ~fold(sum16(packet.subarray(0, 20)));
    packet.set([sum >> 8, sum], 10);
  }
  return packet;
}

attacks('a packet from one peer to another ends here when it has no hop left (row 20)', () =>
  withRig(async (rig) => {
    const [far, foe] = rig.nearTunnel.peers;
    if (!far || !foe) throw new Error('the rig has two peers');
    const peers = [
      { ...far, allowedIps: [...far.allowedIps, `${FAR6}/128`] },
      { ...foe, allowedIps: [...foe.allowedIps, `${FOE6}/128`] },
    ];
    const nearTunnel = { ...rig.nearTunnel, peers };
    const { nearEnd, farEnd } = await startBoth({ ...rig, nearTunnel });
    const forward = ['ipv4/ip_forward', 'ipv6/conf/all/forwarding'].map(
      (name) => `echo 1 >/proc/sys/net/${name}`,
    );
    await rig.near.must(['sh', '-c', forward.join('; ')]);
    const { foe: stranger, session } = await callIn(rig);
    for (const family of [4, 6] as const) {
      const [before, atFar] = [await readCounts(nearEnd), await readCounts(farEnd)];
      for (const hops of [0, 1, 2]) stranger.send(session.seal(withHops(family, hops)));
      await arrived(nearEnd, before, 3);
      // What is forwarded is not from an address that far lets near send from.
      await waitUntil(`IPv${family} with two hops left arrives`, 3_000, async () => {
        return (growth(atFar, await readCounts(farEnd)).opened_source ?? 0) > 0;
      });
      assert.is(growth(atFar, await readCounts(farEnd)).opened_source, 1, `IPv${family}`);
      assert.is(growth(before, await readCounts(nearEnd)).inner_out, 3, 'all were delivered');
    }
  }),
);

attacks.run();
