/**
 * Two heddles with each encapsulation, both families outside and inside: what crosses, what can be
 * read on the way, what is refused, and what ends.
 */

import { writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { StatusDocument } from '../../src/api/status.js';
import { ip, type Lab, type LabHost, pings, reaches, waitUntil } from '../support/netns.js';
import { movesBulk } from './bulk.js';
import { Capture } from './capture.js';
import { at, FAR, NEAR, neighbours, PORT, withLab } from './pair.js';
import { fragmentFieldsOf } from './pcap.js';
import { HeddleEnd, type LabPeer, type LabTunnel, makeKeyPair } from './tunnels.js';

export const timeLimitSeconds = 120;

const test = suite('encapsulations');

type Kind = 'wireguard' | 'vxlan-sealed' | 'vxlan' | 'udp';
const KINDS = ['wireguard', 'vxlan-sealed', 'vxlan', 'udp'] as const;
const OUTER = {
  4: { near: '192.0.2.1', far: '192.0.2.2', length: 24 },
  6: { near: '2001:db8::1', far: '2001:db8::2', length: 64 },
} as const;
type Outer = keyof typeof OUTER;
const MACS = { near: '02:00:5e:00:53:01', far: '02:00:5e:00:53:02' };
const CLEAR_PORTS = { vxlan: 4789, udp: 8285 };
/** What 1500 bytes outside leave inside; sealed peers may move between the families. */
const MTU: Readonly<Record<Kind, Readonly<Record<Outer, number>>>> = {
  wireguard: { 4: 1420, 6: 1420 },
  'vxlan-sealed': { 4: 1412, 6: 1412 },
  vxlan: { 4: 1450, 6: 1430 },
  udp: { 4: 1472, 6: 1452 },
};
const LEAST_BITS_PER_SECOND = 50e6;

function isClear(kind: Kind): kind is 'vxlan' | 'udp' {
  return kind === 'vxlan' || kind === 'udp';
}

/** `more` is said of the other by both. */
function tunnelsOf(kind: Kind, outer: Outer, more: Partial<LabPeer> = {}) {
  const keys = { near: makeKeyPair(), far: makeKeyPair() };
  const tunnel = (own: 'near' | 'far', other: 'near' | 'far'): LabTunnel => {
    const [ours, theirs] = own === 'near' ? [NEAR, FAR] : [FAR, NEAR];
    const port = isClear(kind) ? CLEAR_PORTS[kind] : PORT;
    const peer: LabPeer = {
      name: other,
      encapsulation: kind,
      endpoint: at(OUTER[outer][other], port),
      allowedIps: [`${theirs.inner}/32`, `${theirs.inner6}/128`],
      ...(isClear(kind) ? {} : { publicKey: keys[other].publicKey }),
      ...(kind === 'vxlan' ? { vtepMac: MACS[other] } : {}),
      ...more,
    };
    return {
      interface: 'hd0',
      listenPort: PORT,
      privateKey: keys[own].privateKey,
      vtepMac: MACS[own],
      addresses: [`${ours.inner}/24`, `${ours.inner6}/64`],
      peers: [peer],
    };
  };
  return { near: tunnel('near', 'far'), far: tunnel('far', 'near') };
}

interface Ends {
  readonly near: LabHost;
  readonly far: LabHost;
  readonly nearEnd: HeddleEnd;
  readonly farEnd: HeddleEnd;
}

function hostsOf(lab: Lab, outer: Outer): { near: LabHost; far: LabHost } {
  const { near, far, length } = OUTER[outer];
  return neighbours(lab, [`${near}/${length}`], [`${far}/${length}`]);
}

async function startBoth(
  lab: Lab,
  hosts: { near: LabHost; far: LabHost },
  tunnels: { near: LabTunnel; far: LabTunnel },
): Promise<Ends> {
  const farEnd = await HeddleEnd.start(lab, hosts.far, tunnels.far);
  const nearEnd = await HeddleEnd.start(lab, hosts.near, tunnels.near);
  return { ...hosts, nearEnd, farEnd };
}

async function statusOf(end: HeddleEnd): Promise<StatusDocument> {
  const { stdout } = await end.run('status', '--json');
  const status: StatusDocument = JSON.parse(stdout);
  return status;
}

const PATTERN = '3b9f6c1ad25e48f7a0c4';

for (const kind of KINDS) {
  for (const outer of [4, 6] as const) {
    test(`${kind}: both families and bulk TCP over IPv${outer}`, () =>
      withLab(async (lab) => {
        const hosts = hostsOf(lab, outer);
        const capture = await Capture.start(lab, hosts.near, 'under');
        const ends = await startBoth(lab, hosts, tunnelsOf(kind, outer));
        await pings(ends.near, FAR.inner, '-p', PATTERN, '-s', '900');
        await pings(ends.near, FAR.inner6);
        const mtu = MTU[kind][outer];
        await pings(ends.far, NEAR.inner, '-M', 'do', '-s', String(mtu - 28));
        const bytes = await capture.stop();
        const isReadable = bytes.indexOf(Buffer.from(PATTERN, 'hex')) >= 0;
        assert.is(isReadable, isClear(kind), 'what is sealed cannot be read, the rest can');
        await movesBulk(ends.near, ends.far, FAR.inner, LEAST_BITS_PER_SECOND);
        const status = await statusOf(ends.nearEnd);
        assert.is(status.mtu, mtu);
        assert.is(status.peers[0]?.encapsulation, kind);
        assert.is(status.counters.packet_to_javascript, 0);
        const { received, sent } = status.plaintextBytes;
        assert.is(Number(received) > 1e6 && Number(sent) > 1e6, isClear(kind));
        assert.is(
          status.warnings.some(({ code }) => code === 'plaintext'),
          isClear(kind),
        );
      }));
  }
}

for (const kind of ['vxlan', 'udp'] as const) {
  test(`${kind}: the peer's plaintext is the daemon's, whatever the headers`, () =>
    withLab(async (lab) => {
      const ends = await startBoth(lab, hostsOf(lab, 4), tunnelsOf(kind, 4));
      for (let i = 0; i < 3; i++) await pings(ends.near, FAR.inner, '-s', String(200 * i + 100));
      const { plaintextBytes, peers } = await statusOf(ends.nearEnd);
      assert.ok(Number(plaintextBytes.sent) >= 300 + 600);
      assert.equal(peers[0]?.plaintextBytes, plaintextBytes);
    }));
}

test('sealed: a peer whose messages come in another form is not heard, and it is counted', () =>
  withLab(async (lab) => {
    const hosts = hostsOf(lab, 4);
    const tunnels = tunnelsOf('vxlan-sealed', 4);
    const bare = tunnels.near.peers.map((peer) => ({
      ...peer,
      encapsulation: 'wireguard' as const,
    }));
    const ends = await startBoth(lab, hosts, {
      ...tunnels,
      near: { ...tunnels.near, peers: bare },
    });
    assert.not(await reaches(ends.near, FAR.inner));
    assert.not(await reaches(ends.far, NEAR.inner));
    for (const end of [ends.nearEnd, ends.farEnd]) {
      assert.ok(Number((await statusOf(end)).dropsByReason.encapsulation) > 0);
    }
  }));

test('sealed: a peer behind VXLAN is followed when it moves', () =>
  withLab(async (lab) => {
    const ends = await startBoth(lab, hostsOf(lab, 4), tunnelsOf('vxlan-sealed', 4, { vni: 99 }));
    await pings(ends.near, FAR.inner);
    ip(ends.near, 'addr', 'del', '192.0.2.1/24', 'dev', 'under');
    ip(ends.near, 'addr', 'add', '192.0.2.77/24', 'dev', 'under');
    await pings(ends.near, FAR.inner);
    const [peer] = (await statusOf(ends.farEnd)).peers;
    assert.equal([peer?.endpoint, peer?.vni], ['192.0.2.77:51820', 99]);
    await pings(ends.far, NEAR.inner);
  }));

test('reload: a session goes on when both ends change its form', () =>
  withLab(async (lab) => {
    const tunnels = tunnelsOf('wireguard', 4);
    const ends = await startBoth(lab, hostsOf(lab, 4), tunnels);
    await pings(ends.near, FAR.inner);
    const before = await ends.nearEnd.peer();
    for (const [end, tunnel] of [
      [ends.farEnd, tunnels.far],
      [ends.nearEnd, tunnels.near],
    ] as const) {
      const peers = tunnel.peers.map((peer) => ({ ...peer, encapsulation: 'vxlan-sealed' }));
      writeFileSync(end.file, JSON.stringify({ ...tunnel, peers }));
      assert.is((await end.run('reload')).code, 0);
    }
    await pings(ends.near, FAR.inner);
    const [peer] = (await statusOf(ends.nearEnd)).peers;
    assert.is(peer?.encapsulation, 'vxlan-sealed');
    assert.is(peer?.latestHandshake, before.latestHandshake, 'no handshake was needed');
  }));

for (const kind of ['vxlan', 'udp'] as const) {
  test(`${kind}: at its end it stops both ways, and says so once`, () =>
    withLab(async (lab) => {
      const until = new Date(Date.now() + 4_000);
      const tunnels = tunnelsOf(kind, 4, { plaintextUntil: until.toISOString() });
      const forever = tunnelsOf(kind, 4).far;
      const ends = await startBoth(lab, hostsOf(lab, 4), { near: tunnels.near, far: forever });
      await pings(ends.near, FAR.inner);
      await waitUntil('it has ended', 8_000, () => ends.nearEnd.said.includes('plaintext ended'));
      assert.ok(Date.now() >= until.getTime(), 'not before its time');
      assert.not(await reaches(ends.near, FAR.inner));
      assert.not(await reaches(ends.far, NEAR.inner));
      const status = await statusOf(ends.nearEnd);
      assert.ok(Number(status.dropsByReason.clear_ended) >= 2);
      assert.equal(
        status.warnings.map(({ code }) => code),
        ['plaintext_ended'],
      );
      assert.is(ends.nearEnd.said.split('plaintext ended').length, 2);
    }));
}

test('vxlan-sealed: what is too big for the way is dropped and counted, never fragmented', () =>
  withLab(async (lab) => {
    const hosts = hostsOf(lab, 4);
    const { near, far } = tunnelsOf('vxlan-sealed', 4);
    const ends = await startBoth(lab, hosts, { near: { ...near, mtu: 1480 }, far });
    await pings(ends.near, FAR.inner);
    const capture = await Capture.start(lab, hosts.far, 'under');
    await ends.near.run(['ping', '-c', '2', '-i', '0.2', '-W', '0.5', '-s', '1440', FAR.inner]);
    await pings(ends.near, FAR.inner, '-s', '1300');
    const fields = fragmentFieldsOf(await capture.stop(), OUTER[4].near);
    assert.ok(
      fields.length > 0 && fields.every((field) => (field & 0x3fff) === 0),
      'all are whole',
    );
    assert.is((await statusOf(ends.nearEnd)).dropsByReason.send_too_big, 2);
  }));

test.run();
