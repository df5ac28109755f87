/**
 * WireGuard's own exam, group 12: whoever speaks to one of our addresses is answered from that
 * address, as a capture shows, for as long as we have it (WG-11). The native hand alone: Node's
 * sockets do not tell which address a datagram came to.
 */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat } from '../../src/base/bytes.js';
import { fold, innerIpv4, sum16 } from '../support/inner_packets.js';
import { ip, type Lab, type LabHost, pings, waitUntil } from '../support/netns.js';
import { Capture } from './capture.js';
import { at, FAR, NEAR, neighbours, PORT, tunnels, withLab } from './pair.js';
import { datagramsIn } from './pcap.js';
import { pingAlong } from './rig.js';
import { Caller, Stranger } from './stranger.js';
import { HeddleEnd, makeKeyPair } from './tunnels.js';

export const timeLimitSeconds = 60;

const sticky = suite('exam: sticky source');

/** The near end's addresses on its link, and one that it has elsewhere; the far end's last. */
const UNDER = {
  4: {
    near: ['192.0.2.1', '192.0.2.3', '192.0.2.4', '192.0.2.5'],
    elsewhere: '203.0.113.1',
    far: '192.0.2.2',
  },
  6: {
    near: ['2001:db8:9::1', '2001:db8:9::3', '2001:db8:9::4', '2001:db8:9::5'],
    elsewhere: '2001:db8:7::1',
    far: '2001:db8:9::2',
  },
} as const;
/** The far end's port differs, so that a capture tells who sent. */
const FAR_PORT = PORT + 1;

/** Addresses are independent of each other: none goes along when the first is taken away. */
function link(lab: Lab, family: 4 | 6): { near: LabHost; far: LabHost } {
  const under = UNDER[family];
  const [length, whole] = family === 4 ? [24, 32] : [64, 128];
  const others = under.near.slice(1).map((address) => `${address}/${whole}`);
  const first = `${under.near[0]}/${length}`;
  const { near, far } = neighbours(lab, [first, ...others], [`${under.far}/${length}`]);
  ip(near, 'addr', 'add', `${under.elsewhere}/${whole}`, 'dev', 'lo');
  ip(far, 'route', 'add', `${under.elsewhere}/${whole}`, 'via', under.near[0]);
  return { near, far };
}

/** The sources of what the near daemon sent, each with the message's type, in order. */
function sentByNear(pcap: Uint8Array): string[] {
  const sent = datagramsIn(pcap).filter(({ sourcePort }) => sourcePort === PORT);
  return sent.map(({ source, payload }) => `${payload[0]} from ${source}`);
}

/** An echo request (RFC 792) from 10.0.0.2 to 10.0.0.1. */
function echoRequest(): Uint8Array {
  const message = concat(Uint8Array.of(8, 0, 0, 0), new Uint8Array(28));
  const sum = ~fold(sum16(message));
  message.set([sum >> 8, sum], 2);
  return innerIpv4(1, message);
}

for (const family of [4, 6] as const) {
  sticky(`answers leave from the address that was asked, over IPv${family} (WG-11)`, () =>
    withLab(async (lab) => {
      const { near, far } = link(lab, family);
      const [ours, theirs] = [makeKeyPair(), makeKeyPair()];
      await HeddleEnd.start(lab, near, {
        ...{ interface: 'hd0', listenPort: PORT, mtu: 1400 },
        privateKey: ours.privateKey,
        addresses: ['10.0.0.1/24'],
        peers: [{ publicKey: theirs.publicKey, allowedIps: ['10.0.0.2/32'] }],
      });
      const capture = await Capture.start(lab, far, 'under');
      const caller = new Caller(theirs, ours.publicKey);
      const expected: string[] = [];
      for (const address of [...UNDER[family].near, UNDER[family].elsewhere].reverse()) {
        const stranger = await Stranger.start(far, { address, port: PORT });
        const made = caller.initiation();
        stranger.send(made.datagram);
        await waitUntil('the response is here', 1_000, () => stranger.heard.length === 1);
        const session = caller.consume(made, stranger.heard[0] ?? new Uint8Array(0));
        stranger.send(session.seal(echoRequest()));
        await waitUntil('the echo is here', 1_000, () => stranger.heard.length === 2);
        expected.push(`2 from ${address}`, `4 from ${address}`);
      }
      assert.equal(sentByNear(await capture.stop()), expected);
    }),
  );

  sticky(`an address asked and taken away is replaced, over IPv${family} (WG-11)`, () =>
    withLab(async (lab) => {
      const { near, far } = link(lab, family);
      const asked = UNDER[family].near[2];
      const made = tunnels({ far: { endpoint: at(asked) } });
      await HeddleEnd.start(lab, near, made.near);
      const farEnd = await HeddleEnd.start(lab, far, { ...made.far, listenPort: FAR_PORT });
      await pings(far, NEAR.inner);
      assert.is((await farEnd.peer()).endpoint, at(asked));
      ip(near, 'addr', 'del', `${asked}/${family === 4 ? 32 : 128}`, 'dev', 'under');
      const capture = await Capture.start(lab, far, 'under');
      await pings(near, FAR.inner);
      await pings(far, NEAR.inner);
      const sources = new Set(sentByNear(await capture.stop()));
      assert.is(sources.size, 1, [...sources].join(', '));
      const [source = ''] = [...sources].map((each) => each.replace('4 from ', ''));
      assert.ok(UNDER[family].near.some((address) => address === source && address !== asked));
      assert.is((await farEnd.peer()).endpoint, at(source));
    }),
  );
}

sticky('an address that has nothing to do with the way changes no source (WG-11)', () =>
  withLab(async (lab) => {
    const { near, far } = link(lab, 4);
    const asked = UNDER[4].near[2];
    const made = tunnels({ far: { endpoint: at(asked) } });
    const nearEnd = await HeddleEnd.start(lab, near, made.near);
    const farEnd = await HeddleEnd.start(lab, far, { ...made.far, listenPort: FAR_PORT });
    await pings(far, NEAR.inner);
    const capture = await Capture.start(lab, far, 'under');
    ip(near, 'addr', 'add', '192.0.2.200/32', 'dev', 'under');
    await waitUntil('the daemon has seen the address', 5_000, () =>
      nearEnd.said.includes('the underlay changed'),
    );
    await pings(near, FAR.inner);
    assert.equal(new Set(sentByNear(await capture.stop())), new Set([`4 from ${asked}`]));
    assert.is((await farEnd.peer()).endpoint, at(asked));
  }),
);

sticky('a better way mid-flow is taken at once, and soon from its own address (WG-11)', () =>
  withLab(async (lab) => {
    const { near, far } = neighbours(lab, ['192.0.2.1/24'], ['192.0.2.2/24']);
    lab.link('fast', [
      [near, ['198.51.100.1/24']],
      [far, ['198.51.100.2/24']],
    ]);
    ip(far, 'addr', 'add', '203.0.113.2/32', 'dev', 'lo');
    ip(near, 'route', 'add', '203.0.113.0/24', 'via', '192.0.2.2', 'src', '192.0.2.1');
    ip(far, 'route', 'add', '192.0.2.1/32', 'dev', 'under', 'src', '203.0.113.2');
    const made = tunnels({ far: { endpoint: at('192.0.2.1') } });
    await HeddleEnd.start(lab, near, made.near);
    const farEnd = await HeddleEnd.start(lab, far, { ...made.far, listenPort: FAR_PORT });
    await pings(far, NEAR.inner);
    const capture = await Capture.start(lab, far, 'fast');
    const flow = pingAlong(far, NEAR.inner, 2);
    await waitUntil('it flows', 2_000, async () => (await farEnd.peer()).txBytes > 10 * 128);
    ip(near, 'route', 'add', '203.0.113.2/32', 'via', '198.51.100.2');
    const { sent, lost } = await flow;
    assert.ok(sent > 100 && lost <= 2, `${lost} of ${sent} lost`);
    const sources = sentByNear(await capture.stop());
    assert.ok(sources.length > 5, `${sources.length} took the better way`);
    // The first packets on it leave before anybody has told the daemon of the new route.
    const expected = ['4 from 192.0.2.1', '4 from 198.51.100.1'];
    assert.equal(new Set([...expected, ...sources]).size, 2, [...new Set(sources)].join(', '));
    assert.ok(sources.lastIndexOf(expected[0] ?? '') < sources.indexOf(expected[1] ?? ''));
    assert.is((await farEnd.peer()).endpoint, at('198.51.100.1'));
  }),
);

sticky.run();
